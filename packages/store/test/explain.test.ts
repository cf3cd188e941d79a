import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { GovernanceEnforcer } from '../src/enforcer.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  agent,
  faultOf,
  ledgerSite,
  otherAgent,
  policiesOf,
  supportPolicy,
  type LedgerSite,
} from './harness/ledger.ts'

describeOnOnePostgres('explaining a recorded decision', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  test('an enforcer explains its own agent’s decisions, and no other’s', async () => {
    const ledger = await site.open(policiesOf(supportPolicy(), supportPolicy('', otherAgent)))
    const enforcer = new GovernanceEnforcer(ledger, agent, site.clock.ports)
    const { id } = await enforcer.check('issue_refund', { amount: 600 })
    const explained = await enforcer.explain(id)
    expect(explained).toMatchObject({ decision: id, same: true, effect: 'escalate' })
    expect(explained.changes).toContainEqual({
      change: 'refund_amount were 500',
      effect: 'allow',
      reason: 'Action approved',
    })
    const other = new GovernanceEnforcer(ledger, otherAgent, site.clock.ports)
    expect((await faultOf(other.explain(id))).code).toBe('not_found')
    expect((await faultOf(enforcer.explain('dec_9999'))).code).toBe('not_found')
  })

  test('is by the policy that decided, also after another one has come into force', async () => {
    const before = await site.open(policiesOf(supportPolicy()), 'changing')
    const { id } = await before.decide(agent, { action: 'issue_refund', params: { amount: 600 } })
    await site.closeLedgers()
    const after = await site.open(policiesOf(supportPolicy().replace('> 500', '> 5000')), 'changing')
    expect((await after.decide(agent, { action: 'issue_refund', params: { amount: 600 } })).effect).toBe(
      'allow',
    )
    expect(await after.explain(id)).toMatchObject({ same: true, effect: 'escalate' })
  })

  test('of a call that nothing of a policy was asked about, there are only the reasons', async () => {
    const ledger = await site.open()
    const malformed = await ledger.decide(agent, { action: 'issue_refund', params: { amount: Number.NaN } })
    expect(await ledger.explain(malformed.id)).toMatchObject({
      same: true,
      code: 'malformed_call',
      rules: [],
    })
    const unbound = await ledger.decide('nobody', { action: 'issue_refund', params: {} })
    expect(await ledger.explain(unbound.id)).toMatchObject({ same: true, code: 'no_policy', rules: [] })
  })
})
