import { systemPorts, type LogRecord } from '@bailiwick/core'
import { ApprovalWaits } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../src/http/app.ts'
import { mayDo, others, roles } from '../../src/http/permissions.ts'
import { describedRoutes, type DescribedRoute } from '../harness/contract.ts'
import { everyGet, hearOfApproval, listen, unansweredChannels, type Sighting } from '../harness/every-get.ts'
import { base, HttpService, type Caller } from '../harness/http-service.ts'
import { agentId } from '../harness/policies.ts'

const call = { action: 'issue_refund', params: { amount: 600 } }
/** Whose link the e-mail has that the tests follow. */
const addressee = 'mail@example.com'

let service: HttpService
let agent: Caller
let sightings: readonly Sighting[]

beforeAll(async () => {
  service = await HttpService.open({ standing: '{ uses: 3, lasts: 1h }' }, unansweredChannels)
  agent = await service.agent()
  const approver = await service.person(addressee)
  const granted = (await agent.post('/v1/decisions', { ...call, params: { amount: 650 } })).body.approval.id
  const until = new Date(Date.now() + 1_800_000).toISOString()
  await approver.vote(granted, { vote: 'approve', standing: { uses: 3, until } })
  const decision = (await agent.post('/v1/decisions', { ...call, params: { amount: 1 } })).body.id
  const approval = (await agent.post('/v1/decisions', call)).body.approval.id
  sightings = await everyGet(service, { agent: agentId, decision, approval }, addressee)
})
afterAll(() => service.close())

type ReadRecord = Extract<LogRecord, { kind: 'read' }>

async function readsSince(size: number): Promise<readonly ReadRecord[]> {
  const { rows } = await service.ledger.pool.query<{ record: string }>(
    `select record from log_entry where index >= $1 and kind = 'read' order by index`,
    [size],
  )
  return rows.map(({ record }) => JSON.parse(record) as ReadRecord)
}

/** Whether some person, or anybody at all, may ask an endpoint. */
function isForPeople({ 'x-permission': permission }: DescribedRoute): boolean {
  if (permission === 'anyone') return true
  return [...roles, ...others].some((actor) => actor !== 'agent' && mayDo(actor, permission))
}

/** Looks as long as it takes to see something. */
async function look(caller: Caller, { path }: Sighting): Promise<void> {
  if (path === '/v1/events') {
    await hearOfApproval(service, caller, () => agent.post('/v1/decisions', call))
  } else if (path.endsWith('/events')) {
    await listen(service, caller, path, (heard) => heard.includes('event: approval'))
  } else {
    const { status, text } = await caller.get(path)
    expect(status, `${path}: ${text}`).toBeLessThan(400)
  }
}

/** Where a person looks and no record says so, each with the reason. */
const withoutRecord: Readonly<Record<string, string>> = {
  '/healthz': 'says nothing but that the process lives',
  '/readyz': 'says how long the log is',
  '/v1/log/checkpoint': 'a signed hash, made for anybody to keep',
  '/log/checkpoint': 'a signed hash, made for anybody to keep',
  '/log/checkpoint.cosigned': 'a signed hash, made for anybody to keep',
  '/v1/log/consistency': 'hashes of hashes',
  '/log/tile/{level}/{path}': 'hashes, open to monitors of whom nobody knows anything',
  '/log/verify.html': 'a page without data',
  '/log/verify.js': 'a script without data',
  '/v1/sign-in': 'which ways to sign in there are',
  '/v1/session': 'who one is',
  '/v1/session/provider/callback': 'the way back from signing in',
  '/v1/account': 'what one has set up oneself',
  '/v1/passkeys': "one's own passkeys",
  '/v1/sessions':
    "one's own sessions, or to whoever may read access those that go on: a table and no records",
  '/v1/people': 'who may sign in now: a table and no records',
  '/v1/keys': 'which keys there are now, without secrets: a table and no records',
  '/v1/agents': 'names of agents, with their keys and suspensions of now',
  '/v1/policies': 'reviewed files, and since when they are in force',
  '/v1/policies/{policy}': 'a reviewed file',
  '/v1/delegations': 'who stands in for whom now, which both have to know',
  '/v1/deliveries': 'that messages went out and to which target, and nothing that they say',
  '/v1/channels/slack/accounts/{account}': 'a page that says nothing of the account',
}

