import type { Approval, VoteChoice } from '../api.ts'
import { useNow } from '../clock.ts'
import { isVoid } from '../consent.ts'
import { ShortTime } from './short-time.tsx'
import { channelText, shortTime, visibleText } from '../wording.ts'
import { GlassBadge } from './badges.tsx'
import { Icon } from './icons.tsx'

const verbs: Readonly<Record<VoteChoice, string>> = {
  approve: 'approved',
  acknowledge: 'looked at it',
  reject: 'rejected',
}

/** Who voted what, and what they wrote. Under terms that ask for signed votes there are no others. */
export function Votes({ approval }: { readonly approval: Approval }) {
  const { votes, terms } = approval
  const isOpen = approval.status === 'pending' && !isVoid(approval)
  const now = useNow()
  if (votes.length === 0) return <p className="quiet">{isOpen ? 'Nobody has voted yet.' : 'Nobody voted.'}</p>
  return (
    <ol className="votes">
      {votes.map((vote) => (
        <li key={vote.person} className={`vote vote-${vote.vote}`}>
          <Icon name={vote.vote === 'reject' ? 'cross' : 'check'} />
          <div>
            <p>
              <strong className="break">{visibleText(vote.person)}</strong> {verbs[vote.vote]}
              {vote.for !== null && (
                <>
                  {' '}
                  in the stead of <span className="break">{visibleText(vote.for)}</span>
                </>
              )}{' '}
              <ShortTime at={vote.at} now={now} className="quiet" />
              {vote.channel !== null && <span className="quiet">, {channelText(vote.channel)}</span>}
              {terms.signed === true && <span className="quiet">, signed with a passkey</span>}
            </p>
            {vote.standing !== null && (
              <p className="small">
                and up to {vote.standing.uses} more like it, until {shortTime(vote.standing.until, now)}
              </p>
            )}
            {vote.breakGlass === true && <GlassBadge />}
            {vote.comment !== null && <p className="vote-comment">{visibleText(vote.comment)}</p>}
          </div>
        </li>
      ))}
    </ol>
  )
}
