import type { Approval } from '../model/approval.ts'
import { indexOfId, type Instant, type PersonId } from '../model/ids.ts'
import type {
  AccessRecord,
  DecisionRecord,
  DelegationRecord,
  LogRecord,
  ReadRecord,
  RevocationRecord,
  SuspensionRecord,
  VoteRecord,
} from '../model/record.ts'
import { allowsDeed, isPerson, type Deed } from './deeds.ts'
import { openedApproval } from './opened.ts'
import { RecordedPeople } from './recorded-people.ts'
import type { WhatTheLogHas } from './recorded-votes.ts'
import { termsAt } from './state.ts'
import { mayVote, type Voter } from './voter.ts'

/** Whom a call asked, and who has voted on it or had somebody vote in their stead. */
interface Asking {
  readonly approval: Approval | undefined
  readonly heard: Set<string>
}

/**
 * Judges what people did beside voting again from nothing but the records, one after the other: whether whoever a record
 * names had, by the records before it, a role that allows it, or was asked about the call where that is enough. So no role
 * that was written into a table and into no record does anything unnoticed.
 *
 * What whoever runs commands beside the service has done is fine. Needed are the deeds, what says who people are, and of
 * calls that are revealed and grants that are revoked the decision and the votes; all else may be left out. Where the first
 * records are missing, nothing follows of people, calls and suspensions of which no record that is there speaks.
 */
export class RecordedDeeds {
  readonly #has: Omit<WhatTheLogHas, 'endsOwnersElsewhere'>
  readonly #people = new RecordedPeople()
  /** Who suspended an agent that is suspended; undefined for one that is not. */
  readonly #suspendedBy = new Map<string, string | undefined>()
  /** By the index of the decision. */
  readonly #asking = new Map<number, Asking>()

  constructor(has: Omit<WhatTheLogHas, 'endsOwnersElsewhere'>) {
    this.#has = has
  }

  /** What is wrong with the next record, as in `is an erasure by …`; undefined where nothing is. */
  take(record: LogRecord): string | undefined {
    switch (record.kind) {
      case 'access':
        return this.#access(record)
      case 'decision':
        return this.#decision(record)
      case 'vote':
        return this.#vote(record)
      case 'delegation':
        return this.#delegation(record)
      case 'suspension':
        return this.#suspension(record)
      case 'cancellation':
      case 'erasure':
      case 'hold':
        return this.#unlessMay(record.by, record.kind)
      case 'read':
        return this.#reveal(record)
      case 'revocation':
        return this.#revocation(record)
      default:
        return undefined
    }
  }

  // Of a whole log, what opened no approval need not be remembered.
  #decision(record: DecisionRecord): undefined {
    const approval = openedApproval(record)
    if (approval === undefined && this.#has.isWhole) return
    this.#asking.set(record.index, { approval, heard: new Set() })
  }

  #vote({ approval, person, for: principal = person }: VoteRecord): undefined {
    const heard = this.#asking.get(indexOfId('apr', approval) ?? -1)?.heard
    heard?.add(person).add(principal)
  }

  // By the roles of before: nobody makes themself what it takes to do so.
  #access(record: AccessRecord): string | undefined {
    const problem = this.#unlessMay(record.by, 'access')
    this.#people.access(record)
    return problem
  }

  #delegation({ by, event, from, to }: DelegationRecord): string | undefined {
    const isOwn = by === from || (event === 'revoked' && by === to)
    return isOwn ? undefined : this.#unlessMay(by, 'delegation')
  }

  // One that stands is recorded again, with who suspended the agent, before its record leaves the database.
  #suspension({ agent, by, state }: SuspensionRecord): string | undefined {
    const isKnown = this.#has.isWhole || this.#suspendedBy.has(agent)
    const isAgain = state === 'suspended' && (!isKnown || this.#suspendedBy.get(agent) === by)
    this.#suspendedBy.set(agent, state === 'suspended' ? by : undefined)
    return isAgain ? undefined : this.#unlessMay(by, 'suspension')
  }

  #reveal({ what, person, records: [index], at }: ReadRecord): string | undefined {
    if (what !== 'reveal') return undefined
    return this.#unlessMay(person, 'reveal', (voter) => this.#isAsked(index, voter, at))
  }

  #revocation({ by, grant, at }: RevocationRecord): string | undefined {
    const index = indexOfId('grt', grant)
    const isHeard = ({ id }: Voter) => this.#asking.get(index ?? -1)?.heard.has(id) === true
    return this.#unlessMay(by, 'revocation', (voter) => isHeard(voter) || this.#isAsked(index, voter, at))
  }

  #isAsked(index: number | undefined, voter: Voter, at: string): boolean {
    const asking = this.#asking.get(index ?? -1)
    if (asking === undefined) return !this.#has.isWhole
    const { approval } = asking
    return approval !== undefined && mayVote(termsAt(approval, Date.parse(at) as Instant), voter)
  }

  #unlessMay(by: string | undefined, deed: Deed, otherwise?: (voter: Voter) => boolean): string | undefined {
    if (!isPerson(by) || this.#has.isSpokenOfElsewhere(by)) return undefined
    const person = this.#people.person(by as PersonId)
    if (person === undefined && !this.#has.isWhole) return undefined
    if (person === undefined || person === 'removed')
      return `is ${names[deed]} by ${by}, who was nobody here then`
    if (allowsDeed(person, deed) || otherwise?.(person) === true) return undefined
    return `is ${names[deed]} by ${by}, whose roles did not allow it then`
  }
}

const names: Readonly<Record<Deed, string>> = {
  access: 'a change of access',
  cancellation: 'a cancellation',
  delegation: 'a delegation of the votes of somebody else',
  erasure: 'an erasure',
  hold: 'a change of a hold',
  reveal: 'a reveal',
  revocation: 'a revocation of a standing grant',
  suspension: 'a suspension or resumption',
}
