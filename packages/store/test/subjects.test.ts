import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ErasureTarget } from '../src/erasure/erase.ts'
import type { Ledger } from '../src/ledger.ts'
import {
  cast,
  knows,
  agent,
  faultOf,
  ledgerSite,
  policiesOf,
  records,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const policy = (more = '') => `
agent_id: ${agent}
allowed_actions: [issue_refund, send_mail, read_page]
subject: params.customer_id
actions:
  send_mail: { subject: [params.to, context.sender] }
escalation_rules:
  - { condition: 'params.amount > 500', action: human_approval_required }
facts: {}
${more}`

describeOnOnePostgres('G9: what is kept of a person', (postgres) => {
  let site: LedgerSite

  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const opened = () => site.open(policiesOf(policy()))
  const erase = (ledger: Ledger, target: ErasureTarget, dryRun = false) =>
    ledger.erase({ target, reason: 'request 18', by: 'operator', dryRun })
  const refundOf = (ledger: Ledger, customer: unknown, more = {}) =>
    ledger.decide(agent, {
      action: 'issue_refund',
      params: { customer_id: customer, amount: 1 } as never,
      ...more,
    })
  const contains = async (ledger: Ledger, text: string) =>
    (
      await site.query('select 1 from log_batch where ledger = $1 and strpos(bodies || records, $2) > 0', [
        ledger.name,
        text,
      ])
    ).length > 0

  test('is found by the paths of its policy, and erased with its outcomes and votes', async () => {
    const ledger = await opened()
    await knows(ledger, voter('pat'))
    const paid = await refundOf(ledger, 'cu-ann', { callId: 'c1' })
    await ledger.reportOutcome(agent, paid.id, { status: 'succeeded', detail: 'paid to cu-ann' })
    const asked = await ledger.decide(agent, {
      action: 'issue_refund',
      params: { customer_id: 'cu-ann', amount: 600 },
    })
    await cast(ledger, voter('pat'), asked.approval?.id ?? '', { vote: 'approve', comment: 'cu-ann called' })
    await ledger.decide(agent, { action: 'send_mail', params: { to: ['cu-ann', 'cu-bob'], amount: 1 } })
    await ledger.decide(agent, {
      action: 'send_mail',
      params: { to: 'cu-bob', amount: 1 },
      context: { sender: 'cu-ann' },
    })
    const others = await refundOf(ledger, 'cu-bob')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    const preview = await erase(ledger, { subject: 'cu-ann' }, true)
    const { erased, recordedAs } = await erase(ledger, { subject: 'cu-ann' })
    const from = Number(paid.id.slice('dec_'.length))
    expect(erased).toEqual([0, 1, 2, 3, 4, 5].map((nth) => from + nth))
    expect(preview.erased).toEqual(erased)
    expect(recordedAs).toEqual([from + 7])
    expect(await contains(ledger, 'cu-ann')).toBe(false)
    expect((await records(site, ledger)).at(-1)).toMatchObject({ kind: 'erasure', scope: 'subject' })
    expect((await ledger.decision(others.id)).params).toMatchObject({ customer_id: 'cu-bob' })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', erased: 6 })
    expect((await erase(ledger, { subject: 'cu-ann' })).erased).toEqual([])
  })

  test('is of no action that says itself whose data it holds, by the paths for all', async () => {
    const ledger = await opened()
    await ledger.decide(agent, { action: 'send_mail', params: { customer_id: 'cu-ann', amount: 1 } })
    expect((await erase(ledger, { subject: 'cu-ann' }, true)).erased).toEqual([])
  })

  test('is known under exactly the text or number that was sent; a number is found as text, too', async () => {
    const ledger = await opened()
    for (const customer of [7, '7', ' 7', '07', 'Ann', 'ann', null, true, { id: 7 }, [[7]], 7.5]) {
      await refundOf(ledger, customer)
    }
    const found = async (subject: string | number) => (await erase(ledger, { subject }, true)).erased
    expect(await found('7')).toEqual([1, 2])
    expect(await found(7)).toEqual([1, 2])
    expect(await found('07')).toEqual([4])
    expect(await found('Ann')).toEqual([5])
    expect(await found('7.5')).toEqual([11])
    expect(await found('true')).toEqual([])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('is stored under digests that nobody can guess, and no others; once it is erased, nothing is', async () => {
    const ledger = await opened()
    await refundOf(ledger, 'cu-ann')
    const rows = await site.query<{ guessed: boolean }>(
      `select subject = sha256('"cu-ann"') as guessed from payload_subject where ledger = $1`,
      [ledger.name],
    )
    expect(rows).toEqual([{ guessed: false }])
    await erase(ledger, { subject: 'cu-ann' })
    expect(await site.query('select from payload_subject where ledger = $1', [ledger.name])).toEqual([])
  })

  test('of another process is found by the same digests', async () => {
    const one = await opened()
    const other = await site.open(policiesOf(policy()), one.name)
    await refundOf(one, 'cu-ann')
    expect((await erase(other, { subject: 'cu-ann' })).erased).toEqual([1])
  })

  test('is erased in several steps where it is much, each with its record', async () => {
    const ledger = await opened()
    await Promise.all(Array.from({ length: 450 }, () => refundOf(ledger, 'cu-ann')))
    const steps: number[] = []
    const { erased, recordedAs } = await ledger.erase({
      target: { subject: 'cu-ann' },
      reason: 'request 19',
      by: 'operator',
      onProgress: (count) => steps.push(count),
    })
    expect(erased).toHaveLength(450)
    expect(recordedAs).toHaveLength(5)
    expect(steps).toEqual([100, 200, 300, 400, 450])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', erased: 450 })
  })

  test('that could be erased in part only says how far it came, and goes on where it stopped', async () => {
    const ledger = await opened()
    await Promise.all(Array.from({ length: 150 }, () => refundOf(ledger, 'cu-ann')))
    const request = { target: { subject: 'cu-ann' }, reason: 'request 20', by: 'operator' } as const
    let placed: Promise<unknown> | undefined
    const fault = await faultOf(
      ledger.erase({
        ...request,
        onProgress: () => {
          placed ??= ledger.changeHold({ hold: 'case-9', event: 'placed', reason: 'a case', by: 'operator' })
        },
      }),
    )
    expect(fault).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('before that, 100 payloads were erased'),
    })
    await ledger.changeHold({ hold: 'case-9', event: 'lifted', reason: 'a case', by: 'operator' })
    expect((await ledger.erase(request)).erased).toHaveLength(50)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', erased: 150 })
  })

  test('costs nothing where no policy names subjects: nothing is stored', async () => {
    const ledger = await site.open()
    await refundOf(ledger, 'cu-ann')
    expect(await site.query('select from payload_subject where ledger = $1', [ledger.name])).toEqual([])
  })

  test('and malformed calls hold nothing of anybody', async () => {
    const ledger = await opened()
    await ledger.decide(agent, { action: 'issue_refund', params: { customer_id: '\ud800' } })
    expect(await site.query('select from payload_subject where ledger = $1', [ledger.name])).toEqual([])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  describe('is found by verification not to be found any more, where', () => {
    const tampered = async (statement: string, index: number | null, problem: string) => {
      const ledger = await opened()
      await refundOf(ledger, 'cu-ann')
      await refundOf(ledger, 'cu-bob')
      await erase(ledger, { subject: 'cu-bob' })
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
      await site.query(statement.replaceAll('$1', `'${ledger.name}'`))
      expect(await ledger.verify()).toMatchObject({
        kind: 'broken',
        index,
        problem: expect.stringContaining(problem),
      })
    }

    test('a row is gone', () =>
      tampered('delete from payload_subject where ledger = $1', 1, 'would not be found'))

    test('a row says somebody else', () =>
      tampered(`update payload_subject set subject = '\\x00' where ledger = $1`, 1, 'would not be found'))

    test('a row says somebody too many', () =>
      tampered(
        `insert into payload_subject select $1, '\\x00', 1`,
        1,
        'a person is stored beside it whose data it does not hold',
      ))

    test('a row is of an erased payload', () =>
      tampered(
        `insert into payload_subject select $1, '\\x00', 2`,
        2,
        'a person is stored beside it whose data it does not hold',
      ))

    test('a row is of no record', () =>
      tampered(`insert into payload_subject select $1, '\\x00', 99`, null, 'a record that does not exist'))

    test('the secret is another one', () =>
      tampered(
        `update ledger_secret set secret = decode(repeat('01', 32), 'hex') where ledger = $1 and name = 'subject'`,
        1,
        'would not be found',
      ))

    test('the secrets are gone', () =>
      tampered('delete from ledger_secret where ledger = $1', null, 'the secrets of the ledger are gone'))
  })
})