describe('whatever a person looks at over HTTP', () => {
  test('makes a record of who looked at what, or stands on the list of what makes none, with a reason', async () => {
    for (const [at, sighting] of sightings.entries()) {
      const { route } = sighting
      if (!isForPeople(route)) continue
      const id = `p${at}@example.com`
      const person = await service.person(id, [...roles])
      const before = await service.logSize()
      if (route.path !== '/v1/session/provider/callback') await look(person, sighting)
      const reads = await readsSince(before)
      const reason = withoutRecord[route.path]
      if (reason !== undefined) {
        expect(reads, `${route.path} makes no record: ${reason}`).toEqual([])
        continue
      }
      expect(reads.length, `${route.path} is a reading, and no record says so`).toBeGreaterThan(0)
      const who = route.path.startsWith('/v1/channels/email/') ? addressee : id
      for (const { person: named, records } of reads) {
        expect({ path: route.path, named, some: records.length > 0 }).toEqual({
          path: route.path,
          named: who,
          some: true,
        })
      }
    }
    expect((await service.ledger.verify()).kind).toBe('intact')
  })

  test('has a list that names no endpoint which is not there', () => {
    const known = describedRoutes.filter(({ method }) => method === 'get').map(({ path }) => path)
    expect(Object.keys(withoutRecord).filter((path) => !known.includes(path))).toEqual([])
  })

  test('makes none where it is refused, or where an agent looks at its own', async () => {
    const nobody = await service.person('nobody@example.com', [])
    const before = await service.logSize()
    for (const { path, route } of sightings) {
      // The link is its own credential, and a stream that an agent may open goes on.
      if (route['x-permission'] === 'anyone' || path.endsWith('/events')) continue
      await agent.get(path)
      expect([403, 200], path).toContain((await nobody.get(path)).status)
      await service.anyone.get(path)
    }
    expect(await readsSince(before)).toEqual([])
  })
})

describe('what is taken out of the log', () => {
  const readKey = 'r'.repeat(40)
  const bundle = (size: number) => `/log/tile/entries/000.p/${size}`

  function appWith(logReading: { readonly isPublic: boolean; readonly readKey?: string }) {
    const { ledger, access } = service
    return createApp({
      ledger,
      access,
      waits: new ApprovalWaits(ledger, systemPorts),
      consoleFiles: new Map(),
      logReading,
      log: () => undefined,
    })
  }

  test('as entries is recorded with the index of each, and as a proof with that of its record', async () => {
    const ann = await service.person('ann@example.com', ['viewer'])
    const before = await service.logSize()
    expect((await ann.get(bundle(3))).status).toBe(200)
    expect((await ann.get('/v1/log/proof/4')).status).toBe(200)
    const what = { person: 'ann@example.com', what: 'export' }
    expect(await readsSince(before)).toMatchObject([
      { ...what, records: [0, 1, 2] },
      { ...what, records: [4] },
    ])
    expect((await ann.get('/v1/log/proof/999999')).status).toBe(404)
    expect((await ann.get('/log/tile/entries/999')).status).toBe(404)
    expect(await readsSince(before), 'what is not there').toHaveLength(2)
  })

  test('by the read key, or where the log is public, is nobody’s reading: monitors are not known by name', async () => {
    const before = await service.logSize()
    const read = async (app: HttpService['app'], headers: Record<string, string> = {}) =>
      (await app.request(new Request(base + bundle(3), { headers }))).status
    const keyed = appWith({ isPublic: false, readKey })
    expect(await read(keyed, { authorization: `Bearer ${readKey}` })).toBe(200)
    expect(await read(keyed)).toBe(401)
    expect(await read(appWith({ isPublic: true }))).toBe(200)
    expect(await readsSince(before)).toEqual([])
  })

  test('by a link in an e-mail is recorded as its person’s, and the record says that it was a link', async () => {
    const link = sightings.find(({ path }) => path.startsWith('/v1/channels/email/'))
    service.clock.aheadMs = 11 * 60_000
    const before = await service.logSize()
    await service.anyone.get(link?.path ?? '')
    service.clock.aheadMs = 0
    const [read] = await readsSince(before)
    expect(read).toMatchObject({ person: addressee, what: 'approval' })
    const { rows } = await service.ledger.pool.query<{ body: string }>(
      'select body from log_entry where index = $1',
      [read?.index],
    )
    expect(JSON.parse(rows[0]?.body ?? '')).toEqual({ filter: { over: 'email' }, reason: null })
  })
})
