import type { Approval, ApprovalStatus, Vote } from '../model/approval.ts'
import type { ApprovalTerms } from '../model/decision.ts'
import type { Instant, PersonId, Sha256 } from '../model/ids.ts'
import type { DecisionRecord, LogRecord, VoteRecord } from '../model/record.ts'
import { approvalDigest } from './digest.ts'
import { openedApproval } from './opened.ts'
import { principalsIn } from './principals.ts'
import { RecordedPeople } from './recorded-people.ts'
import { approvalStatus, termsAt } from './state.ts'
import { countsFor, isExcluded, mayVote, type Voter } from './voter.ts'

/** What of the log is there to judge by. */
export interface WhatTheLogHas {
  /** Whether its first records are among those that are taken. */
  readonly isWhole: boolean
  /** Whether another log, with which this one shares its people, may speak of a person, too: then roles do not follow from this one. */
  readonly isSpokenOfElsewhere: (person: string) => boolean
  /** Whether another such log may say that somebody stands behind an agent no longer. */
  readonly endsOwnersElsewhere: boolean
}

/** An approval while it can still be voted on. */
interface Open {
  readonly approval: Approval
  readonly digest: Sha256
  /** On whose behalf the call was made; empty where that has been erased. */
  readonly principals: readonly string[]
}

/**
 * Judges the votes of a log again from nothing but its records, one after the other: whether each is on what was opened
 * and still waited, by somebody who was entitled then and had not been heard before, and whether the status that it
 * says is what the votes come to. So no approval passes for `approved` without its quorum of different people.
 *
 * Only records of kind `access`, `delegation`, `vote`, `expiry`, `cancellation`, and decisions that opened or used up an
 * approval count; all others may be left out. Where the first records are missing, nobody's entitlement follows from what
 * is there, unless a record that is there speaks of the person; quorum, and that people are different, are judged anyway.
 */
export class RecordedVotes {
  readonly #has: WhatTheLogHas
  readonly #people = new RecordedPeople()
  readonly #approvals = new Map<string, Open | ApprovalStatus>()

  constructor(has: WhatTheLogHas) {
    this.#has = has
  }

  /**
   * What is wrong with the next record, as in `is a vote on …`; undefined where nothing is.
   *
   * @param payload of a decision that opened an approval; absent where it was erased
   */
  take(record: LogRecord, payload?: string): string | undefined {
    try {
      return this.#taken(record, payload)
    } catch {
      // Terms of another shape than any version has written.
      return 'says of an approval what cannot be judged'
    }
  }

