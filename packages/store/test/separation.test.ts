import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { changeOwner } from '../src/owners.ts'
import {
  agent,
  cast,
  escalated,
  faultOf,
  knows,
  ledgerSite,
  minute,
  policiesOf,
  records,
  supportPolicy,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

const approve = { vote: 'approve' } as const

describeOnOnePostgres('G3: nobody agrees to their own call, and everybody counts once', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  describe('who stands behind the call cannot vote on it', () => {
    test.each(['ann@example.com', ' Ann@Example.com ', ['eve@example.com', 'ann@example.com']])(
      'where the host says so: %j',
      async (principal) => {
        const ledger = await site.open()
        const id = await escalated(ledger, { context: { principal } })
        expect((await ledger.approval(id, { voter: voter('ann') })).mayVote).toBe(false)
        for (const vote of ['approve', 'reject'] as const) {
          const fault = await faultOf(cast(ledger, voter('ann'), id, { vote }))
          expect([fault.code, fault.message]).toEqual([
            'not_permitted',
            `\`ann@example.com\` stands behind the call that ${id} is about`,
          ])
        }
        expect((await ledger.approval(id, { voter: voter('bob') })).mayVote).toBe(true)
        expect(await cast(ledger, voter('bob'), id, approve)).toBe('approved')
      },
    )

    test('where the agent is theirs, from the next vote on, and no longer once it is not', async () => {
      const ledger = await site.open()
      const owner = { agent, person: 'Ann@example.com' }
      const [one, two] = [await escalated(ledger), await escalated(ledger)]
      await changeOwner(ledger, 'owner_added', owner)
      expect((await records(site, ledger)).at(-1)).toMatchObject({
        kind: 'access',
        event: 'owner_added',
        subject: agent,
        grants: ['ann@example.com'],
      })
      expect((await ledger.approval(one, { voter: voter('ann') })).mayVote).toBe(false)
      expect((await faultOf(cast(ledger, voter('ann'), one, approve))).code).toBe('not_permitted')
      expect(await cast(ledger, voter('bob'), one, approve)).toBe('approved')
      await changeOwner(ledger, 'owner_removed', owner)
      expect(await cast(ledger, voter('ann'), two, approve)).toBe('approved')
    })

    test.each([[null], [[]]])('a principal of %j is nobody', async (principal) => {
      const ledger = await site.open()
      const id = await escalated(ledger, { context: { principal } })
      expect(await cast(ledger, voter('ann'), id, approve)).toBe('approved')
    })

    test.each([42, { person: 'ann@example.com' }, '', 'mailto:ann@example.com', 'Ann <ann@example.com>'])(
      'a call that says it with %j waits for nobody: it is denied, because nobody can tell',
      async (principal) => {
        const ledger = await site.open()
        const call = { action: 'issue_refund', params: { amount: 600 }, context: { principal } }
        const { effect, reasons, approval } = await ledger.decide(agent, call)
        expect([effect, approval]).toEqual(['deny', undefined])
        expect((await records(site, ledger)).at(-1)).toMatchObject({ code: 'malformed_call', effect: 'deny' })
        expect(reasons.join()).toContain('context.principal must be an e-mail address')
      },
    )

    test('params name nobody: they are the word of the model', async () => {
      const ledger = await site.open()
      const { approval } = await ledger.decide(agent, {
        action: 'issue_refund',
        params: { amount: 600, principal: 'ann@example.com' },
      })
      expect(await cast(ledger, voter('ann'), approval?.id ?? '', approve)).toBe('approved')
    })
  })

  describe('the authors of the policy, where a route leaves them out', () => {
    const policy = `authors: [ann@example.com]\napprovals: { human_approval_required: { exclude: [policy_author] } }\n`
    test.each([
      ['ann', ['approver'], false],
      ['bob', ['approver', 'policy-author'], false],
      ['bob', ['approver'], true],
    ] as const)('%s with %j may vote: %s', async (name, roles, may) => {
      const ledger = await site.open(policiesOf(supportPolicy(policy)))
      const id = await escalated(ledger)
      const who = voter(name, roles)
      expect((await ledger.approval(id, { voter: who })).mayVote).toBe(may)
      if (may) expect(await cast(ledger, who, id, approve)).toBe('approved')
      else expect((await faultOf(cast(ledger, who, id, approve))).code).toBe('not_permitted')
    })
  })

  test('roles are those of the moment: one that is taken between opening and voting is gone', async () => {
    const ledger = await site.open(policiesOf(terms('{ approvers: [role:lead] }')))
    const id = await escalated(ledger)
    const { digest } = await ledger.approval(id, {})
    // The session that the request came with still says so.
    const ann = voter('ann', ['lead'])
    const roles = (now: readonly string[]) =>
      ledger.changeAccess(
        { kind: 'access', event: 'roles_changed', subject: ann.id, grants: now },
        { peopleSet: [{ id: ann.id, roles: now, roles_from: 'local', provider_subject: null, since: 0 }] },
      )
    await roles([])
    expect((await faultOf(ledger.vote(ann, id, { vote: 'approve', digest }))).code).toBe('not_permitted')
    await roles(['lead'])
    // Nor does the ledger give more than signing in gave.
    expect((await faultOf(ledger.vote(voter('ann', []), id, { vote: 'approve', digest }))).code).toBe(
      'not_permitted',
    )
    expect(await ledger.vote(ann, id, { vote: 'approve', digest })).toBe('approved')
  })

  test('who is removed in the same batch does not vote', async () => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    const { digest } = await ledger.approval(id, {})
    await knows(ledger, voter('ann'))
    const removed = ledger.changeAccess(
      { kind: 'access', event: 'person_removed', subject: 'ann@example.com', grants: [] },
      { peopleRemoved: [{ id: 'ann@example.com' }] },
    )
    const voted = ledger.vote(voter('ann'), id, { vote: 'approve', digest })
    expect((await faultOf(voted)).code).toBe('not_permitted')
    await removed
  })

  test('a person whom the ledger does not know has no vote, whatever roles are claimed', async () => {
    const ledger = await site.open()
    const id = await escalated(ledger)
    const { digest } = await ledger.approval(id, {})
    const stranger = voter('stranger', ['approver', 'administrator'])
    expect((await faultOf(ledger.vote(stranger, id, { vote: 'approve', digest }))).code).toBe('not_permitted')
  })

  describe('k of each role', () => {
    const policy = () => policiesOf(terms('{ quorum_of: { role:finance: 1, role:legal: 1 } }'))

    test('takes one of each, and two people', async () => {
      const ledger = await site.open(policy())
      const id = await escalated(ledger)
      expect(await cast(ledger, voter('ann', ['finance', 'legal']), id, approve)).toBe('pending')
      expect((await records(site, ledger)).at(-1)).toMatchObject({ counts: ['role:finance', 'role:legal'] })
      expect(await cast(ledger, voter('bob', ['finance']), id, approve)).toBe('approved')
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('is not met by two of one role', async () => {
      const ledger = await site.open(policy())
      const id = await escalated(ledger)
      await cast(ledger, voter('ann', ['finance']), id, approve)
      expect(await cast(ledger, voter('bob', ['finance']), id, approve)).toBe('pending')
      expect((await faultOf(cast(ledger, voter('eve', ['approver']), id, approve))).code).toBe(
        'not_permitted',
      )
      expect(await cast(ledger, voter('lea', ['legal']), id, approve)).toBe('approved')
    })
  })

  describe('whom others are asked after', () => {
    const route = '{ approvers: [role:lead], escalate_to: [{ after: 2m, approvers: [role:ops] }] }'

    test('may vote from then on, and not before', async () => {
      const ledger = await site.open(policiesOf(terms(route)))
      const id = await escalated(ledger)
      const ops = voter('olga', ['ops'])
      site.clock.advance(2 * minute - 1)
      expect((await ledger.approval(id, { voter: ops })).mayVote).toBe(false)
      expect((await faultOf(cast(ledger, ops, id, approve))).code).toBe('not_permitted')
      site.clock.advance(1)
      expect((await ledger.approval(id, { voter: ops })).mayVote).toBe(true)
      expect(await cast(ledger, ops, id, approve)).toBe('approved')
    })

    test('take nothing from those who were asked first', async () => {
      const ledger = await site.open(policiesOf(terms(route)))
      const id = await escalated(ledger)
      site.clock.advance(3 * minute)
      expect(await cast(ledger, voter('lea', ['lead']), id, approve)).toBe('approved')
    })
  })
})
