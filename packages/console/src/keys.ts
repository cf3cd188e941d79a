import { useEffect, useRef } from 'react'
import { preferences } from './preferences.ts'

/** What single keys do, by `KeyboardEvent.key`. A binding that returns false leaves the key to the browser. */
export type KeyBindings = Readonly<Record<string, () => boolean | void>>

/**
 * Binds single keys while the component is shown. They do nothing while somebody types, with a modifier, in a dialog, or
 * where the person has turned them off; Escape always works.
 */
export function useKeys(bindings: KeyBindings): void {
  const current = useRef(bindings)
  useEffect(() => {
    current.current = bindings
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return
      if (event.key !== 'Escape' && (isTyping(event.target) || !preferences().keys)) return
      if (document.querySelector('dialog[open]') !== null) return
      const binding = current.current[event.key]
      if (binding === undefined || binding() === false) return
      event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
}

// The row that had the focus last, and the rows that stood before and after it.
let last: { readonly row: HTMLElement; readonly rows: readonly HTMLElement[] } | null = null

/**
 * Moves the focus to the next (1) or previous (-1) of the links that carry `data-row`. Where the row that had it has gone
 * from the list, as when somebody else was faster, it goes on from where that stood.
 */
export function focusRow(step: 1 | -1): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')]
  const current = rows.findIndex((row) => row === document.activeElement)
  const besides = current === -1 ? besideGone(step) : undefined
  const row = besides ?? rows[step === 1 ? current + 1 : Math.max(0, current - 1)]
  if (row === undefined) return false
  last = { row, rows }
  row.focus()
  row.scrollIntoView({ block: 'nearest' })
  return true
}

function besideGone(step: 1 | -1): HTMLElement | undefined {
  const isNowhere = document.activeElement === null || document.activeElement === document.body
  if (last === null || last.row.isConnected || !isNowhere) return undefined
  const at = last.rows.indexOf(last.row)
  const beside = step === 1 ? last.rows.slice(at + 1) : last.rows.slice(0, at).toReversed()
  return beside.find((row) => row.isConnected)
}

function isTyping(target: EventTarget | null): boolean {
  const fields = 'input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]'
  return target instanceof HTMLElement && target.matches(fields)
}
