import fc from 'fast-check'
import type { LookupNeed, LookupResult } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  cast,
  agent,
  decisionRecords,
  faultOf,
  ledgerSite,
  policiesOf,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

/** A bit of everything that a decision can depend on. */
const everything = `
agent_id: ${agent}
environments: [prod, test]
allowed_actions: [issue_refund, send_mail, read_page, wipe]
forbidden_actions: [delete_account]
roles: { mailers: [${agent}] }
windows:
  office: { zone: Europe/Berlin, days: [mon, tue, wed, thu, fri, sat, sun], from: "08:00", to: "18:00" }
facts:
  refund_amount: { type: number, from: params.amount, for: issue_refund }
  tier: { type: string, from: { http: "https://crm.internal/customers/{context.customer}", select: tier }, for: issue_refund }
actions:
  read_page: { labels: [untrusted] }
  send_mail: { window: office, roles: [mailers], when: "env == 'prod'", obligations: [{ redact: result.body }] }
rules:
  - { id: no-basic, on: issue_refund, condition: "tier == 'basic' && refund_amount > 50", effect: deny }
  - { id: watched, on: issue_refund, condition: "refund_amount > 20", effect: deny, mode: shadow }
escalation_rules:
  - { condition: "refund_amount > 500", action: human_approval_required }
budgets:
  - { id: daily, on: issue_refund, sum: refund_amount, per: context.customer, window: 24h, max: 1000, action: human_approval_required }
rates:
  - { id: calm, on: "*", max: 25, window: 1m, effect: deny }
flows:
  - { id: no-exfiltration, after: { label: untrusted }, on: send_mail, unless: "params.to.endsWith('@example.com')", effect: deny }
`
const shadowed = everything
  .replace(`agent_id: ${agent}`, 'agent_id: shadow-agent\nmode: shadow')
  .replace(`[${agent}]`, '[nobody]')

/** Knows the customers whose names begin with `b` or `a`, and none else. */
const customers = {
  gather: async (needs: readonly LookupNeed[]) => {
    await Promise.resolve()
    return new Map<string, LookupResult>(needs.map((need) => [need.fact, tierOf(need)]))
  },
}

function tierOf(need: LookupNeed): LookupResult {
  const name = need.kind === 'http' ? need.url.split('/').at(-1) : undefined
  if (name?.startsWith('b') === true) return { kind: 'value', value: 'basic' }
  return name?.startsWith('a') === true
    ? { kind: 'value', value: 'gold' }
    : { kind: 'failed', why: 'nobody of that name' }
}

const request = fc.record(
  {
    action: fc.constantFrom('issue_refund', 'send_mail', 'read_page', 'delete_account', 'wipe', 'unheard'),
    params: fc.oneof(
      fc.record({ amount: fc.oneof(fc.integer({ min: -5, max: 700 }), fc.double(), fc.string()) }),
      fc.record({ to: fc.constantFrom('ann@example.com', 'eve@example.org') }),
      fc.constant({}),
    ),
    context: fc.oneof(fc.record({ customer: fc.constantFrom('bob', 'ben', 'ann', 5) }), fc.constant({})),
    session: fc.constantFrom('s1', 's2'),
    supports: fc.constantFrom([], ['redact']),
    callId: fc.nat(300).map((at) => `c${at}`),
  },
  { requiredKeys: ['action', 'params'] },
)

