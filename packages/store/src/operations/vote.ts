import {
  approvalDigest,
  approvalStatus,
  commentLengthMax,
  countsFor,
  Fault,
  indexOfId,
  instantText,
  jsonProblem,
  canonicalJson,
  signatureOf,
  termsAt,
  type ApprovalStatus,
  type Assertion,
  type VoteChannel,
  type VoteChoice,
  saysSomething,
} from '@bailiwick/core'
import { noNeeds, type Needs } from '../log/needs.ts'
import { personId } from '../identity/secrets.ts'
import type { Operation } from '../log/operation.ts'
import type { VotingNeed } from '../log/voting.ts'
import { fromSession, type Asking } from './from-session.ts'
import { entitledVoter } from './entitlement.ts'
import { grantMade, judgedStanding, refuseGrantOfGone } from './standing.ts'
import {
  erasedApproval,
  brokenGlass,
  otherDigest,
  refuseClosed,
  refuseOtherChannel,
  refuseOtherChoice,
  refuseSecondVote,
  unknownApproval,
} from './vote-refusals.ts'
import { judgedSignature } from './vote-signature.ts'

export { unknownApproval } from './vote-refusals.ts'

/** What a person answers. */
export interface VoteRequest {
  readonly vote: VoteChoice
  readonly comment?: string | undefined
  /** What the vote is for, as the approval's view shows it: `approvalDigest`. */
  readonly digest: string
  /** The person in whose stead it is cast, who has delegated it. */
  readonly for?: string | undefined
  /** By the person's passkey, over the vote's statement, where the approval takes signed votes. */
  readonly signature?: Assertion | undefined
  /** Cast in an emergency, by who may break the glass; the comment has to say why. */
  readonly breakGlass?: boolean | undefined
  /** What the person grants beside the one call, within the approval's terms: so many more like it, before `until`, RFC 3339. */
  readonly standing?: { readonly uses: number; readonly until: string } | undefined
  /** Over which channel it came, as whoever took it knows; `api` unless given. */
  readonly channel?: VoteChannel | undefined
}

const choices: ReadonlySet<string> = new Set<VoteChoice>(['approve', 'reject', 'acknowledge'])

/**
 * The operation that casts one person's vote. The state of the approval, the person's right to vote, by the roles that the
 * person has then, and the deadline are judged in the transaction that records the vote.
 *
 * @param voter who votes, with no more roles than signing in gave; what the ledger knows of the person then bounds them.
 *   Where it comes from a session, that is judged there as well
 * @throws Fault `not_found`, `conflict`, `not_permitted`, `already_voted`, `approval_closed`, `erased`,
 *   `signature_required`, `signature_invalid`, `bad_input`, or `not_authenticated` for a session that has ended
 */
export function voteOperation(id: string, voter: Asking, request: VoteRequest): Operation<ApprovalStatus> {
  const index = indexOfId('apr', id)
  const { comment = '', channel = 'api' } = request
  refuseMalformed(request.vote, comment)
  refuseBareEmergency(request)
  // What is no address is refused here: PostgreSQL is asked for it, with what others of the batch ask.
  const principal = request.for === undefined ? undefined : personId(request.for)
  const voting = { person: voter.id, principal }
  const operation: Operation<ApprovalStatus> = {
    needs: index === undefined ? noNeeds : needsFor(index, voting, request),
    apply: (fold, place) => {
      const approval = index === undefined ? undefined : fold.approval(index)
      const opened = index === undefined ? undefined : fold.decision(index)
      if (approval === undefined || index === undefined || opened === undefined) throw unknownApproval(id)
      const digest = approvalDigest(opened.record)
      if (request.digest !== digest) throw otherDigest(approval.id)
      // Nobody can see any more what the vote would be on.
      if (opened.payload === null) throw erasedApproval(approval.id)
      const at = fold.latest(place.at)
      refuseSecondVote(approval, voter.id, principal)
      refuseClosed(approval, approvalStatus(approval, at))
      // Whoever is asked later is asked by both clocks: one that is ahead brings nobody in early.
      const terms =
        request.breakGlass === true ? brokenGlass(approval) : termsAt(approval, fold.earliest(place.at))
      const entitled = entitledVoter(
        { approval, terms, voter, principal, body: opened.payload.body, at: place.at },
        fold,
      )
      refuseOtherChoice(approval, request.vote)
      refuseOtherChannel(approval, channel)
      const judged = judgedStanding(request, approval, fold, place.at)
      const said = {
        person: voter.id,
        vote: request.vote,
        ...(entitled.id === voter.id ? {} : { for: entitled.id }),
        ...(request.breakGlass === true ? { breakGlass: true as const } : {}),
        ...(judged === undefined ? {} : { standing: judged.recorded }),
      }
      const signed = judgedSignature(fold, approval, { digest, ...said }, request.signature)
      const counts = request.breakGlass === true ? undefined : countsFor(terms, entitled)
      const vote = { ...said, counts, channel }
      const cast = { ...vote, at: place.at, index: place.index, standing: judged?.standing }
      const next = { ...approval, votes: [...approval.votes, cast] }
      const status = approvalStatus(next, at)
      const grant =
        judged === undefined || status !== 'approved' ? undefined : grantMade(next, opened, fold, at)
      if (grant !== undefined) refuseGrantOfGone(next, grant.made.by, fold)
      return {
        body: {
          kind: 'vote',
          approval: approval.id,
          ...vote,
          status,
          digest,
          signature: signed?.signature,
          grant: grant && { uses: grant.made.uses, until: instantText(grant.made.until) },
        },
        payload: canonicalJson({ comment }),
        seal: { like: opened.payload.stored },
        answer: status,
        staged: (record) => {
          if (record.kind !== 'vote') return
          fold.setApproval(index, next)
          fold.addVote(index, record)
          if (grant !== undefined) fold.grants.make(grant, record.index)
          fold.restOn(approval.expiresAt)
          signed?.staged()
        },
      }
    },
  }
  return fromSession(operation, voter.session)
}

function needsFor(index: number, voting: VotingNeed, request: VoteRequest): Needs {
  const needs = { approvals: [index], voting, passkeys: passkeysIn(request) }
  return request.standing === undefined ? needs : { ...needs, grants: true }
}

function passkeysIn({ signature }: VoteRequest): readonly string[] {
  const named = signatureOf({ signature })
  return named === undefined ? [] : [named.credential]
}

// An emergency is one's own: it is nobody's stead to act in, and it has a reason.
function refuseBareEmergency({ breakGlass, comment = '', for: principal, vote }: VoteRequest): void {
  if (breakGlass !== true) return
  if (principal !== undefined || vote === 'reject') {
    throw new Fault('bad_input', 'breaking the glass is to agree, and for oneself alone', {
      fix: 'Leave `for` out; to say no, reject without `breakGlass`.',
    })
  }
  if (!saysSomething(comment)) {
    throw new Fault('bad_input', 'breaking the glass takes a reason', { fix: 'Say why in `comment`.' })
  }
}

function refuseMalformed(vote: string, comment: string): void {
  if (!choices.has(vote)) {
    throw new Fault('bad_input', '`vote` must be approve, reject or acknowledge', {
      fix: 'Correct the vote.',
    })
  }
  if (comment.length > commentLengthMax || jsonProblem(comment, 'comment', 1) !== undefined) {
    throw new Fault(
      'bad_input',
      `\`comment\` must be at most ${commentLengthMax} characters of Unicode text`,
      {
        fix: 'Shorten the comment.',
      },
    )
  }
}
