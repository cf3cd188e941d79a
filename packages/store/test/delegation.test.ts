import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PersonId } from '@bailiwick/core'
import { Access } from '../src/access.ts'
import type { Ledger } from '../src/ledger.ts'
import { removePersonOperation, setPersonOperation } from '../src/operations/person.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
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
const [ann, bob, eve] = ['ann@example.com', 'bob@example.com', 'eve@example.com']
const reason = 'on leave'

describeOnOnePostgres('G3: voting in somebody else’s stead', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  beforeEach(async () => {
    ledger = await site.open(policiesOf(terms('{ approvers: [role:lead], quorum: 2 }')))
    // Bob is no lead; Ann, who is, goes on leave.
    for (const who of [voter('ann', ['lead']), voter('bob', ['clerk']), voter('eve', ['lead'])]) {
      await knows(ledger, who)
    }
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const clerk = voter('bob', ['clerk'])
  const lead = (name: string) => voter(name, ['lead'])
  const later = (minutes: number) => new Date(site.clock.now() + minutes * minute).toISOString()
  const give = (more: object = {}) =>
    ledger.delegations.give({ from: ann, to: bob, ends: later(60), reason, by: ann, ...more })

  test('counts as the vote of one person, and the record says whose it is', async () => {
    const { id: delegation } = await give()
    const id = await escalated(ledger)
    expect((await faultOf(cast(ledger, clerk, id, approve))).code).toBe('not_permitted')
    expect(await cast(ledger, clerk, id, { ...approve, for: ann })).toBe('pending')
    expect((await records(site, ledger)).at(-1)).toMatchObject({ kind: 'vote', person: bob, for: ann })
    expect((await ledger.approval(id, {})).votes).toMatchObject([{ person: bob, for: ann }])
    expect(await cast(ledger, lead('eve'), id, approve)).toBe('approved')
    expect(delegation).toMatch(/^dlg_\d+$/)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('nobody is two people: neither who votes, nor in whose stead', async () => {
    await give()
    await give({ from: eve, by: eve })
    await knows(ledger, voter('bob', ['lead']))
    const both = voter('bob', ['lead'])
    const cases: readonly (readonly [string | undefined, () => Promise<unknown>])[] = [
      // Having voted for Ann, Bob votes neither for himself nor for Eve, and Ann does not vote again.
      [ann, () => cast(ledger, both, id, approve)],
      [ann, () => cast(ledger, both, id, { ...approve, for: eve })],
      [ann, () => cast(ledger, lead('ann'), id, approve)],
      // Having voted for himself, he votes for nobody.
      [undefined, () => cast(ledger, both, id, { ...approve, for: ann })],
    ]
    let id = ''
    for (const [first, second] of cases) {
      id = await escalated(ledger)
      expect(await cast(ledger, both, id, { ...approve, for: first })).toBe('pending')
      expect((await faultOf(second())).code).toBe('already_voted')
      expect((await ledger.approval(id, {})).status).toBe('pending')
    }
    // And where Ann has voted herself, nobody does so for her.
    id = await escalated(ledger)
    await cast(ledger, lead('ann'), id, approve)
    expect((await faultOf(cast(ledger, both, id, { ...approve, for: ann }))).code).toBe('already_voted')
    expect(await cast(ledger, both, id, { ...approve, for: eve })).toBe('approved')
  })

  test('from its start until just before its end', async () => {
    await give({ starts: later(1), ends: later(3) })
    const id = await escalated(ledger)
    const voting = () => cast(ledger, clerk, id, { ...approve, for: ann })
    expect((await faultOf(voting())).code).toBe('not_permitted')
    site.clock.advance(3 * minute)
    expect((await faultOf(voting())).code).toBe('not_permitted')
    const other = await escalated(ledger)
    await give({ starts: later(0), ends: later(1) })
    site.clock.advance(minute - 1)
    expect(await cast(ledger, clerk, other, { ...approve, for: ann })).toBe('pending')
  })

  test.each([ann, bob, 'operator'])('until %s revokes it', async (by) => {
    const { id: delegation } = await give()
    await ledger.delegations.revoke(delegation, { by, reason: 'back' })
    const id = await escalated(ledger)
    expect((await faultOf(cast(ledger, clerk, id, { ...approve, for: ann }))).code).toBe('not_permitted')
    expect((await faultOf(ledger.delegations.revoke(delegation, { by, reason }))).code).toBe('conflict')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('goes no further: who votes for Ann cannot let others vote for her', async () => {
    await give()
    await ledger.delegations.give({ from: bob, to: eve, ends: later(60), reason, by: bob })
    const id = await escalated(ledger)
    expect((await faultOf(cast(ledger, lead('eve'), id, { ...approve, for: ann }))).code).toBe(
      'not_permitted',
    )
    // Bob himself may not vote, so nobody may for him.
    expect((await faultOf(cast(ledger, lead('eve'), id, { ...approve, for: bob }))).code).toBe(
      'not_permitted',
    )
  })

  test('ends with the roles of the person whose vote it is', async () => {
    await give()
    const id = await escalated(ledger)
    await knows(ledger, voter('ann', []))
    expect((await faultOf(cast(ledger, clerk, id, { ...approve, for: ann }))).code).toBe('not_permitted')
  })

  test.each([ann, bob])('is no way around standing behind the call: %s does', async (principal) => {
    await give()
    const id = await escalated(ledger, { context: { principal } })
    expect((await faultOf(cast(ledger, clerk, id, { ...approve, for: ann }))).code).toBe('not_permitted')
  })

  test('is no way around being left out', async () => {
    const policy =
      'approvals: { human_approval_required: { approvers: [role:lead], exclude: [role:clerk] } }\n'
    const strict = await site.open(policiesOf(supportPolicy(policy)))
    await strict.delegations.give({ from: ann, to: bob, ends: later(60), reason, by: ann })
    const id = await escalated(strict)
    expect((await faultOf(cast(strict, clerk, id, { ...approve, for: ann }))).code).toBe('not_permitted')
  })

  describe('is given by the person, an administrator or the operator, and by nobody else', () => {
    test.each([
      [ann, [], true],
      ['operator', [], true],
      ['root@example.com', ['administrator'], true],
      [bob, ['clerk'], false],
      [eve, ['lead', 'approver', 'operator'], false],
    ] as const)('%s with %j: %s', async (by, roles, may) => {
      if (by.includes('@') && by !== ann) await knows(ledger, { id: by as never, roles })
      if (may) expect((await give({ by })).id).toBeDefined()
      else expect((await faultOf(give({ by }))).code).toBe('not_permitted')
    })

    test('and revoked by nobody else', async () => {
      const { id } = await give()
      expect((await faultOf(ledger.delegations.revoke(id, { by: eve, reason }))).code).toBe('not_permitted')
      expect((await faultOf(ledger.delegations.revoke('dlg_999', { by: ann, reason }))).code).toBe(
        'not_found',
      )
    })
  })

  test.each([
    [{ to: ann }, 'bad_input'],
    [{ to: 'nobody@example.com' }, 'not_found'],
    [{ ends: 'tomorrow' }, 'bad_input'],
    [{ starts: later1(2), ends: later1(1) }, 'bad_input'],
    [{ ends: '2001-01-01T00:00:00Z' }, 'bad_input'],
    [{ ends: '2999-01-01T00:00:00Z' }, 'bad_input'],
    [{ reason: '' }, 'bad_input'],
  ])('%j is refused', async (wrong, code) => {
    expect((await faultOf(give(wrong))).code).toBe(code)
  })

  test('ends with the removal of either, however many there are, also while others are given', async () => {
    const access = new Access(ledger)
    // One in each direction, and more than any list names at once.
    await give()
    await give({ from: eve, to: ann, by: eve })
    const many = Array.from({ length: 510 }, (_, n) => ({ ends: later(100 + n) }))
    await Promise.all(many.map((more) => give(more)))
    let isOver = false
    const giving = (async () => {
      while (!isOver)
        await Promise.allSettled(Array.from({ length: 8 }, () => give({ from: eve, to: ann, by: eve })))
    })()
    await access.removePerson(ann)
    isOver = true
    await giving
    await knows(ledger, lead('ann'))
    for (const person of [ann, bob]) expect(await ledger.delegations.list(person)).toEqual([])
    const id = await escalated(ledger)
    expect((await faultOf(cast(ledger, clerk, id, { ...approve, for: ann }))).code).toBe('not_permitted')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('is nobody’s who comes back under the address, also where removal, return and another role share a batch', async () => {
    await give()
    const id = await escalated(ledger)
    const person = ann as PersonId
    await Promise.all([
      ledger.changePerson(removePersonOperation(person, undefined)),
      ledger.changePerson(setPersonOperation({ person, roles: ['lead'] })),
      ledger.changePerson(setPersonOperation({ person, roles: ['lead', 'approver'] })),
    ])
    expect(await ledger.delegations.list(ann)).toEqual([])
    expect((await faultOf(cast(ledger, clerk, id, { ...approve, for: ann }))).code).toBe('not_permitted')
    await give()
    expect(await cast(ledger, clerk, id, { ...approve, for: ann })).toBe('pending')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('is not hidden by a great many others', async () => {
    await give()
    const many = Array.from({ length: 510 }, () =>
      ledger.delegations.give({ from: eve, to: bob, ends: later(60), reason, by: eve }),
    )
    await Promise.all(many)
    expect((await ledger.delegations.principalsOf(bob)).toSorted()).toEqual([ann, eve])
    expect((await ledger.delegations.inForce()).length).toBe(511)
  })

  test('is listed for both, and for neither once it is over', async () => {
    const { id } = await give()
    for (const person of [ann, bob, undefined]) {
      expect(await ledger.delegations.list(person)).toMatchObject([{ id, from: ann, to: bob }])
    }
    expect(await ledger.delegations.list(eve)).toEqual([])
    site.clock.advance(60 * minute)
    expect(await ledger.delegations.list()).toEqual([])
  })
})

/** Long after the clock of these tests. */
function later1(years: number): string {
  return `${2030 + years}-01-01T00:00:00Z`
}
