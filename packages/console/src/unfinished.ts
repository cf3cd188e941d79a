const key = 'bailiwick:unfinished'

/** An answer that somebody was about to give when their session ended. */
export interface UnfinishedAnswer {
  /** One, or those that were to be answered together. */
  readonly approvals: readonly string[]
  readonly person: string
  readonly choice: string
  readonly comment: string
}

let isLeaving = false

/** Keeps an answer that was not given, in this tab only, until its author is back, or somebody else is there. */
export function rememberUnfinished(answer: UnfinishedAnswer): void {
  if (!isLeaving) window.sessionStorage.setItem(key, JSON.stringify(answer))
}

/** Whoever signs out leaves nothing behind. */
export function leaveNothingUnfinished(): void {
  isLeaving = true
  window.sessionStorage.removeItem(key)
}

/** The answer that was not given; null where there is none. */
export function unfinishedAnswer(): UnfinishedAnswer | null {
  try {
    const kept: unknown = JSON.parse(window.sessionStorage.getItem(key) ?? 'null')
    return isUnfinished(kept) ? kept : null
  } catch {
    return null
  }
}

/** Somebody is there who answers: what was kept is theirs, or is thrown away. */
export function forgetUnfinished(): void {
  isLeaving = false
  window.sessionStorage.removeItem(key)
}

/** Somebody is signed in: what anybody else left is thrown away. */
export function forgetUnfinishedOfOthers(person: string): void {
  const left = unfinishedAnswer()
  if (left !== null && left.person !== person) forgetUnfinished()
}

function isUnfinished(kept: unknown): kept is UnfinishedAnswer {
  if (typeof kept !== 'object' || kept === null) return false
  const members = new Map<string, unknown>(Object.entries(kept))
  const approvals = members.get('approvals')
  return (
    Array.isArray(approvals) &&
    approvals.length > 0 &&
    approvals.every((id) => typeof id === 'string') &&
    ['person', 'choice', 'comment'].every((name) => typeof members.get(name) === 'string')
  )
}
