import { randomBytes } from 'node:crypto'
import { sealedKeys, type DecisionRequest, type Sha256 } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Access } from '../src/access.ts'
import type { Ledger } from '../src/ledger.ts'
import { noNeeds } from '../src/log/needs.ts'
import type { Operation } from '../src/log/operation.ts'
import { PayloadKey } from '../src/sealing/payload-key.ts'
import {
  agent,
  cast,
  faultOf,
  knows,
  ledgerSite,
  policiesOf,
  records,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const policy = `
agent_id: ${agent}
allowed_actions: [issue_refund, send_mail, read_page]
subject: params.customer_id
actions:
  send_mail: { subject: [params.to] }
  read_page: { subject: [] }
escalation_rules:
  - { condition: 'params.amount > 500', action: human_approval_required }
approvals:
  human_approval_required: { standing: { uses: 5, lasts: 8h, may_differ: { amount: up_to } } }
facts: {}
`
const newKey = () => new PayloadKey(randomBytes(32).toString('hex'))
const key = newKey()

function refundOf(customer: string, more: Partial<DecisionRequest> = {}, amount = 1): DecisionRequest {
  return { action: 'issue_refund', params: { amount, customer_id: customer }, ...more }
}

describeOnOnePostgres('G9: payloads that are sealed', (postgres) => {
  let site: LedgerSite

  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  const opened = (name?: string, payloadKey: PayloadKey | undefined = key) =>
    site.open(policiesOf(policy), name, { payloadKey })
  const sealing = async () => {
    const ledger = await opened()
    await ledger.sealing.start()
    return ledger
  }
  const erase = (ledger: Ledger, subject: string) =>
    ledger.erase({ target: { subject }, reason: 'request 18', by: 'operator' })
  const bodies = async (ledger: Ledger) => {
    const rows = await site.query<{ body: string }>(
      `select line as body from log_batch, unnest(string_to_array(bodies, E'\\n')) as line
      where ledger = $1 and line <> '' order by first`,
      [ledger.name],
    )
    return rows.map(({ body }) => body)
  }
  const keysOf = (ledger: Ledger) =>
    site.query<{ id: string; wrapped: Buffer }>(
      'select id, wrapped from subject_key where ledger = $1 order by id',
      [ledger.name],
    )
  const found = async (ledger: Ledger, text: string) => {
    const all: number[] = []
    for await (const { record } of ledger.search({ text })) all.push(record.index)
    return all
  }

  describe('where a master key is set', () => {
    test('hold nothing of a person in the database, and are read as they were sent', async () => {
      const ledger = await sealing()
      await knows(ledger, voter('pat'))
      const paid = await ledger.decide(agent, refundOf('cu-ann', { callId: 'c1', context: { to: 'cu-ann' } }))
      await ledger.reportOutcome(agent, paid.id, { status: 'succeeded', detail: 'paid to cu-ann' })
      const asked = await ledger.decide(agent, refundOf('cu-ann', {}, 600))
      const id = asked.approval?.id ?? ''
      await cast(ledger, voter('pat'), id, { vote: 'approve', comment: 'cu-ann called' })
      const cancelled = await ledger.decide(agent, refundOf('cu-ann', {}, 700))
      await ledger.cancel(cancelled.approval?.id ?? '', { agent, reason: 'cu-ann hung up' })
      expect((await bodies(ledger)).join('\n')).not.toContain('cu-ann')
      expect(await keysOf(ledger)).toHaveLength(1)

      expect(await ledger.decision(paid.id)).toMatchObject({
        params: { amount: 1, customer_id: 'cu-ann' },
        context: { to: 'cu-ann' },
        outcome: { detail: 'paid to cu-ann' },
      })
      const { decisions } = await ledger.decisions({ limit: 5 })
      expect(decisions.map(({ params }) => params)).toContainEqual({ amount: 600, customer_id: 'cu-ann' })
      expect(await ledger.approval(id, {})).toMatchObject({
        params: { amount: 600 },
        votes: [{ comment: 'cu-ann called' }],
      })
      expect(await ledger.approval(cancelled.approval?.id ?? '', {})).toMatchObject({
        cancelled: { reason: 'cu-ann hung up' },
      })
      expect(await ledger.replay(paid.id)).toMatchObject({ same: true })
      expect((await ledger.explain(asked.id)).effect).toBe('escalate')
      expect(await found(ledger, 'cu-ann called')).toHaveLength(1)
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('are those of people alone: what holds nobody’s data is stored as it was', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, { action: 'read_page', params: { url: 'https://example.com' } })
      expect((await bodies(ledger)).at(-1)).toBe('{"context":{},"params":{"url":"https://example.com"}}')
      expect(await keysOf(ledger)).toEqual([])
    })

    test('are recorded to be sealed from then on, once', async () => {
      const ledger = await sealing()
      await ledger.sealing.start()
      const again = await opened(ledger.name)
      await again.sealing.start()
      const said = (await records(site, ledger)).filter(({ kind }) => kind === 'sealing')
      expect(said).toMatchObject([{ event: 'on', key: key.id, by: 'operator' }])
      expect(await ledger.sealing.status()).toMatchObject({
        state: 'on',
        key: key.id,
        own: key.id,
        refuses: false,
      })
    })

    test('of a call that is made again are compared as they were sent', async () => {
      const ledger = await sealing()
      const request = refundOf('cu-ann', { callId: 'c1' })
      const first = await ledger.decide(agent, request)
      expect(await ledger.decide(agent, request)).toMatchObject({ id: first.id, replayed: true })
      const other = await faultOf(ledger.decide(agent, refundOf('cu-bob', { callId: 'c1' })))
      expect(other.code).toBe('call_id_reused')
    })

    test('are sealed in a batch of many calls with one key for each person', async () => {
      const ledger = await sealing()
      const people = Array.from({ length: 60 }, (_, nth) => `cu-${nth % 7}`)
      const answers = await Promise.all(people.map((person) => ledger.decide(agent, refundOf(person))))
      expect(await keysOf(ledger)).toHaveLength(7)
      for (const [nth, { id }] of answers.entries()) {
        expect((await ledger.decision(id)).params).toMatchObject({ customer_id: people[nth] })
      }
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('are sealed by several processes at once with one key for each person', async () => {
      const one = await sealing()
      const [two, three] = [await opened(one.name), await opened(one.name)]
      const calls = Array.from({ length: 30 }, (_, nth) =>
        [one, two, three].map((ledger) => ledger.decide(agent, refundOf(`cu-${nth % 3}`))),
      )
      const answers = await Promise.all(calls.flat())
      expect(await keysOf(one)).toHaveLength(3)
      for (const answer of answers) {
        expect((await one.decision(answer.id)).params).not.toBeNull()
      }
      expect(await one.verify()).toMatchObject({ kind: 'intact' })
    })
  })

  describe('an approval of a sealed call', () => {
    const approved = async (ledger: Ledger) => {
      await knows(ledger, voter('pat'))
      const { approval } = await ledger.decide(agent, refundOf('cu-ann', {}, 600))
      const id = approval?.id ?? ''
      await cast(ledger, voter('pat'), id, { vote: 'approve' })
      return id
    }

    test('lets that call through once', async () => {
      const ledger = await sealing()
      const approvalId = await approved(ledger)
      expect(await ledger.decide(agent, refundOf('cu-ann', { approvalId }, 600))).toMatchObject({
        effect: 'allow',
      })
      expect((await ledger.decide(agent, refundOf('cu-ann', { approvalId }, 600))).effect).not.toBe('allow')
    })

    test('lets no call with other params through', async () => {
      const ledger = await sealing()
      const approvalId = await approved(ledger)
      for (const request of [
        refundOf('cu-ann', { approvalId }, 601),
        refundOf('cu-bob', { approvalId }, 600),
      ]) {
        expect((await ledger.decide(agent, request)).effect).not.toBe('allow')
      }
    })

    test('lets nothing through once the person was erased, or where the master key is missing', async () => {
      const ledger = await sealing()
      const approvalId = await approved(ledger)
      const blind = await opened(ledger.name, newKey())
      const fault = await faultOf(blind.decide(agent, refundOf('cu-ann', { approvalId }, 600)))
      expect(fault).toMatchObject({ code: 'payload_key_missing', recorded: 'no' })
      await erase(ledger, 'cu-ann')
      expect(await ledger.decide(agent, refundOf('cu-ann', { approvalId }, 600))).toMatchObject({
        effect: 'deny',
        reasons: [`Approval ${approvalId} was given for a call whose params are not there any more`],
      })
    })

    test('that gave a standing grant lets like calls through, until the person is erased', async () => {
      const ledger = await sealing()
      await knows(ledger, voter('pat'))
      const { approval } = await ledger.decide(agent, refundOf('cu-ann', {}, 600))
      const until = new Date(site.clock.now() + 3_600_000).toISOString()
      await cast(ledger, voter('pat'), approval?.id ?? '', { vote: 'approve', standing: { uses: 3, until } })
      expect((await ledger.decide(agent, refundOf('cu-ann', {}, 550))).effect).toBe('allow')
      const other = await opened(ledger.name)
      expect((await other.decide(agent, refundOf('cu-ann', {}, 551))).effect).toBe('allow')
      expect(await other.grants.list()).toMatchObject([{ params: { customer_id: 'cu-ann' } }])
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
      await erase(other, 'cu-ann')
      expect((await ledger.decide(agent, refundOf('cu-ann', {}, 552))).effect).toBe('escalate')
      expect((await other.decide(agent, refundOf('cu-ann', {}, 553))).effect).toBe('escalate')
    })
  })

  describe('an approval in a service without the payload key', () => {
    test('that gave a standing grant ends with its person where the call cannot be read', async () => {
      const ledger = await sealing()
      await knows(ledger, voter('pat'))
      const { approval } = await ledger.decide(agent, refundOf('cu-ann', {}, 600))
      const until = new Date(site.clock.now() + 3_600_000).toISOString()
      await cast(ledger, voter('pat'), approval?.id ?? '', { vote: 'approve', standing: { uses: 3, until } })
      const blind = await site.open(policiesOf(policy), ledger.name, {})
      expect(await blind.grants.list()).toEqual([])
      await new Access(blind).removePerson('pat@example.com')
      await knows(ledger, voter('pat'))
      expect(await ledger.grants.list()).toEqual([])
      expect((await ledger.decide(agent, refundOf('cu-ann', {}, 550))).effect).toBe('escalate')
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })
  })

  describe('an approval in a service without the payload key, with the vote of a person who is removed', () => {
    test('is withdrawn, without the reason, which only the key could seal', async () => {
      const ledger = await sealing()
      await knows(ledger, voter('pat'))
      const { approval } = await ledger.decide(agent, refundOf('cu-ann', {}, 600))
      const id = approval?.id ?? ''
      await cast(ledger, voter('pat'), id, { vote: 'approve' })
      const blind = await site.open(policiesOf(policy), ledger.name, {})
      await new Access(blind).removePerson('pat@example.com')
      const { status, cancelled } = await ledger.approval(id, {})
      expect({ status, by: cancelled?.by, reason: cancelled?.reason }).toEqual({
        status: 'cancelled',
        by: 'operator',
        reason: null,
      })
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })
  })

  describe('erasing a person', () => {
    test('destroys the key in the transaction that says so, and everybody else stays readable', async () => {
      const ledger = await sealing()
      const ann = await ledger.decide(agent, refundOf('cu-ann'))
      const bob = await ledger.decide(agent, refundOf('cu-bob'))
      const both = await ledger.decide(agent, {
        action: 'send_mail',
        params: { to: ['cu-ann', 'cu-bob'], amount: 1 },
      })
      const before = await keysOf(ledger)
      const result = await erase(ledger, 'cu-ann')
      const left = await keysOf(ledger)
      expect(before).toHaveLength(2)
      expect(left).toHaveLength(1)
      const gone = before.map(({ id }) => id).filter((id) => id !== left[0]?.id)
      expect(result.keys).toEqual(gone)
      expect((await records(site, ledger)).at(result.recordedAs[0] ?? -1)).toMatchObject({
        kind: 'erasure',
        scope: 'subject',
        records: [],
        keys: gone,
      })
      expect(await ledger.decision(ann.id)).toMatchObject({ params: null, erased: true })
      expect(await ledger.decision(both.id)).toMatchObject({ params: null, erased: true })
      expect((await ledger.decision(bob.id)).params).toMatchObject({ customer_id: 'cu-bob' })
      expect(await ledger.verify()).toMatchObject({ kind: 'intact', erased: 2 })
    })

    test('makes unreadable also what is still stored, in every process', async () => {
      const ledger = await sealing()
      const ann = await ledger.decide(agent, refundOf('cu-ann', { callId: 'c1' }))
      const kept = await site.query<{ first: string; bodies: string; salts: Buffer }>(
        'select first, bodies, salts from log_batch where ledger = $1 order by first desc limit 1',
        [ledger.name],
      )
      const other = await opened(ledger.name)
      expect((await other.decision(ann.id)).params).not.toBeNull()
      // As in a segment that nobody can write again: the key alone goes.
      const { id } = (await keysOf(ledger))[0] ?? { id: '' }
      await site.query('delete from subject_key where id = $1', [id])
      for (const one of [ledger, other]) {
        expect(await one.decision(ann.id)).toMatchObject({ params: null, erased: true })
        expect((await faultOf(one.replay(ann.id))).code).toBe('erased')
        expect(await found(one, 'cu-ann')).toEqual([])
        expect((await faultOf(one.decide(agent, refundOf('cu-ann', { callId: 'c1' })))).code).toBe(
          'call_id_reused',
        )
      }
      expect(kept[0]?.bodies).not.toContain('cu-ann')
    })

    test('leaves a new key to whoever is called for again', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      const [before] = await keysOf(ledger)
      await erase(ledger, 'cu-ann')
      const again = await ledger.decide(agent, refundOf('cu-ann'))
      const [after] = await keysOf(ledger)
      expect(after?.id).not.toBe(before?.id)
      expect((await ledger.decision(again.id)).params).toMatchObject({ customer_id: 'cu-ann' })
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('destroys no key while a hold stands, nor in a dry run', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      const dry = { target: { subject: 'cu-ann' }, reason: 'request 18', by: 'operator', dryRun: true }
      expect((await ledger.erase(dry)).keys).toHaveLength(1)
      await ledger.changeHold({ hold: 'case-7', event: 'placed', reason: 'a claim', by: 'operator' })
      expect((await faultOf(erase(ledger, 'cu-ann'))).code).toBe('conflict')
      expect(await keysOf(ledger)).toHaveLength(1)
    })

    test('needs no master key', async () => {
      const ledger = await sealing()
      const ann = await ledger.decide(agent, refundOf('cu-ann'))
      const blind = await site.open(policiesOf(policy), ledger.name)
      expect((await erase(blind, 'cu-ann')).keys).toHaveLength(1)
      expect(await ledger.decision(ann.id)).toMatchObject({ erased: true })
    })

    test('while calls of the same person come in leaves no payload that is sealed with a key that is gone', async () => {
      const one = await sealing()
      const other = await opened(one.name)
      const work = Array.from({ length: 40 }, (_, nth) =>
        nth % 10 === 9
          ? erase(nth % 20 === 9 ? one : other, 'cu-ann').then(() => undefined)
          : (nth % 2 === 0 ? one : other).decide(agent, refundOf('cu-ann')).then(() => undefined),
      )
      await Promise.all(work)
      await erase(one, 'cu-ann')
      expect(await keysOf(one)).toEqual([])
      expect((await bodies(one)).filter((body) => sealedKeys(body) !== undefined)).toEqual([])
      expect(await one.verify()).toMatchObject({ kind: 'intact' })
    })
  })

  describe('a process without the master key', () => {
    test('stores no call that holds data of people, and everything else', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      for (const payloadKey of [undefined, newKey()]) {
        const blind = await site.open(policiesOf(policy), ledger.name, { payloadKey })
        await blind.sealing.start()
        const fault = await faultOf(blind.decide(agent, refundOf('cu-bob')))
        expect(fault).toMatchObject({ code: 'payload_key_missing', recorded: 'no' })
        expect((await blind.decide(agent, { action: 'read_page', params: { amount: 1 } })).effect).toBe(
          'allow',
        )
        expect((await blind.sealing.status()).refuses).toBe(true)
      }
      expect((await bodies(ledger)).join('\n')).not.toContain('cu-bob')
    })

    test('that was there before sealing was switched on stores none either', async () => {
      const blind = await site.open(policiesOf(policy))
      expect((await blind.decide(agent, refundOf('cu-ann'))).effect).toBe('allow')
      const ledger = await opened(blind.name)
      await ledger.sealing.start()
      expect((await faultOf(blind.decide(agent, refundOf('cu-ann')))).code).toBe('payload_key_missing')
    })

    test('says that calls are sealed, and neither shows, explains nor decides by them', async () => {
      const ledger = await sealing()
      await knows(ledger, voter('pat'))
      const asked = await ledger.decide(agent, refundOf('cu-ann', { callId: 'c1' }, 600))
      const id = asked.approval?.id ?? ''
      const blind = await site.open(policiesOf(policy), ledger.name)
      expect(await blind.decision(asked.id)).toMatchObject({ params: null, sealed: true })
      expect(await blind.decision(asked.id)).not.toHaveProperty('erased')
      expect(await blind.approval(id, { voter: voter('pat') })).toMatchObject({
        sealed: true,
        mayVote: false,
      })
      for (const refused of [
        () => blind.replay(asked.id),
        () => cast(blind, voter('pat'), id, { vote: 'approve' }),
        () => blind.decide(agent, refundOf('cu-ann', { callId: 'c1' }, 600)),
      ]) {
        expect((await faultOf(refused())).code).toBe('payload_key_missing')
      }
      expect(await blind.verify(), 'verification needs no key').toMatchObject({ kind: 'intact' })
    })
  })

  describe('the master key', () => {
    test('is rotated in one transaction: the new one opens everything, and the former one nothing', async () => {
      const ledger = await sealing()
      const ann = await ledger.decide(agent, refundOf('cu-ann'))
      const next = newKey()
      const { index } = await ledger.sealing.rotate(next, 'operator')
      expect((await records(site, ledger)).at(index ?? -1)).toMatchObject({
        kind: 'sealing',
        event: 'on',
        key: next.id,
      })
      const later = await opened(ledger.name, next)
      expect((await later.decision(ann.id)).params).toMatchObject({ customer_id: 'cu-ann' })
      expect((await later.decide(agent, refundOf('cu-ann'))).effect).toBe('allow')
      expect(await keysOf(ledger)).toHaveLength(1)
      expect(await ledger.decision(ann.id)).toMatchObject({ sealed: true })
      expect((await faultOf(ledger.decide(agent, refundOf('cu-ann')))).code).toBe('payload_key_missing')
      expect((await faultOf(ledger.sealing.rotate(next, 'operator'))).code).toBe('conflict')
      expect(await later.verify()).toMatchObject({ kind: 'intact' })
    })

    test('that is lost is replaced by another one: what was sealed stays sealed, and people get new keys', async () => {
      const ledger = await sealing()
      const ann = await ledger.decide(agent, refundOf('cu-ann'))
      const later = await opened(ledger.name, newKey())
      await later.sealing.switchOn('operator')
      const again = await later.decide(agent, refundOf('cu-ann'))
      expect((await later.decision(again.id)).params).toMatchObject({ customer_id: 'cu-ann' })
      expect(await later.decision(ann.id)).toMatchObject({ sealed: true })
      expect(Object.values((await later.sealing.status()).people)).toEqual([1, 1])
      expect((await erase(later, 'cu-ann')).keys).toHaveLength(2)
      expect(await later.verify()).toMatchObject({ kind: 'intact' })
    })

    test('that is switched off seals nothing new, stays off when a service starts, and reads as before', async () => {
      const ledger = await sealing()
      const ann = await ledger.decide(agent, refundOf('cu-ann'))
      await ledger.sealing.switchOff('operator')
      await ledger.sealing.start()
      await ledger.decide(agent, refundOf('cu-bob'))
      expect((await bodies(ledger)).join('\n')).toContain('cu-bob')
      expect((await ledger.decision(ann.id)).params).toMatchObject({ customer_id: 'cu-ann' })
      const blind = await site.open(policiesOf(policy), ledger.name)
      expect((await blind.decide(agent, refundOf('cu-eve'))).effect).toBe('allow')
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    })
  })

  describe('the secret under which people are found', () => {
    const changed = (ledger: Ledger) =>
      site.query(
        `update ledger_secret set secret = sha256('another') where ledger = $1 and name = 'subject'`,
        [ledger.name],
      )
    const said = async (ledger: Ledger) =>
      (await records(site, ledger)).flatMap((record) =>
        record.kind === 'sealing' ? [{ key: record.key, fingerprint: record.fingerprint }] : [],
      )
    const secretOf = async (ledger: Ledger) =>
      (
        await site.query<{ secret: Buffer }>(
          `select secret from ledger_secret where ledger = $1 and name = 'subject'`,
          [ledger.name],
        )
      )[0]?.secret ?? Buffer.alloc(0)
    // As if nobody had looked; versions before this one recorded no fingerprint.
    const sealedAs = (fingerprint: Sha256 | undefined): Operation<number> => ({
      needs: noNeeds,
      apply: (fold, { index }) => ({
        body: { kind: 'sealing', event: 'on', key: key.id, fingerprint, by: 'operator' },
        answer: index,
        staged: () => fold.seals.change({ index, key: key.id, fingerprint: fingerprint ?? null }),
      }),
    })

    test('is recorded by what only the master key makes of it, and tells nobody what it is', async () => {
      const ledger = await sealing()
      const secret = await secretOf(ledger)
      expect(await said(ledger)).toEqual([
        { key: key.id, fingerprint: key.fingerprintOf(secret, ledger.name) },
      ])
      expect(newKey().fingerprintOf(secret, ledger.name)).not.toBe(key.fingerprintOf(secret, ledger.name))
      expect(key.fingerprintOf(secret, 'another')).not.toBe(key.fingerprintOf(secret, ledger.name))
    })

    test('and was changed is named by verification with the master key, and nobody is erased under it', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
      await changed(ledger)
      const [record] = (await records(site, ledger)).filter(({ kind }) => kind === 'sealing')
      const problem = `the secret under which people are found is not the one of record ${record?.index}`
      expect(await ledger.verify()).toMatchObject({
        kind: 'broken',
        index: record?.index,
        problem: expect.stringContaining(problem) as unknown,
      })
      // One that reads it anew, and one that still knows the former.
      for (const one of [await opened(ledger.name), ledger]) {
        const { size } = await one.head()
        const fault = await faultOf(erase(one, 'cu-ann'))
        expect(fault).toMatchObject({ code: 'log_broken', message: expect.stringContaining(problem) })
        expect((await one.head()).size).toBe(size)
      }
      expect(await keysOf(ledger)).toHaveLength(1)
    })

    test('and was put back is as good as before', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      const secret = await secretOf(ledger)
      await changed(ledger)
      await site.query(`update ledger_secret set secret = $2 where ledger = $1 and name = 'subject'`, [
        ledger.name,
        secret,
      ])
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
      expect((await erase(await opened(ledger.name), 'cu-ann')).keys).toHaveLength(1)
    })

    test('and was changed while it was used keeps whoever used it from erasing after it was put back', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      const secret = await secretOf(ledger)
      await changed(ledger)
      const other = await opened(ledger.name)
      await site.query(`update ledger_secret set secret = $2 where ledger = $1 and name = 'subject'`, [
        ledger.name,
        secret,
      ])
      expect((await faultOf(erase(other, 'cu-ann'))).code).toBe('log_broken')
      expect((await erase(ledger, 'cu-ann')).keys).toHaveLength(1)
    })

    test('and was changed is not sealed under, nor wrapped anew, by whoever has the master key', async () => {
      const ledger = await sealing()
      await changed(ledger)
      const other = await opened(ledger.name)
      for (const refused of [
        () => other.sealing.start(),
        () => other.sealing.rotate(newKey(), 'operator'),
        () => other.sealing.switchOn('operator'),
      ]) {
        expect((await faultOf(refused())).code).toBe('log_broken')
      }
      expect(await said(ledger)).toHaveLength(1)
    })

    test('is held against the record: what the row says of it helps nobody', async () => {
      const ledger = await sealing()
      await changed(ledger)
      for (const fingerprint of [null, key.fingerprintOf(await secretOf(ledger), ledger.name)]) {
        await site.query('update payload_sealing set fingerprint = $2 where ledger = $1', [
          ledger.name,
          fingerprint,
        ])
        const other = await opened(ledger.name)
        expect((await faultOf(other.sealing.start())).code).toBe('log_broken')
        expect(await other.verify()).toMatchObject({ kind: 'broken' })
      }
      expect(await said(ledger)).toHaveLength(1)
    })

    test('is recorded again when the master key is rotated, and found changed under the new one, too', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      const next = newKey()
      await ledger.sealing.rotate(next, 'operator')
      const later = await opened(ledger.name, next)
      await later.sealing.start()
      const secret = await secretOf(ledger)
      expect(await said(ledger)).toEqual(
        [key, next].map((each) => ({ key: each.id, fingerprint: each.fingerprintOf(secret, ledger.name) })),
      )
      for (const one of [ledger, later]) expect(await one.verify()).toMatchObject({ kind: 'intact' })
      await changed(ledger)
      for (const one of [ledger, later]) expect(await one.verify()).toMatchObject({ kind: 'broken' })
      expect((await faultOf(erase(await opened(ledger.name, next), 'cu-ann'))).code).toBe('log_broken')
    })

    test('of a ledger that has sealed since before is recorded once, by the first that has the master key', async () => {
      const ledger = await opened()
      await ledger.changePerson(sealedAs(undefined))
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
      const blind = await site.open(policiesOf(policy), ledger.name, { payloadKey: newKey() })
      await blind.sealing.start()
      expect(await said(ledger)).toEqual([{ key: key.id }])
      await ledger.sealing.start()
      await ledger.sealing.start()
      const fingerprint = key.fingerprintOf(await secretOf(ledger), ledger.name)
      expect(await said(ledger)).toEqual([{ key: key.id }, { key: key.id, fingerprint }])
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
      await changed(ledger)
      expect(await ledger.verify()).toMatchObject({ kind: 'broken' })
    })

    test('that two records of one master key say differently is named without that key', async () => {
      const ledger = await sealing()
      const index = await ledger.changePerson(sealedAs('ab'.repeat(32) as Sha256))
      const blind = await site.open(policiesOf(policy), ledger.name)
      expect(await blind.verify()).toMatchObject({
        kind: 'broken',
        index,
        problem: expect.stringContaining('people are found under another secret') as unknown,
      })
    })

    test('and is lost for good leaves a ledger that goes on under another master key', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      await changed(ledger)
      const later = await opened(ledger.name, newKey())
      await later.sealing.switchOn('operator')
      await later.sealing.start()
      await later.decide(agent, refundOf('cu-bob'))
      expect(await later.verify()).toMatchObject({ kind: 'intact' })
      expect((await erase(later, 'cu-bob')).keys).toHaveLength(1)
      expect((await erase(later, 'cu-ann')).keys, 'found by decision only').toEqual([])
    })

    test('and was changed is not noticed without the master key, and an erasure finds nobody', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      await changed(ledger)
      const blind = await site.open(policiesOf(policy), ledger.name)
      expect(await blind.verify()).toMatchObject({ kind: 'intact' })
      expect((await erase(blind, 'cu-ann')).keys).toEqual([])
    })
  })

  describe('verification', () => {
    const problemOf = async (ledger: Ledger) => {
      const result = await ledger.verify()
      return result.kind === 'broken' ? result.problem : result.kind
    }

    test('names a key that is gone without an erasure', async () => {
      const ledger = await sealing()
      const { id } = await ledger.decide(agent, refundOf('cu-ann'))
      await site.query('delete from subject_key where ledger = $1', [ledger.name])
      expect(await problemOf(ledger)).toContain(
        `record ${id.slice('dec_'.length)}: a key that its payload is sealed with is gone`,
      )
    })

    test('names a key that is there again after it was destroyed', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      await site.query('create table kept_key as select * from subject_key where ledger = $1', [ledger.name])
      await erase(ledger, 'cu-ann')
      await site.query('insert into subject_key select * from kept_key')
      expect(await problemOf(ledger)).toContain('it says that a key was destroyed, and the key is there')
      await site.query('drop table kept_key')
    })

    test('names a ledger that somebody has switched off in the table alone', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      await site.query('update payload_sealing set key = null where ledger = $1', [ledger.name])
      expect(await problemOf(ledger)).toContain('whether payloads are sealed does not say what the log says')
      await site.query('delete from payload_sealing where ledger = $1', [ledger.name])
      expect(await problemOf(ledger)).toContain('whether payloads are sealed')
    })

    test('names a person who is not stored beside a sealed payload, without opening it', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      await site.query('delete from payload_subject where ledger = $1', [ledger.name])
      expect(await problemOf(ledger)).toContain('a person whose data it holds is not stored beside it')
    })

    test('a wrapped key that was changed opens nothing, spoils nobody else’s, and is told', async () => {
      const ledger = await sealing()
      const { id, approval } = await ledger.decide(agent, refundOf('cu-ann', {}, 600))
      const approvalId = approval?.id ?? ''
      await cast(ledger, voter('pat'), approvalId, { vote: 'approve' })
      await site.query(
        `update subject_key set wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1) where ledger = $1`,
        [ledger.name],
      )
      for (const request of [refundOf('cu-ann'), refundOf('cu-ann', { approvalId }, 600)]) {
        const fault = await faultOf(ledger.decide(agent, request))
        expect(fault).toMatchObject({ code: 'log_broken', recorded: 'no' })
      }
      const other = await ledger.decide(agent, refundOf('cu-bob', {}, 600))
      expect(other.effect).toBe('escalate')
      expect(await ledger.decision(id)).toMatchObject({ params: null, sealed: true })
      expect((await faultOf(ledger.replay(id))).code).toBe('log_broken')
      const bob = { params: { customer_id: 'cu-bob', amount: 600 } }
      const ann = { params: null, sealed: true }
      expect((await ledger.decisions({ limit: 9 })).decisions).toMatchObject([bob, ann])
      expect(await ledger.approvals({ limit: 9 })).toMatchObject([bob, { ...ann, mayVote: false }])
      expect(await found(ledger, 'cu-bob')).toHaveLength(1)
      expect(await problemOf(ledger)).toMatch(/^the key \w+ was changed, or belongs to another person/)
    })

    test('names keys of two people that have changed places, and erasing one destroys neither', async () => {
      const ledger = await sealing()
      const ann = await ledger.decide(agent, refundOf('cu-ann'))
      const bob = await ledger.decide(agent, refundOf('cu-bob'))
      const exchange = async () => {
        for (const table of ['subject_key', 'payload_subject']) {
          await site.query(
            `update ${table} t set subject = o.subject from (select distinct subject from subject_key where ledger = $1) o
            where t.ledger = $1 and o.subject <> t.subject`,
            [ledger.name],
          )
        }
      }
      await exchange()
      expect(await problemOf(ledger)).toMatch(/^the key \w+ was changed, or belongs to another person/)
      expect((await faultOf(erase(ledger, 'cu-ann'))).code).toBe('log_broken')
      expect(await keysOf(ledger)).toHaveLength(2)

      await exchange()
      expect(await problemOf(ledger)).toBe('intact')
      for (const { id } of [ann, bob]) expect((await ledger.decision(id)).params).not.toBeNull()
      await erase(ledger, 'cu-ann')
      expect((await ledger.decision(bob.id)).params).toMatchObject({ customer_id: 'cu-bob' })
    })

    test('names a person under whom nobody is found, so that nothing is held back from erasing', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      for (const table of ['subject_key', 'payload_subject'])
        await site.query(`update ${table} set subject = sha256('nobody') where ledger = $1`, [ledger.name])
      expect(await problemOf(ledger)).toMatch(/^the key \w+ was changed, or belongs to another person/)
    })

    test('names a master key that no record names', async () => {
      const ledger = await sealing()
      await ledger.decide(agent, refundOf('cu-ann'))
      await site.query(`update subject_key set master = '0000000000000000' where ledger = $1`, [ledger.name])
      expect(await problemOf(ledger)).toMatch(
        /^the key \w+ is wrapped under a master key that no record names/,
      )
    })
  })
})
