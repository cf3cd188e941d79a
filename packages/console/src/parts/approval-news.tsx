import { useEffect, useRef, useState } from 'react'
import type { Approval } from '../api.ts'
import { usePendingApprovals } from '../queries.ts'
import { visibleText } from '../wording.ts'

/** Tells screen readers of every approval that starts to wait while the page is open. */
export function ApprovalNews() {
  const { approvals } = usePendingApprovals()
  const known = useRef<ReadonlySet<string> | null>(null)
  const [news, setNews] = useState('')

  useEffect(() => {
    if (approvals === undefined) return
    const before = known.current
    known.current = new Set(approvals.map(({ id }) => id))
    const fresh = before === null ? [] : approvals.filter(({ id }) => !before.has(id))
    if (fresh.length > 0) setNews(newsText(fresh))
  }, [approvals])

  return (
    <div className="unseen" role="status" aria-live="polite">
      {news}
    </div>
  )
}

function newsText(fresh: readonly Approval[]): string {
  const [only] = fresh
  if (only === undefined || fresh.length > 1) return `${fresh.length} new approvals wait for a person`
  return `New approval waits: ${visibleText(only.action)} by ${visibleText(only.agent)}`
}
