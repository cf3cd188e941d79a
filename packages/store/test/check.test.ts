import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { GovernanceEnforcer } from '../src/enforcer.ts'
import { describeOnPostgres } from './harness/postgres.ts'
import { agent, ledgerSite, policiesOf, refund, supportPolicy, type LedgerSite } from './harness/ledger.ts'
import { flowing } from './harness/uses.ts'

describeOnPostgres('several calls in one process', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterAll(() => site.remove())

  test('are each decided by themselves, in their order; what is wrong with one is its own', async () => {
    const ledger = await site.open()
    const enforcer = new GovernanceEnforcer(ledger, agent)
    const wrong = { action: 'a b', params: {} }
    const checked = await enforcer.checkAll([
      refund(1),
      wrong,
      { action: 'delete_account', params: {} },
      refund(600),
    ])
    expect(checked).toMatchObject([
      { kind: 'decided', decision: { effect: 'allow' } },
      { kind: 'failed', fault: { code: 'bad_input' } },
      { kind: 'decided', decision: { effect: 'deny' } },
      { kind: 'decided', decision: { effect: 'escalate', approval: {} } },
    ])
    const places = checked.flatMap((each) => (each.kind === 'decided' ? [each.decision.record.index] : []))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(new Set(places).size).toBe(3)
    expect(await enforcer.checkAll([])).toEqual([])
    await site.closeLedgers()
  })
})

describeOnPostgres('a check', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  test('that names its session is judged by what that session has been through, and one that names none is denied', async () => {
    const enforcer = new GovernanceEnforcer(await site.open(flowing()), agent)
    const mail = { to: 'eve@example.org' }
    const effect = async (session?: string) =>
      (await enforcer.check('send_mail', mail, {}, { session })).effect
    expect(await effect('s')).toBe('allow')
    await enforcer.check('read_page', {}, {}, { session: 's' })
    expect([await effect('s'), await effect('other'), await effect()]).toEqual(['deny', 'allow', 'deny'])
  })

  test('that carries out what the policy obliges to is allowed, and one that does not say so is denied', async () => {
    const policy = supportPolicy('actions:\n  issue_refund: { obligations: [{ redact: result.iban }] }\n')
    const enforcer = new GovernanceEnforcer(await site.open(policiesOf(policy)), agent)
    const { action, params } = refund(1)
    const supports = ['redact']
    expect(await enforcer.check(action, params, {}, { supports })).toMatchObject({
      effect: 'allow',
      obligations: [{ kind: 'redact', path: 'result.iban' }],
    })
    expect(await enforcer.check(action, params)).toMatchObject({ effect: 'deny' })
  })
})
