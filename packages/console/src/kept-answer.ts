import { useEffect, useRef, useState } from 'react'
import type { Approval, Session, VoteChoice } from './api.ts'
import { useIsSignedOut } from './queries.ts'
import { forgetUnfinished, rememberUnfinished, unfinishedAnswer } from './unfinished.ts'
import type { UnfinishedAnswer } from './unfinished.ts'

type Person = Session['person']

/** What this person was about to answer to these calls when their session ended; null where nothing. */
export function useLeftAnswer(approvals: readonly Approval[], me: Person): UnfinishedAnswer | null {
  const [left] = useState(unfinishedAnswer)
  const [isTheirs] = useState(
    () => left?.person === me.id && idsOf(approvals) === left.approvals.toSorted().join(' '),
  )
  useEffect(forgetUnfinished, [])
  return isTheirs ? left : null
}

/** Keeps what is about to be answered where the session ends, and with it the page. */
export function useKeptAnswer(
  approvals: readonly Approval[],
  { id: person }: Person,
  answer: { readonly choice: VoteChoice | null; readonly comment: string },
): void {
  const isSignedOut = useIsSignedOut()
  const latest = useRef({ ...answer, approvals })
  useEffect(() => {
    latest.current = { ...answer, approvals }
  })
  useEffect(
    () => () => {
      const { choice, comment, approvals: asked } = latest.current
      if (choice === null || asked.length === 0 || !isSignedOut()) return
      rememberUnfinished({ approvals: asked.map(({ id }) => id), person, choice, comment })
    },
    [person, isSignedOut],
  )
}

function idsOf(approvals: readonly Approval[]): string {
  return approvals
    .map(({ id }) => id)
    .toSorted()
    .join(' ')
}
