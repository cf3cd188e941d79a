import { callLeaves } from '@bailiwick/core/words'
import type { CallLeaf, Presentation } from '@bailiwick/core/words'

/** How one member of a call differs from an earlier call. */
export interface CallChange {
  readonly pointer: string
  /** Its names from the outside in, as people read them. */
  readonly label: string
  /** Null: it was not there. */
  readonly before: CallLeaf | null
  /** Null: it is no longer there. */
  readonly now: CallLeaf | null
}

/** What differs between two calls, and how much does not. */
export interface CallComparison {
  readonly changes: readonly CallChange[]
  readonly same: number
  /** What cannot be compared, because one of the two is masked. */
  readonly hidden: number
}

type Data = Readonly<Record<string, unknown>>

/** Compares the parameters of a call with those of an earlier one, in the order of the call and then of the other. */
export function compareCalls(
  before: { readonly params: Data | null } & Presentation,
  now: { readonly params: Data | null } & Presentation,
): CallComparison {
  // The units are those of the policy that decides now, so that equal numbers read alike.
  const then = callLeaves(before.params, { masked: before.masked ?? null, units: now.units ?? null })
  const current = callLeaves(now.params, now)
  const pointers = new Set([...current.keys(), ...then.keys()])
  const changes: CallChange[] = []
  let same = 0
  let hidden = 0
  for (const pointer of pointers) {
    const old = then.get(pointer)
    const fresh = current.get(pointer)
    if (old?.kind === 'masked' || fresh?.kind === 'masked') hidden += 1
    else if (old?.value === fresh?.value) same += 1
    else {
      changes.push({
        pointer,
        label: (fresh ?? old)?.label ?? pointer,
        before: old ?? null,
        now: fresh ?? null,
      })
    }
  }
  return { changes, same, hidden }
}

/** One member of several calls: what it is in each, in their order. */
export interface Member {
  readonly pointer: string
  readonly label: string
  /** Null: the call does not have it. */
  readonly leaves: readonly (CallLeaf | null)[]
  /** Where one of them is masked, and nobody can say from here whether they are the same. */
  readonly isMasked: boolean
}

type Call = { readonly params: Data | null; readonly context: Data | null } & Presentation

/** What several calls have in common, and what not: parameters, then context. Nothing of a call is in neither. */
export function compareAll(calls: readonly Call[]): {
  readonly same: readonly Member[]
  readonly differing: readonly Member[]
} {
  const all = calls.map(
    (call) =>
      new Map([...callLeaves(call.params, call), ...callLeaves(call.context, call, '/context', 'Context')]),
  )
  const pointers = new Set(all.flatMap((each) => [...each.keys()]))
  const members = [...pointers].map((pointer): Member => {
    const found = all.map((each) => each.get(pointer))
    return {
      pointer,
      label: found.find((leaf) => leaf !== undefined)?.label ?? pointer,
      leaves: found.map((leaf) => leaf ?? null),
      isMasked: found.some((leaf) => leaf?.kind === 'masked'),
    }
  })
  const isSame = ({ leaves: [first, ...others], isMasked }: Member): boolean =>
    !isMasked && others.every((leaf) => leaf?.value === first?.value)
  return { same: members.filter(isSame), differing: members.filter((member) => !isSame(member)) }
}

const excerptLength = 160
const excerptLead = 30

/** Two texts short enough for a table: of long ones, the part around where they begin to differ. */
export function excerpts(before: string, now: string): readonly [string, string] {
  const longest = Math.max(before.length, now.length)
  if (longest <= excerptLength) return [before, now]
  let at = 0
  while (at < longest && before[at] === now[at]) at++
  const start = at <= excerptLength - excerptLead ? 0 : at - excerptLead
  return [excerpt(before, start), excerpt(now, start)]
}

function excerpt(text: string, start: number): string {
  const end = start + excerptLength
  return `${start > 0 ? '…' : ''}${text.slice(start, end)}${end < text.length ? '…' : ''}`
}
