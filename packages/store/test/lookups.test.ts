import type { Json, LookupNeed, LookupResult } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Ledger } from '../src/ledger.ts'
import type { LookupGatherer } from '../src/operations/gather.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { agent, ledgerSite, policiesOf, type LedgerSite } from './harness/ledger.ts'

const policy = `
agent_id: ${agent}
allowed_actions: [issue_refund, send_mail, convert]
facts:
  tier: { type: string, from: { http: "https://crm.internal/customers/{params.customer}", select: tier }, for: issue_refund }
  rate: { type: number, from: { sql: "select rate from rates where currency = $1", args: [params.currency], source: bank }, for: convert }
  limit: { type: string, from: { http: "https://crm.internal/env" }, for: send_mail }
rules:
  - { id: basic-only-small, on: issue_refund, condition: "tier == 'basic'", effect: deny }
  - { id: mail-limit, on: send_mail, condition: "env == 'prod' && limit == 'low'", effect: deny }
budgets:
  - { id: exchange, on: convert, sum: rate, window: 1h, max: 10, effect: deny }
`
const refund = { action: 'issue_refund', params: { customer: 'ann' } }

describeOnOnePostgres('facts that are looked up', (postgres) => {
  let site: LedgerSite
  let count = 0
  const opened: Ledger[] = []
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => Promise.all(opened.splice(0).map((ledger) => ledger.close())))
  afterAll(() => site.remove())

  async function open(lookups: LookupGatherer | undefined, env?: string): Promise<Ledger> {
    const ledger = await Ledger.open({
      connection: site.database.config,
      policies: policiesOf(policy),
      dataDir: site.dataDir,
      ledger: `looked-up-${(count += 1)}`,
      consoleUrl: 'http://console.test',
      now: site.clock.now,
      env,
      lookups,
    })
    opened.push(ledger)
    return ledger
  }
  const finding = (value: Json): LookupGatherer => ({
    gather: (needs) => Promise.resolve(new Map(needs.map(({ fact }) => [fact, { kind: 'value', value }]))),
  })

  test('decide as what the call says would, and are recorded in its payload and nowhere else', async () => {
    const asked: LookupNeed[] = []
    const ledger = await open({
      gather: (needs) => {
        asked.push(...needs)
        return finding('basic').gather(needs)
      },
    })
    const { effect, id } = await ledger.decide(agent, refund)
    expect(effect).toBe('deny')
    expect(asked).toMatchObject([{ kind: 'http', fact: 'tier', url: 'https://crm.internal/customers/ann' }])
    const [row] = await site.query<{ record: string; facts: string }>(
      `select record, body::json ->> 'facts' as facts from log_entry where ledger = $1 and index = $2`,
      [ledger.name, Number(id.slice(4))],
    )
    expect(JSON.parse(row?.facts ?? '')).toEqual({ lookups: { tier: { kind: 'value', value: 'basic' } } })
    expect(row?.record).not.toContain('"basic"')
    expect(await ledger.replay(id)).toMatchObject({ same: true })
    expect((await (await open(finding('gold'))).decide(agent, refund)).effect).toBe('allow')
  })

  const failing: readonly (readonly [string, LookupGatherer | undefined])[] = [
    ['there is nothing to look them up with', undefined],
    ['looking them up fails', { gather: () => Promise.reject(new Error('secret host name')) }],
    [
      'looking them up fails at once',
      {
        gather: () => {
          throw new Error('secret host name')
        },
      },
    ],
    ['they are left out', { gather: () => Promise.resolve(new Map()) }],
    [
      'others are found',
      {
        gather: () =>
          Promise.resolve(new Map<string, LookupResult>([['other', { kind: 'value', value: 'gold' }]])),
      },
    ],
    [
      'they were not found',
      {
        gather: () =>
          Promise.resolve(
            new Map<string, LookupResult>([['tier', { kind: 'failed', why: 'no such customer' }]]),
          ),
      },
    ],
    ['they are no JSON', finding(Number.NaN)],
    ['they are half of a character', finding('\ud800')],
    ['they are of another type', finding(5)],
    ['they are too large to be recorded', finding('x'.repeat(20_000))],
  ]

  test.each(failing)('count as matched where %s', async (_why, lookups) => {
    const ledger = await open(lookups)
    const answer = await ledger.decide(agent, refund)
    expect(answer).toMatchObject({
      effect: 'deny',
      rules: [{ id: 'basic-only-small', because: 'condition_error' }],
    })
    expect(JSON.stringify(answer)).not.toContain('secret')
    expect(await ledger.replay(answer.id)).toMatchObject({ same: true })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('count in budgets: a rate that was looked up is used up', async () => {
    const ledger = await open(finding(4))
    const convert = { action: 'convert', params: { currency: 'EUR' } }
    const effects = []
    for (let at = 0; at < 3; at++) effects.push((await ledger.decide(agent, convert)).effect)
    expect(effects).toEqual(['allow', 'allow', 'deny'])
    const failed = await open(undefined)
    expect((await failed.decide(agent, convert)).effect).toBe('deny')
  })

  test('keep nobody waiting but the call that asked for them', async () => {
    let found: (result: ReadonlyMap<string, LookupResult>) => void = () => undefined
    const ledger = await open({
      gather: () =>
        new Promise((resolve) => {
          found = resolve
        }),
    })
    const slow = ledger.decide(agent, refund)
    expect((await ledger.decide(agent, { action: 'convert', params: {} })).record.index).toBe(1)
    found(new Map([['tier', { kind: 'value', value: 'gold' }]]))
    expect((await slow).record.index).toBe(2)
  })

  test('and the environment are known to conditions', async () => {
    const mail = { action: 'send_mail', params: {} }
    expect((await (await open(finding('low'), 'prod')).decide(agent, mail)).effect).toBe('deny')
    expect((await (await open(finding('high'), 'prod')).decide(agent, mail)).effect).toBe('allow')
    expect((await (await open(finding('low'), 'test')).decide(agent, mail)).effect).toBe('allow')
    // Nobody said where it runs.
    expect((await (await open(finding('low'))).decide(agent, mail)).effect).toBe('deny')
  })
})