  #taken(record: LogRecord, payload: string | undefined): string | undefined {
    switch (record.kind) {
      case 'access':
        this.#people.access(record)
        return undefined
      case 'delegation':
        this.#people.delegation(record)
        return undefined
      case 'expiry':
        return this.#close(record.approval, 'expired')
      case 'cancellation':
        return this.#close(record.approval, 'cancelled')
      case 'decision':
        return this.#decision(record, payload)
      case 'vote':
        return this.#vote(record)
      default:
        return undefined
    }
  }

  #close(approval: string, status: ApprovalStatus): undefined {
    this.#approvals.set(approval, status)
  }

  #decision(record: DecisionRecord, payload: string | undefined): string | undefined {
    const problem = record.claims?.consumed === true ? this.#used(record, record.claims.id) : undefined
    const approval = openedApproval(record)
    if (approval !== undefined) {
      const principals = payload === undefined ? [] : principalsIn(payload)
      this.#approvals.set(approval.id, { approval, digest: approvalDigest(record), principals })
    }
    return problem
  }

  #used({ at }: DecisionRecord, id: string): string | undefined {
    const known = this.#approvals.get(id)
    this.#approvals.set(id, 'consumed')
    if (known === undefined) return this.#has.isWhole ? `uses up ${id}, which nothing opened` : undefined
    const status = typeof known === 'string' ? known : approvalStatus(known.approval, instantOf(at))
    return status === 'approved' ? undefined : `uses up ${id}, which was ${status} by its votes`
  }

  #vote(vote: VoteRecord): string | undefined {
    const { approval: id } = vote
    const known = this.#approvals.get(id)
    if (known === undefined) return this.#has.isWhole ? `is a vote on ${id}, which nothing opened` : undefined
    if (typeof known === 'string') return `is a vote on ${id}, which was ${known} then`
    const { approval } = known
    const at = instantOf(vote.at)
    const before = approvalStatus(approval, at)
    if (before !== 'pending') return `is a vote on ${id}, which was ${before} then`
    const problem = this.#voteProblem(vote, known)
    if (problem !== undefined) return problem
    const next = { ...approval, votes: [...approval.votes, castVote(vote, at)] }
    const status = approvalStatus(next, at)
    this.#approvals.set(id, status === 'rejected' ? status : { ...known, approval: next })
    if (vote.status === status) return undefined
    return `is a vote that says ${id} is ${vote.status} by it, which by its votes is ${status}`
  }

  #voteProblem(vote: VoteRecord, { approval, digest, principals }: Open): string | undefined {
    const { approval: id, person, for: principal = person, channel } = vote
    if (vote.digest !== undefined && vote.digest !== digest) return `is a vote on something else than ${id}`
    const heard = new Set<string>(approval.votes.flatMap((each) => [each.person, each.for ?? each.person]))
    const again = [person, principal].find((each) => heard.has(each))
    if (again !== undefined) return `is a second vote of ${again} on ${id}`
    const { channels } = approval.terms
    if (channels !== undefined && (channel === undefined || !channels.includes(channel)))
      return `is a vote over ${channel ?? 'no channel'}, which the policy does not take on ${id}`
    const behind = [person, principal].find(
      (each) =>
        principals.includes(each) ||
        (!this.#has.endsOwnersElsewhere && this.#people.standsBehind(each, approval.agent)),
    )
    if (behind !== undefined) return `is a vote on ${id} of ${behind}, who stands behind the call`
    if (principal !== person && this.#has.isWhole && !this.#people.mayStandIn(person, principal, vote.at))
      return `is a vote of ${person} in the stead of ${principal}, who had not delegated it`
    return this.#entitlementProblem(vote, approval)
  }

  #entitlementProblem(vote: VoteRecord, approval: Approval): string | undefined {
    const { approval: id, person, for: principal = person, counts = [] } = vote
    const terms = vote.breakGlass === true ? glassTerms(approval) : termsAt(approval, instantOf(vote.at))
    if (terms === undefined) return `is a vote that breaks the glass for ${id}, for which nobody may`
    const [voter, entitled] = [this.#person(person), this.#person(principal)]
    const nobody = voter === 'nobody' ? person : entitled === 'nobody' ? principal : undefined
    if (nobody !== undefined) return `is a vote on ${id} of ${nobody}, who was nobody here then`
    if (isVoter(voter) && isExcluded(terms, voter)) return `is a vote on ${id} of ${person}, who is excluded`
    if (!isVoter(entitled)) return undefined
    if (!mayVote(terms, entitled)) return `is a vote on ${id} of ${principal}, who was not entitled`
    const may = countsFor(terms, entitled) ?? []
    const beyond = vote.breakGlass === true ? undefined : counts.find((entry) => !may.includes(entry))
    return beyond && `is a vote on ${id} that counts for ${beyond}, for which ${principal} did not stand`
  }

  #person(id: PersonId): Voter | 'nobody' | 'unknown' {
    if (this.#has.isSpokenOfElsewhere(id)) return 'unknown'
    const known = this.#people.person(id)
    if (known === 'removed') return 'nobody'
    return known ?? (this.#has.isWhole ? 'nobody' : 'unknown')
  }
}

function isVoter(known: Voter | 'nobody' | 'unknown'): known is Voter {
  return typeof known !== 'string'
}

function glassTerms({ terms }: Approval): ApprovalTerms | undefined {
  return terms.breakGlass && { ...terms, approvers: terms.breakGlass.approvers }
}

function castVote(
  { person, vote, for: principal, counts, breakGlass, channel }: VoteRecord,
  at: Instant,
): Vote {
  return { person, vote, at, for: principal, counts, breakGlass, channel }
}

function instantOf(at: string): Instant {
  return Date.parse(at) as Instant
}
