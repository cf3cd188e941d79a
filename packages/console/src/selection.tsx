import { createContext, useContext, useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import type { Approval } from './api.ts'
import { canBeSelected, isAlike, togetherMax } from './alike.ts'

/**
 * What a person has selected to answer together. It lives in this page's memory only: neither a link nor a reload selects
 * anything.
 */
interface Selection {
  readonly ids: ReadonlySet<string>
  readonly change: (ids: ReadonlySet<string>) => void
}

const SelectionContext = createContext<Selection | null>(null)

/** Keeps the selection of one person between the pages below it. */
export function Selecting({ children }: { readonly children: ReactNode }) {
  const [ids, change] = useState<ReadonlySet<string>>(new Set())
  const selection = useMemo(() => ({ ids, change }), [ids])
  return <SelectionContext value={selection}>{children}</SelectionContext>
}

/** What is selected of the calls that wait, and how to change that. */
export function useSelection(waiting: readonly Approval[]) {
  const selection = useContext(SelectionContext)
  if (selection === null) throw new Error('no selection above this component')
  const { ids, change } = selection
  // What others have closed meanwhile is out of it by itself.
  const chosen = waiting.filter((approval) => ids.has(approval.id) && canBeSelected(approval))
  const chosenIds = new Set<string>(chosen.map(({ id }) => id))
  const [first] = chosen

  /** Why the call cannot be selected now; null where it can. */
  const refusal = (approval: Approval): string | null => {
    if (approval.terms.signed === true) return 'Votes on this call are signed, so it is answered by itself.'
    if (!canBeSelected(approval)) return 'You cannot answer this call in your own name.'
    if (first !== undefined && !isAlike(first, approval)) {
      return 'Only calls of one agent, action and policy, asked in the same way, are answered together.'
    }
    if (chosen.length >= togetherMax) return `No more than ${togetherMax} calls are answered together.`
    return null
  }
  const toggle = (id: string): void => {
    const next = new Set(chosenIds)
    if (!next.delete(id)) next.add(id)
    change(next)
  }
  const drop = (gone: readonly string[]): void =>
    change(new Set([...chosenIds].filter((id) => !gone.includes(id))))
  return {
    chosen,
    isChosen: (id: string) => chosenIds.has(id),
    refusal,
    toggle,
    drop,
    clear: () => change(new Set()),
  }
}
