import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { channelOf, endHolder, takeLease } from '../src/replicas/lease.ts'
import { Presence } from '../src/replicas/presence.ts'
import { inSchema } from '../src/migrate.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  agent,
  decisionRecords,
  faultOf,
  ledgerSite,
  policiesOf,
  refund,
  supportPolicy,
  type LedgerSite,
} from './harness/ledger.ts'
import { openReplica, openSettled, settled, type Replica } from './harness/replicas.ts'

const support = policiesOf(supportPolicy())

describeOnOnePostgres('a sequencer that others cannot rely on', (postgres) => {
  let site: LedgerSite
  let count = 0
  let opened: Replica[] = []
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(async () => {
    const all = opened
    opened = []
    await Promise.allSettled(all.map((replica) => replica.close()))
  })
  afterAll(() => site.remove())

  async function two(replyMs?: number) {
    const ledger = `trouble-${(count += 1)}`
    const options = { policies: support, ledger, ...(replyMs === undefined ? {} : { replyMs }) }
    const [sequencer, follower] = await openSettled(site, 2, options)
    if (sequencer === undefined || follower === undefined) throw new Error('too few')
    opened.push(sequencer, follower)
    return { sequencer, follower }
  }
  const decided = async ({ ledger }: Replica) => (await decisionRecords(site, ledger)).length

  test('whose answer is lost leaves it unknown whether it was recorded; the call id tells', async () => {
    const { sequencer, follower } = await two()
    sequencer.meddle(async (_message, answer) => {
      await answer()
      return 'hang up'
    })
    const fault = await faultOf(follower.ledger.decide(agent, refund(100, { callId: 'lost' })))
    expect(fault).toMatchObject({ code: 'store_unavailable', recorded: 'unknown' })
    expect(await decided(sequencer)).toBe(1)
    // Nothing is sent to it for a while: the follower asks the database itself.
    const again = await follower.ledger.decide(agent, refund(100, { callId: 'lost' }))
    expect(again).toMatchObject({ effect: 'allow', replayed: true, outcome: null })
    expect(sequencer.messages).toHaveLength(1)
    expect(await decided(sequencer)).toBe(1)
  })

  test('that never answers is waited for no longer than was set, and not sent the operation again', async () => {
    const { sequencer, follower } = await two(300)
    sequencer.meddle(() => Promise.resolve('never'))
    const fault = await faultOf(follower.ledger.decide(agent, refund(100)))
    expect(fault).toMatchObject({ code: 'store_unavailable', recorded: 'unknown' })
    expect((await follower.ledger.decide(agent, refund(100))).effect).toBe('allow')
    expect([sequencer.messages.length, await decided(sequencer)]).toEqual([1, 1])
  })

  test('that cannot be connected to has recorded nothing: whoever was asked writes by itself', async () => {
    const { sequencer, follower } = await two()
    await sequencer.shut()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, call) => follower.ledger.decide(agent, refund(call))),
    )
    expect(answers.map(({ effect }) => effect)).toEqual(answers.map(() => 'allow'))
    expect([sequencer.messages.length, await decided(sequencer)]).toEqual([0, 20])
  })

  test('that is none any more says so, and it is done without it', async () => {
    const { sequencer, follower } = await two()
    await sequencer.ledger.close()
    expect((await follower.ledger.decide(agent, refund(100))).effect).toBe('allow')
    await vi.waitFor(() => expect(follower.ledger.role).toBe('sequencer'), { timeout: 10_000 })
    expect(await decided(follower)).toBe(1)
  })

  test('that stands aside takes nothing, and lets another be it', async () => {
    const { sequencer, follower } = await two()
    sequencer.ledger.standAside(true)
    expect((await follower.ledger.decide(agent, refund(100))).effect).toBe('allow')
    await vi.waitFor(() => expect(follower.ledger.role).toBe('sequencer'), { timeout: 10_000 })
    await follower.ledger.close()
    opened = [sequencer]
    expect((await sequencer.ledger.decide(agent, refund(100))).effect).toBe('allow')
    expect(sequencer.ledger.role).toBe('alone')
    sequencer.ledger.standAside(false)
    await vi.waitFor(() => expect(sequencer.ledger.role).toBe('sequencer'), { timeout: 10_000 })
    await follower.shut()
  })

  test('is not believed where somebody else answers in its place', async () => {
    const { sequencer, follower } = await two()
    const allow = { id: 'dec_7', effect: 'allow', reasons: [], rules: [], policy: null, record: { index: 7 } }
    const forged = { kind: 'answers', answers: [{ kind: 'answer', answer: allow }] }
    for (const mac of ['', '00'.repeat(32)]) {
      const headers: Record<string, string> = mac === '' ? {} : { 'bailiwick-peer-mac': mac }
      sequencer.meddle(() => Promise.resolve(Response.json(forged, { headers })))
      const fault = await faultOf(follower.ledger.decide(agent, refund(100)))
      expect(fault).toMatchObject({ code: 'store_unavailable', recorded: 'unknown' })
      await vi.waitFor(() => expect(follower.ledger.role).toBe('follower'), { timeout: 5_000 })
    }
    // Nor where it claims that nothing was recorded: it would be recorded twice.
    sequencer.meddle(async (_message, answer) => {
      await answer()
      return Response.json({ kind: 'refused', why: 'not_sequencer' })
    })
    const fault = await faultOf(follower.ledger.decide(agent, refund(100)))
    expect(fault).toMatchObject({ code: 'store_unavailable', recorded: 'unknown' })
    expect(await decided(sequencer)).toBe(1)
  })

  test('takes a message once, only as it was sent, and only from who knows the secret', async () => {
    const { sequencer, follower } = await two()
    await follower.ledger.decide(agent, refund(100))
    const [message] = sequencer.messages
    if (message === undefined) throw new Error('nothing was sent')
    const [holder = '', sender = '', , length = '', claim = '', mac = ''] =
      message.authorization.split(' ')[1]?.split('.') ?? []
    const post = async (authorization: string, body = message.body) => {
      const headers = { authorization, 'content-length': String(body.length) }
      const request = new Request('http://replica/', { method: 'POST', headers, body: new Uint8Array(body) })
      return await sequencer.ledger.answerPeer(request)
    }
    // Again: its sender alone may have been answered, so this says nothing.
    expect(await (await post(message.authorization)).json()).toEqual({ kind: 'answers', answers: [] })
    const other = Buffer.from(message.body.toString().replace('100', '101'))
    expect(other.equals(message.body)).toBe(false)
    expect((await post(message.authorization, other)).status).toBe(401)
    const none = '0'.repeat(64)
    for (const forged of [
      `2.${length}.${claim}.${mac}`,
      `2.${length}.${claim}.${none}`,
      `1.${length}.${none}.${mac}`,
      `1.${length}9.${claim}.${mac}`,
    ]) {
      expect((await post(`BailiwickPeer ${holder}.${sender}.${forged}`)).status, forged).toBe(401)
    }
    const unread = new Request('http://replica/', {
      method: 'POST',
      headers: {
        authorization: `BailiwickPeer ${holder}.${sender}.1.${length}.${none}.${mac}`,
        'content-length': length,
      },
      body: new Uint8Array(message.body),
    })
    expect((await sequencer.ledger.answerPeer(unread)).status).toBe(401)
    expect(unread.bodyUsed, 'nothing is read of whoever has not shown to know the secret').toBe(false)
    expect((await post('Bearer anything')).status).toBe(401)
    expect(await decided(sequencer)).toBe(1)
    // The secret is in no message.
    const [row] = await site.query<{ secret: Buffer }>('select secret from peer_secret where ledger = $1', [
      sequencer.ledger.name,
    ])
    const secret = row?.secret ?? Buffer.alloc(0)
    expect(secret).toHaveLength(32)
    for (const form of ['hex', 'base64', 'base64url'] as const) {
      expect(message.authorization + message.body.toString()).not.toContain(secret.toString(form))
    }
  })

  test('whose connection to the database ends is none, and another one or itself takes over', async () => {
    const { sequencer, follower } = await two()
    const holder = async () =>
      (await site.query('select holder from sequencer where ledger = $1', [sequencer.ledger.name]))[0]?.holder
    const before = await holder()
    await endHolder(site.pool, sequencer.ledger.name, String(before))
    await vi.waitFor(async () => expect(await holder()).not.toBe(before), { timeout: 10_000 })
    await settled([sequencer, follower])
    const answers = await Promise.all(opened.map(({ ledger }) => ledger.decide(agent, refund(1))))
    expect(answers.map(({ effect }) => effect)).toEqual(['allow', 'allow'])
    expect(await sequencer.ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('that has hung loses its lock to another one', async () => {
    const ledger = `trouble-${(count += 1)}`
    const hung = await hungSequencer(ledger)
    const replica = await openReplica(site, { policies: support, ledger, staleMs: 2_000 })
    opened.push(replica)
    expect((await replica.ledger.decide(agent, refund(1))).effect).toBe('allow')
    await hung.ended
    await vi.waitFor(() => expect(replica.ledger.role).toBe('sequencer'), { timeout: 10_000 })
  })

  test('that another process has replaced in the row steps down', async () => {
    const { sequencer } = await two()
    const { name } = sequencer.ledger
    await site.query(`update sequencer set holder = 'somebody-else' where ledger = $1`, [name])
    await vi.waitFor(() => expect(sequencer.ledger.role).not.toBe('sequencer'), { timeout: 10_000 })
  })

  test('is not looked for on another machine at an address that means this one', async () => {
    const { sequencer } = await two()
    const changed = vi.fn<() => void>()
    const elsewhere = new Presence({
      connection: site.database.config,
      ledger: sequencer.ledger.name,
      address: undefined,
      machine: 'another machine',
      staleMs: 60_000,
      heard: () => undefined,
      changed,
      log: () => undefined,
    })
    elsewhere.start()
    await vi.waitFor(() => expect(elsewhere.hears).toBe(true))
    elsewhere.look()
    await elsewhere.stop()
    expect(changed).not.toHaveBeenCalled()
    expect(elsewhere.leader).toBeUndefined()
  })

  /** A process that has taken the lock and then shows itself no more. */
  async function hungSequencer(ledger: string): Promise<{ readonly ended: Promise<void> }> {
    const presence = new Presence({
      connection: site.database.config,
      ledger,
      address: { url: 'http://127.0.0.1:9', machine: null },
      machine: 'this',
      staleMs: 60_000,
      heard: () => undefined,
      changed: () => undefined,
      log: () => undefined,
    })
    presence.start()
    await vi.waitFor(() => expect(presence.leading).toBeDefined())
    await presence.stop()
    // The same lock and row, with a heartbeat of long ago.
    const client = new pg.Client(inSchema(site.database.config))
    client.on('error', () => undefined)
    const ended = new Promise<void>((resolve) => client.once('end', () => resolve()))
    await client.connect()
    await takeLease(client, ledger, 'hung', { url: 'http://127.0.0.1:9', machine: null })
    await client.query(`update sequencer set heartbeat = now() - interval '1 minute' where ledger = $1`, [
      ledger,
    ])
    await client.query(`select pg_notify($1, 'leader')`, [channelOf(ledger)])
    return { ended }
  }
})
