import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Instant } from '@bailiwick/core'
import { Access } from '../src/access.ts'
import type { Ledger } from '../src/ledger.ts'
import { removePersonOperation } from '../src/operations/person.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
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
  refund,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

describeOnOnePostgres('G3: the vote of a person who is removed', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const ann = voter('ann')
  const approve = { vote: 'approve' } as const
  const opened = async (route = '{ approvers: [role:approver], quorum: 2 }') => {
    const ledger = await site.open(policiesOf(terms(route)))
    return { ledger, access: new Access(ledger), id: await escalated(ledger) }
  }
  const isUsed = async (ledger: Ledger, id: string) =>
    (await ledger.decide(agent, refund(600, { approvalId: id }))).effect === 'allow'

  test('withdraws the approval that waits for more, and nobody can add to it', async () => {
    const { ledger, access, id } = await opened()
    await cast(ledger, ann, id, approve)
    await knows(ledger, voter('root', ['administrator']))
    expect(await access.removePerson(ann.id, { by: 'root@example.com' })).toEqual([id])
    const { status, cancelled } = await ledger.approval(id, {})
    expect(status).toBe('cancelled')
    expect(cancelled).toMatchObject({
      by: 'root@example.com',
      reason: 'Somebody who had voted on it was removed.',
    })
    expect((await faultOf(cast(ledger, voter('bob'), id, approve))).code).toBe('approval_closed')
    expect(await isUsed(ledger, id)).toBe(false)
    const kinds = (await records(site, ledger)).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'cancellation')).toHaveLength(1)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('withdraws the approval that has its quorum and was not used', async () => {
    const { ledger, access, id } = await opened()
    for (const name of ['ann', 'bob']) await cast(ledger, voter(name), id, approve)
    await access.removePerson(ann.id)
    expect(await isUsed(ledger, id)).toBe(false)
  })

  test('withdraws what the glass was broken for', async () => {
    const { ledger, access, id } = await opened(
      '{ approvers: [role:finance], break_glass: { approvers: [role:oncall] } }',
    )
    const emergency = { ...approve, breakGlass: true, comment: 'the warehouse is on fire' } as const
    for (const name of ['ann', 'bob']) await cast(ledger, voter(name, ['oncall']), id, emergency)
    expect((await ledger.approval(id, {})).status).toBe('approved')
    await access.removePerson(ann.id)
    expect(await isUsed(ledger, id)).toBe(false)
  })

  test.each([['who voted in the stead of another'], ['in whose stead another voted']])(
    'withdraws the approval of one %s',
    async (which) => {
      const { ledger, access, id } = await opened('{ approvers: [role:finance] }')
      const cfo = voter('cfo', ['finance'])
      for (const each of [cfo, voter('ann', ['viewer'])]) await knows(ledger, each)
      const ends = new Date(site.clock.now() + 60 * minute).toISOString()
      await ledger.delegations.give({ from: cfo.id, to: ann.id, ends, reason: 'leave', by: cfo.id })
      const { digest } = await ledger.approval(id, {})
      expect(await ledger.vote(ann, id, { ...approve, digest, for: cfo.id })).toBe('approved')
      await access.removePerson(which.startsWith('who') ? ann.id : cfo.id)
      expect(await isUsed(ledger, id)).toBe(false)
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    },
  )

  test('leaves what others agreed to, what was used, rejected or has expired, as it is', async () => {
    const { ledger, access, id: used } = await opened('{ approvers: [role:approver] }')
    await cast(ledger, ann, used, approve)
    expect(await isUsed(ledger, used)).toBe(true)
    const expired = await escalated(ledger)
    await cast(ledger, ann, expired, approve)
    site.clock.advance(5 * minute)
    const rejected = await escalated(ledger)
    await cast(ledger, ann, rejected, { vote: 'reject' })
    const others = await escalated(ledger)
    await cast(ledger, voter('bob'), others, approve)
    expect(await access.removePerson(ann.id)).toEqual([])
    const statuses = await Promise.all(
      [used, expired, rejected, others].map(async (id) => (await ledger.approval(id, {})).status),
    )
    expect(statuses).toEqual(['consumed', 'expired', 'rejected', 'approved'])
    expect(await isUsed(ledger, others)).toBe(true)
  })

  test('counts for nobody who comes back under the same address', async () => {
    const { ledger, access, id } = await opened()
    await cast(ledger, ann, id, approve)
    await access.removePerson(ann.id)
    await access.setPerson(ann.id, ['approver'])
    expect((await faultOf(cast(ledger, ann, id, approve))).code).toBe('already_voted')
    expect((await faultOf(cast(ledger, voter('bob'), id, approve))).code).toBe('approval_closed')
  })

  test('keeps the person here until nothing rests on it: the transaction that removes judges it', async () => {
    const { ledger, access, id } = await opened()
    await cast(ledger, ann, id, approve)
    expect(await faultOf(ledger.changePerson(removePersonOperation(ann.id, undefined)))).toMatchObject({
      code: 'conflict',
      message: 'approvals or standing grants rest on the word of `ann@example.com`',
    })
    expect((await access.people()).map((person) => person.id)).toContain(ann.id)
  })

  test('is taken of nobody who goes on voting meanwhile, by whatever way and however fast: the removal is not held off', async () => {
    const { ledger, access, id: first } = await opened('{ approvers: ["person:ann@example.com"] }')
    const ids = [first, ...(await Promise.all(Array.from({ length: 40 }, () => escalated(ledger))))]
    await knows(ledger, ann)
    const digests = await Promise.all(ids.map(async (id) => (await ledger.approval(id, {})).digest))
    let refused = 0
    const voting = (async () => {
      for (const [at, id] of ids.entries()) {
        const voted = ledger.vote(ann, id, { ...approve, digest: digests[at] ?? '', channel: 'email' })
        await voted.catch(() => (refused += 1))
      }
    })()
    await access.removePerson(ann.id)
    await voting
    expect((await access.people()).map((person) => person.id)).not.toContain(ann.id)
    expect(refused).toBeGreaterThan(0)
    for (const id of ids) expect(['pending', 'cancelled']).toContain((await ledger.approval(id, {})).status)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('is withdrawn also by a process whose clock is ahead, which holds the approval for expired', async () => {
    const ahead = () => (Date.now() + 25_000) as Instant
    const now = () => Date.now() as Instant
    const quick = policiesOf(terms('{ approvers: [role:approver], deadline: 20s }'))
    const ledger = await site.open(quick, undefined, { now, databaseClock: true })
    const id = await escalated(ledger)
    await cast(ledger, ann, id, approve)
    const other = await site.open(quick, ledger.name, { now: ahead, databaseClock: true })
    await new Access(other).removePerson(ann.id)
    expect(await isUsed(ledger, id)).toBe(false)
    expect((await ledger.approval(id, {})).status).toBe('cancelled')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('takes along a standing grant that has ended by the clock of the process that removes, and not by the database’s', async () => {
    const standing = 'standing: { uses: 5, lasts: 8h, may_differ: { amount: up_to } }'
    const quick = policiesOf(terms(`{ approvers: [role:approver], ${standing} }`))
    const [now, ahead] = [0, 25_000].map((ms) => () => (Date.now() + ms) as Instant)
    const ledger = await site.open(quick, undefined, { now, databaseClock: true })
    const id = await escalated(ledger)
    const until = new Date(Date.now() + 20_000).toISOString()
    await cast(ledger, ann, id, { ...approve, standing: { uses: 3, until } })
    expect(await isUsed(ledger, id)).toBe(true)
    expect((await ledger.decide(agent, refund(600))).effect).toBe('allow')
    const other = await site.open(quick, ledger.name, { now: ahead, databaseClock: true })
    await new Access(other).removePerson(ann.id)
    expect((await ledger.decide(agent, refund(600))).effect).toBe('escalate')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('that races with the removal leaves no approval behind, in one process or two', async () => {
    const { ledger, access, id: first } = await opened('{ approvers: [role:approver] }')
    const other = new Access(
      await site.open(policiesOf(terms('{ approvers: [role:approver] }')), ledger.name),
    )
    for (let round = 0; round < 30; round++) {
      const id = round === 0 ? first : await escalated(ledger)
      await knows(ledger, ann)
      const { digest } = await ledger.approval(id, {})
      const [voted] = await Promise.all([
        ledger.vote(ann, id, { ...approve, digest }).catch(() => 'refused' as const),
        (round % 2 === 0 ? access : other).removePerson(ann.id),
      ])
      expect((await ledger.approval(id, {})).status).toBe(voted === 'refused' ? 'pending' : 'cancelled')
      expect(await isUsed(ledger, id)).toBe(false)
    }
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })
})
