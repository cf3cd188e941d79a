import { randomUUID } from 'node:crypto'
import {
  bindAgents,
  Fault,
  parsePolicy,
  parseRecord,
  type ApprovalStatus,
  type CompiledPolicy,
  type DecisionRecord,
  type DecisionRequest,
  type GovernPorts,
  type Instant,
  type LogRecord,
  type PersonId,
  type Voter,
} from '@bailiwick/core'
import pg from 'pg'
import { Access } from '../../src/access.ts'
import { Ledger, type LedgerOptions } from '../../src/ledger.ts'
import { inSchema, migrate } from '../../src/migrate.ts'
import type { VoteRequest } from '../../src/operations/vote.ts'
import type { PolicySet } from '../../src/policies.ts'
import { makeTestDir, removeTestDir } from './data-dir.ts'
import type { TestDatabase, TestPostgres } from './postgres.ts'

export const agent = 'customer-support-agent-v2'
export const otherAgent = 'warehouse-agent'
export const minute = 60_000

/** The seed's policy with the facts that its users' calls need; rules and terms can be added. */
export function supportPolicy(extra = '', id = agent): string {
  return `
agent_id: ${id}
domain: order_management
allowed_actions: [issue_refund, modify_shipping_address, apply_discount]
forbidden_actions: [delete_account, access_payment_details, change_pricing_tiers]
escalation_rules:
  - { condition: 'refund_amount > 500', action: human_approval_required }
  - { condition: customer_flagged_as_vip, action: human_review_before_action }
audit_frequency: every_action_logged
facts:
  refund_amount: { type: number, from: params.amount, for: issue_refund }
  customer_flagged_as_vip: { type: bool, from: params.is_vip, default: false }
${extra}`
}

/** Terms for the escalation of large refunds. */
export function terms(text: string): string {
  return supportPolicy(`approvals:\n  human_approval_required: ${text}\n`)
}

/** Policies from their texts, as files would give them. */
export function policiesOf(...texts: readonly string[]): PolicySet {
  const compiled = texts.map((text): CompiledPolicy => {
    const parsed = parsePolicy(text)
    if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems))
    return parsed.policy
  })
  return policySet(compiled)
}

export function policySet(all: readonly CompiledPolicy[]): PolicySet {
  const bound = bindAgents(all)
  return { all, warnings: [], for: (id) => bound.for(id) }
}

/** A person with roles; `ann@example.com`, an approver, for `ann`. */
export function voter(name: string, roles: readonly string[] = ['approver']): Voter {
  return { id: `${name}@example.com` as PersonId, roles }
}

/** A clock that stands still until it is moved, and the sleeps that end when it is. */
export class ManualClock {
  #at: number
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>()

  constructor(at = Date.parse('2026-03-01T09:00:00.000Z')) {
    this.#at = at
  }

  readonly now = (): Instant => this.#at as Instant

