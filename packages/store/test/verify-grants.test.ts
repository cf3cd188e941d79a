import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  decisionId,
  grantId,
  indexOfId,
  type DecisionRecord,
  type RecordBody,
  type RecordedStanding,
  type RuleId,
} from '@bailiwick/core'
import type { Ledger } from '../src/ledger.ts'
import type { Operation } from '../src/log/operation.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  agent,
  cast,
  decisionRecords,
  ledgerSite,
  minute,
  policiesOf,
  refund,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { forgedVote } from './harness/passkeys.ts'

const route = (more = '') =>
  `{ approvers: [role:approver], standing: { uses: 3, lasts: 8h, may_differ: { amount: up_to } }${more} }`

/**
 * What somebody does who owns the database and runs a changed service: writes a decision that allows, with the row of its use,
 * hashes and head, all of which fit.
 */
function forgedUse(
  grant: number,
  use: number,
  like: DecisionRecord,
  more: Partial<DecisionRecord>,
  payload: object,
): Operation<{ readonly index: number }> {
  return {
    needs: { grants: true },
    apply: (fold, place) => {
      const standing = { grant: grantId(grant), use, uses: 3 }
      const { v: _v, ledger: _ledger, index: _index, at: _at, payload: _payload, ...said } = like
      const body = { ...said, opens: null, effect: 'allow', standing, ...more, id: decisionId(place.index) }
      return {
        body: body as RecordBody,
        payload: JSON.stringify(payload),
        answer: { index: place.index },
        staged: () => {
          const known = fold.grants.get(grant)
          if (known?.used === use - 1) return fold.grants.use(grant, place.index)
          throw new Error('the row of the use is written beside')
        },
      }
    },
  }
}

