import type { Approval } from '../api.ts'
import { useNow } from '../clock.ts'
import { yesOf } from '../consent.ts'
import { Link } from '../router.tsx'
import { approversText, channelText, durationText, hoursText, humanName, visibleText } from '../wording.ts'
import { Entry } from './document.tsx'
import { MinuteTime } from './short-time.tsx'
import { Policy } from './why.tsx'

/** Under which terms people are asked: by whom, who may answer, until when, and who is asked later. */
export function Terms({ approval }: { readonly approval: Approval }) {
  const { terms } = approval
  return (
    <dl className="entries">
      <Entry name="Asked for by">
        {terms.routes.map((route) => (
          <span key={route} className="route" title={visibleText(route)}>
            {humanName(route)}
          </span>
        ))}
      </Entry>
      <Entry name="What is asked">
        {yesOf(approval) === 'approve' ? 'That people agree' : 'That people have looked at it'}
      </Entry>
      <Entry name="Who may answer">{approversText(terms.approvers)}</Entry>
      <AskedLater approval={approval} />
      <Entry name="Answers needed">{terms.quorum}</Entry>
      {terms.signed === true && <Entry name="How one answers">With a vote signed by a passkey</Entry>}
      {terms.channels !== null && (
        <Entry name="Where one answers">{terms.channels.map(channelText).join(' or ')}</Entry>
      )}
      <Entry name="Time to answer">
        {durationText(terms.deadlineMs)}
        {terms.hours !== null && ' within the hours'}
      </Entry>
      {terms.hours !== null && (
        <Entry name="Hours">
          {hoursText(terms.hours)}. Outside of them the time to answer stands still; people may answer at any
          time.
        </Entry>
      )}
      <Entry name="Deadline">
        <MinuteTime at={approval.deadline} />
      </Entry>
      <Entry name="Policy">
        <Policy policy={approval.policy} />
      </Entry>
      <Entry name="Decision">
        <Link to={`/decisions/${approval.decision}`}>{approval.decision}</Link>
      </Entry>
      {approval.digest !== null && (
        <Entry name="What a vote is bound to">
          <code className="break small">{approval.digest}</code>
        </Entry>
      )}
    </dl>
  )
}

/** Whom the policy asks as well where nobody has answered for so long, and from when on. */
function AskedLater({ approval: { terms, escalatesAt, deadline } }: { readonly approval: Approval }) {
  const now = useNow()
  const stages = (terms.escalateTo ?? []).flatMap((stage, nth) => {
    const at = escalatesAt?.[nth]
    // Whoever would be asked after the deadline is not asked.
    return at === undefined || Date.parse(at) >= Date.parse(deadline) ? [] : [{ ...stage, at }]
  })
  if (stages.length === 0) return null
  const within = terms.hours === null ? '' : ' within the hours'
  return (
    <Entry name="Who is asked later, too">
      <ol className="asked-later">
        {stages.map(({ afterMs, approvers, at }, nth) => (
          // Stages have no name of their own, and never change places.
          <li key={nth}>
            {approversText([approvers])},{' '}
            <span className="quiet">
              {Date.parse(at) <= now ? 'since' : 'from'} <MinuteTime at={at} />
              {Date.parse(at) <= now ? '' : ' on'}, after {durationText(afterMs)}
              {within}
            </span>
          </li>
        ))}
      </ol>
    </Entry>
  )
}