  advance(ms: number): void {
    this.#at += ms
    for (const sleeper of this.#sleepers) if (sleeper.until <= this.#at) sleeper.wake()
  }

  /** How many sleeps have not ended. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  readonly ports: GovernPorts = {
    now: this.now,
    newCallId: () => randomUUID(),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = {
          until: this.#at + ms,
          wake: () => {
            this.#sleepers.delete(sleeper)
            resolve()
          },
        }
        this.#sleepers.add(sleeper)
        signal?.addEventListener('abort', sleeper.wake, { once: true })
        if (signal?.aborted === true || ms <= 0) sleeper.wake()
      }),
  }
}

/** A migrated database and a data directory of its own, on which ledgers are opened. */
export interface LedgerSite {
  readonly database: TestDatabase
  readonly dataDir: string
  readonly clock: ManualClock
  /** For looking at the tables, and for tampering with them. */
  readonly pool: pg.Pool
  /** Opens a ledger, as another process would: with its own sequencer. Without a name, a new one. */
  open(policies?: PolicySet, ledger?: string, more?: Partial<LedgerOptions>): Promise<Ledger>
  /** Closes what was opened; for `afterEach`. */
  closeLedgers(): Promise<void>
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>
  remove(): Promise<void>
}

export async function ledgerSite(postgres: Pick<TestPostgres, 'createDatabase'>): Promise<LedgerSite> {
  const database = await postgres.createDatabase()
  await migrate(database.config)
  const dataDir = await makeTestDir()
  const clock = new ManualClock()
  const pool = new pg.Pool({ ...inSchema(database.config), max: 4 })
  pool.on('error', () => undefined) // Tests cut connections.
  const opened = new Set<Ledger>()
  let count = 0
  // A log that a test broke publishes no checkpoint, and closing says so.
  const closeLedgers = async () => {
    const open = [...opened].filter(({ pool: { ended } }) => !ended)
    opened.clear()
    await Promise.allSettled(open.map((ledger) => ledger.close()))
  }
  return {
    database,
    dataDir,
    clock,
    pool,
    open: async (policies = policiesOf(supportPolicy()), ledger = `l${(count += 1)}`, more = {}) => {
      const consoleUrl = 'http://console.test/'
      const one = await Ledger.open({
        connection: database.config,
        policies,
        dataDir,
        ledger,
        consoleUrl,
        now: clock.now,
        ...more,
      })
      opened.add(one)
      return one
    },
    closeLedgers,
    query: async (text, values = []) => (await pool.query(text, [...values])).rows,
    remove: async () => {
      await closeLedgers()
      await pool.end()
      await database.drop()
      await removeTestDir(dataDir)
    },
  }
}

/** What the rejection of `promise` was; a promise that is kept fails the test. */
export async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error: unknown = await promise.then(
    (answer) => new Error(`no fault but ${JSON.stringify(answer)}`),
    (rejection: unknown) => rejection,
  )
  if (error instanceof Fault) return error
  throw error
}

/** The records of a ledger as they are stored, by index. */
export async function records(site: LedgerSite, ledger: Ledger): Promise<LogRecord[]> {
  const rows = await site.query<{ record: string }>(
    'select record from log_entry where ledger = $1 order by index',
    [ledger.name],
  )
  return rows.map(({ record }) => parseRecord(record))
}

/** The decisions of a ledger as they are stored, by index. */
export async function decisionRecords(site: LedgerSite, ledger: Ledger): Promise<DecisionRecord[]> {
  return (await records(site, ledger)).filter((record) => record.kind === 'decision')
}

/** Asks for a refund, the example call. 600 needs a person, 100 does not. */
export function refund(amount: number, more: Partial<DecisionRequest> = {}): DecisionRequest {
  return { action: 'issue_refund', params: { amount }, ...more }
}

/** A vote as tests write it: with the digest that the approval shows, unless the test says another. */
export type Ballot = Omit<VoteRequest, 'digest'> & { readonly digest?: string }

/** The ledger knows the person, with these roles, from here on. */
export async function knows(ledger: Ledger, { id, roles }: Voter): Promise<void> {
  const access = new Access(ledger)
  const before = (await access.people()).find((person) => person.id === id)
  const same = before?.roles.length === roles.length && before.roles.every((role) => roles.includes(role))
  if (!same) await access.setPerson(id, roles)
}

/**
 * Votes as a person does who has signed in with these roles and looked at the approval; one that cannot be looked at is
 * voted on blindly.
 */
export async function cast(ledger: Ledger, who: Voter, id: string, ballot: Ballot): Promise<ApprovalStatus> {
  await knows(ledger, who).catch(() => undefined)
  const shown = await ledger.approval(id, {}).catch(() => undefined)
  return await ledger.vote(who, id, { digest: shown?.digest ?? '0'.repeat(64), ...ballot })
}

/** Has a refund of 600 escalated, and returns its approval. */
export async function escalated(ledger: Ledger, more: Partial<DecisionRequest> = {}): Promise<string> {
  const { approval } = await ledger.decide(agent, refund(600, more))
  if (approval === undefined) throw new Error('it was not escalated')
  return approval.id
}
