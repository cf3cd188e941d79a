import { useEffect, useRef, useState } from 'react'
import type { Approval } from '../api.ts'
import { chime } from '../chime.ts'
import { mayAnswer } from '../consent.ts'
import { preferences } from '../preferences.ts'
import { usePendingApprovals } from '../queries.ts'
import { navigate } from '../router.tsx'
import { visibleText } from '../wording.ts'

/** Tells of every approval that starts to wait while the page is open: screen readers always, others as they chose. */
export function ApprovalNews() {
  const { approvals } = usePendingApprovals()
  const known = useRef<ReadonlySet<string> | null>(null)
  const [news, setNews] = useState('')

  useEffect(() => {
    if (approvals === undefined) return
    const before = known.current
    known.current = new Set(approvals.map(({ id }) => id))
    const fresh = before === null ? [] : approvals.filter(({ id }) => !before.has(id))
    if (fresh.length === 0) return
    setNews(newsText(fresh))
    tell(fresh.filter(mayAnswer))
  }, [approvals])

  return (
    <div className="unseen" role="status" aria-live="polite">
      {news}
    </div>
  )
}

/** Only of what the person may answer: anything else would teach them to ignore it. */
function tell(answerable: readonly Approval[]): void {
  const [first] = answerable
  if (first === undefined) return
  const { sound, notify } = preferences()
  if (sound) chime()
  if (!notify || !('Notification' in window) || Notification.permission !== 'granted') return
  // No parameters: a notification may be read over somebody's shoulder, or be kept by the system.
  const notification = new Notification(newsText(answerable), { tag: 'bailiwick-approvals' })
  notification.addEventListener('click', () => {
    window.focus()
    navigate(answerable.length === 1 ? `/approvals/${first.id}` : '/approvals')
    notification.close()
  })
}

function newsText(fresh: readonly Approval[]): string {
  const [only] = fresh
  if (only === undefined || fresh.length > 1) return `${fresh.length} new approvals wait for a person`
  return `New approval waits: ${visibleText(only.action)} by ${visibleText(only.agent)}`
}
