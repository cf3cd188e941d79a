import { useEffect } from 'react'

/** `j` and `k` move the focus through the links that carry `data-row`; Enter opens one, as for any link. */
export function useRowKeys(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return
      if (event.key !== 'j' && event.key !== 'k') return
      const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')]
      const current = rows.findIndex((row) => row === document.activeElement)
      const next = event.key === 'j' ? current + 1 : Math.max(0, current - 1)
      const row = rows[next]
      if (row === undefined) return
      event.preventDefault()
      row.focus()
      row.scrollIntoView({ block: 'nearest' })
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]')
}