describeOnOnePostgres('G5: verification of standing grants', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  let grant: number
  let used: DecisionRecord
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  beforeEach(async () => {
    ledger = await site.open(policiesOf(terms(route())))
    const { approval, record } = await ledger.decide(agent, refund(600))
    grant = record.index
    await cast(ledger, voter('ann'), approval?.id ?? '', { vote: 'approve', standing: standing(3) })
    const { id } = await ledger.decide(agent, refund(590))
    const [, second] = await decisionRecords(site, ledger)
    if (second?.id !== id) throw new Error('it was not recorded')
    used = second
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const standing = (uses: number, minutes = 60): RecordedStanding => ({
    uses,
    until: new Date(site.clock.now() + minutes * minute).toISOString(),
  })
  const expectNamed = async (index: number, problem: string) => {
    expect(await ledger.verify()).toMatchObject({
      kind: 'broken',
      index,
      problem: expect.stringContaining(problem) as string,
    })
  }
  const payload = (amount: number, context = {}) => ({ context, params: { amount } })

  test('finds nothing wrong with one that was made, used and revoked', async () => {
    await ledger.grants.revoke(`grt_${grant}`, { by: 'operator', reason: 'enough' })
    await ledger.checkpoint()
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  describe('names a use that was written into the log', () => {
    test.each<readonly [string, Partial<DecisionRecord>, object, string]>([
      ['of a larger amount', {}, payload(601), 'is no call that'],
      ['in another context', {}, payload(600, { customer: 'c-2' }), 'is no call that'],
      ['of another action', { action: 'apply_discount' }, payload(600), 'is no call that'],
      ['of another agent', { agent: 'somebody-else' }, payload(600), 'is no call that'],
    ])('%s', async (_what, more, body, problem) => {
      const { index } = await ledger.changePasskeys(forgedUse(grant, 2, used, more, body))
      await expectNamed(index, problem)
    })

    test('under another policy', async () => {
      const policy = used.policy && { ...used.policy, version: 9, sha256: 'c'.repeat(64) as never }
      const { index } = await ledger.changePasskeys(forgedUse(grant, 2, used, { policy }, payload(600)))
      await expectNamed(index, 'is no call that')
    })

    test('by another rule', async () => {
      const rules = used.rules.map((rule) => ({ ...rule, id: `${rule.id}x` as RuleId }))
      const { index } = await ledger.changePasskeys(forgedUse(grant, 2, used, { rules }, payload(600)))
      await expectNamed(index, 'is no call that')
    })

    test('after its end', async () => {
      site.clock.advance(60 * minute)
      const { index } = await ledger.changePasskeys(forgedUse(grant, 2, used, {}, payload(600)))
      await expectNamed(index, `uses grt_${grant} after`)
    })

    test('more often than it has uses', async () => {
      for (let use = 2; use <= 3; use++) {
        await ledger.changePasskeys(forgedUse(grant, use, used, {}, payload(600)))
      }
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
      const { index } = await ledger.changePasskeys(forgedUse(grant, 4, used, {}, payload(600)))
      await expectNamed(index, `is use 4 of grt_${grant}, which has 3`)
    })

    test('and says more uses than it has', async () => {
      const more = { standing: { grant: grantId(grant), use: 2, uses: 30 } }
      const { index } = await ledger.changePasskeys(forgedUse(grant, 2, used, more, payload(600)))
      await expectNamed(index, 'is use 2 of')
    })
  })

  describe('names a grant that was written into the log', () => {
    test.each<readonly [string, () => Partial<VoteBody>]>([
      ['that the vote does not give', () => ({ grant: standing(3) })],
      ['with more uses than the vote gives', () => ({ standing: standing(1), grant: standing(3) })],
      ['for longer than the vote gives', () => ({ standing: standing(3, 30), grant: standing(3, 60) })],
      ['beyond what may be granted', () => ({ standing: standing(99), grant: standing(99) })],
      [
        'by a vote that breaks the glass',
        () => ({ standing: standing(3), grant: standing(3), breakGlass: true }),
      ],
    ])('%s', async (_what, more) => {
      const { approval } = await ledger.decide(agent, refund(700))
      const id = approval?.id as VoteBody['approval']
      const body: VoteBody = {
        kind: 'vote',
        approval: id,
        person: voter('ann').id,
        vote: 'approve',
        status: 'approved',
        ...more(),
      }
      const { index } = await ledger.changePasskeys(forgedVote(body))
      const { uses = 0, until = '' } = body.grant ?? {}
      await site.query(
        'insert into standing_grant (ledger, approval, index, uses, until_at) values ($1, $2, $3, $4, $5)',
        [ledger.name, indexOfId('apr', id), index, uses, until],
      )
      await expectNamed(index, 'which the votes on its approval do not make')
    })

    test('where its quorum is not reached', async () => {
      ledger = await site.open(policiesOf(terms(route(', quorum: 2'))))
      const { approval } = await ledger.decide(agent, refund(700))
      const id = approval?.id as VoteBody['approval']
      const vote = { kind: 'vote', approval: id, person: voter('ann').id, vote: 'approve' } as const
      const granted = { standing: standing(3), grant: standing(3) }
      const { index } = await ledger.changePasskeys(forgedVote({ ...vote, status: 'approved', ...granted }))
      await site.query(
        'insert into standing_grant (ledger, approval, index, uses, until_at) values ($1, $2, $3, 3, $4)',
        [ledger.name, indexOfId('apr', id), index, granted.grant.until],
      )
      // Whoever forges all of this forges the row of the approval, too.
      await site.query(`update approval set status = 'approved' where ledger = $1`, [ledger.name])
      await expectNamed(index, 'which the votes on its approval do not make')
    })
  })

  describe('names rows that say something else than the records', () => {
    test.each([
      ['more uses', 'update standing_grant set uses = 100', 'uses'],
      ['a later end', `update standing_grant set until_at = until_at + interval '1 day'`, 'until_at'],
      ['a revocation that nobody recorded', 'update standing_grant set revoked_by = 1', 'revoked_by'],
      ['no grant', 'delete from standing_grant', 'its row is gone'],
      ['a use less', 'delete from standing_use', 'its row is gone'],
      ['a use by another decision', 'update standing_use set decision = 0', 'decision'],
      [
        'a use more',
        'insert into standing_use select ledger, approval, 2, decision from standing_use',
        'no record accounts for',
      ],
    ])('%s', async (_what, statement, problem) => {
      await site.query(statement.includes(' where ') ? statement : ofLedger(statement), [ledger.name])
      expect(await ledger.verify()).toMatchObject({
        kind: 'broken',
        problem: expect.stringContaining(problem) as string,
      })
    })

    test('and until then, a larger number of uses or a later end in a row grants nothing', async () => {
      await site.query(
        `update standing_grant set uses = 100, until_at = until_at + interval '1 day' where ledger = $1`,
        [ledger.name],
      )
      const { name } = ledger
      await ledger.close()
      ledger = await site.open(policiesOf(terms(route())), name)
      const asked: string[] = []
      for (let nth = 0; nth < 3; nth++) asked.push((await ledger.decide(agent, refund(600))).effect)
      expect(asked).toEqual(['allow', 'allow', 'escalate'])
      site.clock.advance(60 * minute)
      expect((await ledger.decide(agent, refund(600))).effect).toBe('escalate')
    })
  })
})

type VoteBody = Parameters<typeof forgedVote>[0]

function ofLedger(statement: string): string {
  return `${statement} where ledger = $1`
}