describeOnOnePostgres('G7: replaying', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  beforeAll(async () => {
    site = await ledgerSite(postgres)
    ledger = await Ledger.open({
      connection: site.database.config,
      policies: policiesOf(everything, shadowed),
      dataDir: site.dataDir,
      ledger: 'replayed',
      consoleUrl: 'http://console.test',
      now: site.clock.now,
      env: 'prod',
      lookups: customers,
    })
  })
  afterEach(() => site.closeLedgers())
  afterAll(async () => {
    await ledger.close()
    await site.remove()
  })

  /** What a random run may miss. */
  async function oneOfEach(): Promise<void> {
    const refund = {
      action: 'issue_refund',
      context: { customer: 'bob' },
      supports: ['redact'],
      session: 's9',
    }
    site.clock.advance(48 * 60 * 60_000)
    await ledger.decide('nobody', { ...refund, params: { amount: 1 } })
    await ledger.decide('shadow-agent', { ...refund, params: { amount: 60 } })
    await ledger.decide(agent, { ...refund, params: { amount: Number.NaN } })
    await ledger.decide(agent, { ...refund, params: { amount: 1 }, approvalId: 'apr_0' })
    await ledger.decide(agent, { ...refund, params: { amount: 60 } })
    await ledger.decide(agent, { ...refund, params: { amount: 1 } })
    await ledger.decide(agent, { action: 'read_page', params: {}, session: 's9' })
    const large = { ...refund, params: { amount: 600 }, context: { customer: 'ada' } }
    const { approval } = await ledger.decide(agent, large)
    await cast(ledger, voter('ann'), approval?.id ?? '', { vote: 'approve' })
    const { effect } = await ledger.decide(agent, { ...large, approvalId: approval?.id })
    expect(effect).toBe('allow')
  }

  test('every decision of a random run gives the same decision again', async () => {
    const step = fc.record({
      request,
      agent: fc.constantFrom(agent, agent, 'shadow-agent', 'nobody'),
      wait: fc.nat(20_000),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 25, maxLength: 40 }),
        fc.boolean(),
        async (steps, approve) => {
          const settled = await Promise.allSettled(
            steps.map(({ request: asked, agent: who, wait }) => {
              site.clock.advance(wait)
              return ledger.decide(who, asked)
            }),
          )
          for (const [at, result] of settled.entries()) {
            if (result.status === 'rejected') continue
            const { id, approval } = result.value
            const asked = steps[at]
            if (asked === undefined) continue
            if (approval !== undefined) {
              if (approve)
                await cast(ledger, voter('ann'), approval.id, { vote: 'approve' }).catch(() => undefined)
              await ledger.decide(asked.agent, {
                ...asked.request,
                approvalId: approval.id,
              })
            } else if (result.value.effect === 'allow' && result.value.replayed !== true && at % 3 === 0) {
              await ledger.reportOutcome(asked.agent, id, { status: 'failed' })
            }
          }
        },
      ),
      { numRuns: 12 },
    )
    await oneOfEach()
    const recorded = await decisionRecords(site, ledger)
    expect(recorded.length).toBeGreaterThan(100)
    for (const { id, effect, reasons, rules } of recorded) {
      const { same, decision, differences } = await ledger.replay(id)
      expect({ id, same, differences }).toEqual({ id, same: true, differences: [] })
      expect(decision).toMatchObject({ effect, reasons, rules })
    }
    // All kinds of decisions were there to be replayed.
    const seen = new Set(recorded.flatMap(({ effect, code }) => [effect, code ?? '']))
    for (const kind of [
      'allow',
      'deny',
      'escalate',
      'denied_by_rule',
      'malformed_call',
      'no_policy',
      'approval_refused',
    ]) {
      expect(seen).toContain(kind)
    }
    expect(recorded.some(({ shadow }) => shadow !== undefined)).toBe(true)
    expect(recorded.some(({ consumes }) => consumes !== undefined)).toBe(true)
    expect(recorded.some(({ claims }) => claims?.consumed === true)).toBe(true)
    expect(recorded.some(({ labels }) => labels !== undefined)).toBe(true)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('a decision that was recorded otherwise says what differs', async () => {
    const { id, record } = await ledger.decide(agent, { action: 'delete_account', params: {} })
    expect(await ledger.replay(id)).toMatchObject({
      same: true,
      decision: { effect: 'deny', code: 'forbidden' },
    })
    await site.query(
      `update log_batch set records = replace(records, '"code":"forbidden"', '"code":"suspended"') where first = $1`,
      [record.index],
    )
    expect(await ledger.replay(id)).toMatchObject({ same: false, differences: ['code'] })
    await site.query(
      `update log_batch set records = replace(records, '"code":"suspended"', '"code":"forbidden"') where first = $1`,
      [record.index],
    )
  })

  test('is refused where the payload was erased or swapped, and for what is no decision', async () => {
    const { id, record } = await ledger.decide(agent, { action: 'wipe', params: { what: 'this' } })
    await site.query(`update log_batch set bodies = replace(bodies, 'this', 'that') where first = $1`, [
      record.index,
    ])
    expect((await faultOf(ledger.replay(id))).code).toBe('log_broken')
    await site.query(`update log_batch set bodies = '', erased = array[first] where first = $1`, [
      record.index,
    ])
    expect((await faultOf(ledger.replay(id))).message).toContain('has been erased')
    for (const unknown of ['dec_0', 'dec_999999', 'apr_1', '']) {
      expect((await faultOf(ledger.replay(unknown))).code).toBe('not_found')
    }
  })
})
