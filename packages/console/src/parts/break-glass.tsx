import { useState } from 'react'
import type { Approval } from '../api.ts'
import { glassCount, yesOf } from '../consent.ts'
import type { useVote } from '../voting-queries.ts'
import { visibleText } from '../wording.ts'
import { ReasonDialog } from './dialog.tsx'
import { Section } from './document.tsx'
import { Icon } from './icons.tsx'
import { CallInShort } from './in-short.tsx'
import { SignedVoteNote, useSigning } from './signed-vote-note.tsx'

/** The way past those who are asked, for an emergency: apart from the answer, and never without a reason. */
export function BreakGlass({
  approval,
  vote,
}: {
  readonly approval: Approval
  readonly vote: ReturnType<typeof useVote>
}) {
  const [isAsking, setAsking] = useState(false)
  const needed = approval.terms.breakGlass?.quorum ?? 0
  const done = glassCount(approval)
  return (
    <Section title="In an emergency" note={`${done} of ${needed} have broken the glass`}>
      <p className="small">
        Where those who are asked can’t be reached and the call can’t wait, {needed} people whom the policy
        names may let it through together. You are one of them.
      </p>
      <button
        type="button"
        className="button button-small button-danger glass-button"
        onClick={() => setAsking(true)}
      >
        <Icon name="warning" />
        Break the glass…
      </button>
      {isAsking && <GlassDialog approval={approval} vote={vote} onClose={() => setAsking(false)} />}
    </Section>
  )
}

function GlassDialog({
  approval,
  vote,
  onClose,
}: {
  readonly approval: Approval
  readonly vote: ReturnType<typeof useVote>
  readonly onClose: () => void
}) {
  const signing = useSigning(approval)
  const missing = (approval.terms.breakGlass?.quorum ?? 0) - glassCount(approval) - 1
  return (
    <ReasonDialog
      title="Break the glass?"
      label="Why it can’t wait, recorded with your name"
      button="Break the glass"
      tone="reject"
      isPending={vote.isPending}
      isImpossible={signing === 'impossible'}
      error={vote.error}
      onSubmit={(comment) =>
        vote.mutate({ choice: yesOf(approval), comment, inSteadOf: null, breakGlass: true, standing: null })
      }
      onClose={onClose}
    >
      <CallInShort approval={approval} />
      <ul className="dialog-points">
        <li>
          {missing <= 0
            ? `Yours is the last that is needed: ${visibleText(approval.agent)} may then run this call once.`
            : `It takes ${missing} more ${missing === 1 ? 'person' : 'people'} to do the same before the deadline, for a reason of their own.`}
        </li>
        <li>
          Everybody whom this service tells of critical alerts is told at once, whether or not others follow.
        </li>
        <li>The approval is marked for good, and your vote on it is used up. This can’t be undone.</li>
      </ul>
      <SignedVoteNote signing={signing} />
    </ReasonDialog>
  )
}
