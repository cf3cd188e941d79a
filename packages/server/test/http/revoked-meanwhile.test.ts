import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { Instant, PersonId } from '@bailiwick/core'
import { ChannelStore } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { listenerOf } from '../../src/http/answer-requests.ts'
import { eventually } from '../harness/eventually.ts'
import { base, HttpService, type Caller } from '../harness/http-service.ts'

const policy = `agent_id: "customer-support-agent-v2"
domain: "order_management"
allowed_actions: ["issue_refund"]
escalation_rules:
  - condition: "refund_amount > 500"
    action: "human_approval_required"
audit_frequency: "every_action_logged"
facts:
  refund_amount: {type: number, from: params.amount, for: [issue_refund]}
approvals:
  human_approval_required: {approvers: ["role:approver"], exclude: ["role:policy-author"]}
`

let service: HttpService
let server: Server
let port: number
beforeAll(async () => {
  service = await HttpService.open({ text: policy })
  server = createServer(listenerOf(service.app))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(async () => {
  server.close()
  await service.close()
})

/** Sends a request whose last byte comes after its sender has been looked up, and something else has happened. */
async function slowly(path: string, caller: Caller, json: unknown, meanwhile: () => Promise<unknown>) {
  const body = JSON.stringify(json)
  const looked = vi.spyOn(service.access.sessions, 'known')
  const socket = connect(port, '127.0.0.1')
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: console.test',
    `Origin: ${base}`,
    `Cookie: bailiwick_session=${caller.secret}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, -1)}`)
  await eventually('the sender looked up', () =>
    looked.mock.settledResults.some(({ type }) => type === 'fulfilled'),
  )
  looked.mockRestore()
  await meanwhile()
  socket.write(body.slice(-1))
  await closed
  return Number(Buffer.concat(parts).toString('utf8').split(' ')[1])
}

async function opened(context?: Record<string, unknown>) {
  const agent = await service.agent()
  const params = { amount: 600 }
  const asked = await agent.post('/v1/decisions', {
    action: 'issue_refund',
    params,
    ...(context && { context }),
  })
  const id = String(asked.body.approval.id)
  const run = (more: object) =>
    agent.post('/v1/decisions', { action: 'issue_refund', params, approvalId: id, ...more })
  return { agent, id, run, digest: (await service.ledger.approval(id, {})).digest }
}

describe('what ends while a request is on its way', () => {
  test('a person who is removed makes nobody an administrator', async () => {
    const root = await service.person('root@example.com', ['administrator'])
    const made = { id: 'evil@example.com', roles: ['administrator'] }
    expect(
      await slowly('/v1/people', root, made, () => service.access.removePerson('root@example.com')),
    ).toBe(401)
    expect((await service.access.people()).map(({ id }) => id)).not.toContain('evil@example.com')
  })

  test('a role that is taken away grants nothing', async () => {
    const once = await service.person('once@example.com', ['administrator'])
    const key = { agent: 'customer-support-agent-v2' }
    const taken = () => service.access.setPerson('once@example.com', ['viewer'])
    expect([401, 403]).toContain(await slowly('/v1/keys', once, key, taken))
  })

  test('a session that is ended votes on nothing', async () => {
    const { id, digest, run } = await opened()
    const dee = await service.person('dee@example.com')
    const ended = () => service.access.endSessions('dee@example.com')
    expect(await slowly(`/v1/approvals/${id}/votes`, dee, { vote: 'approve', digest }, ended)).toBe(401)
    expect((await run({})).body.effect).toBe('deny')
  })
})

describe('what goes with a person who is removed', () => {
  test('is every delegation, also where somebody of the same name comes back', async () => {
    const { id, digest } = await opened()
    const ann = await service.person('ann@example.com')
    await service.person('bob@example.com', ['viewer'])
    const ends = new Date(service.ledger.now() + 86_400_000).toISOString()
    const given = await ann.post('/v1/delegations', { to: 'bob@example.com', ends, reason: 'leave' })
    expect(given.status).toBe(201)
    for (const person of ['ann@example.com', 'bob@example.com']) await service.access.removePerson(person)
    await service.access.setPerson('ann@example.com', ['approver'])
    const bob = await service.person('bob@example.com', ['viewer'])
    const voted = await bob.vote(id, { vote: 'approve', digest, for: 'ann@example.com' })
    expect(voted.status).toBe(403)
  })

  test('is every link in an e-mail, and every account of a channel', async () => {
    const { id, digest } = await opened()
    const store = new ChannelStore(service.ledger.pool, service.ledger.name)
    const link = async () =>
      await store.makeMailLink({
        approval: Number(id.slice('apr_'.length)),
        digest,
        person: 'kim@example.com',
        expiresAt: (service.ledger.now() + 3_600_000) as Instant,
      })
    const answer = async (token: string) => {
      const body = new URLSearchParams({ vote: 'approve', digest })
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      return (
        await service.app.request(`${base}/v1/channels/email/${token}`, { method: 'POST', body, headers })
      ).status
    }
    await service.access.setPerson('kim@example.com', ['approver'])
    await store.setPersonOf('slack', 'U0KIM', 'kim@example.com')
    const first = await link()
    await service.access.reset('kim@example.com')
    expect(await answer(first), 'somebody else may have read the mail').not.toBe(200)
    const second = await link()
    await service.access.removePerson('kim@example.com')
    await service.access.setPerson('kim@example.com', ['approver'])
    expect(await answer(second)).not.toBe(200)
    expect(await store.personOf('slack', 'U0KIM')).toBeUndefined()
    expect((await service.ledger.approval(id, {})).status).toBe('pending')
  })
})

test('a reset ends every delegation that the person has given, and none to the person', async () => {
  const ends = new Date(service.ledger.now() + 86_400_000).toISOString()
  const [lea, max] = [await service.person('lea@example.com'), await service.person('max@example.com')]
  const give = { ends, reason: 'leave' }
  expect((await lea.post('/v1/delegations', { ...give, to: 'max@example.com' })).status).toBe(201)
  expect((await max.post('/v1/delegations', { ...give, to: 'lea@example.com' })).status).toBe(201)
  await service.access.reset('lea@example.com')
  expect(await service.ledger.delegations.list('lea@example.com')).toMatchObject([
    { from: 'max@example.com', to: 'lea@example.com' },
  ])
})

test('who is excluded by a role is excluded also where fewer roles are named', async () => {
  const { id, digest } = await opened()
  await service.access.setPerson('eve@example.com', ['approver', 'policy-author'])
  const fewer = { id: 'eve@example.com' as PersonId, roles: ['approver'] }
  await expect(service.ledger.vote(fewer, id, { vote: 'approve', digest })).rejects.toThrow('may not vote')
})

test('nobody runs as principal what they approved for another', async () => {
  const { id, run } = await opened({ principal: 'carol@example.com' })
  const pat = await service.person('pat@example.com')
  expect((await pat.vote(id, { vote: 'approve' })).status).toBe(201)
  const stolen = await run({ context: { principal: 'Pat@example.com' } })
  expect(stolen.body.effect).toBe('deny')
  expect(stolen.body.reasons[0]).toContain(`Approval ${id}`)
  expect((await run({ context: { principal: 'carol@example.com' } })).body.effect).toBe('allow')
})

test('a text that no database takes is refused before it meets the calls of others', async () => {
  const { agent, id, digest } = await opened()
  const viewer = await service.person('viewer@example.com', ['viewer'])
  const harmless = () => agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 1 } })
  const bad = () => viewer.vote(id, { vote: 'approve', digest, for: 'a\u0000' })
  const ends = new Date(service.ledger.now() + 86_400_000).toISOString()
  const given = () => viewer.post('/v1/delegations', { to: 'a\u0000', ends, reason: 'x' })
  const all = await Promise.all([harmless(), bad(), given(), harmless(), bad(), harmless()])
  expect(all.map(({ status }) => status)).toEqual([200, 400, 400, 200, 400, 200])
  expect((await viewer.get('/v1/agents/%00/activity')).status).toBe(404)
})

test('changing again and again what lets one in keeps no session young', async () => {
  const lee = await service.person('lee@example.com')
  const before = (await lee.get('/v1/session')).body.session
  const set = await lee.post('/v1/account/password', { password: 'correct horse battery' })
  expect(set.status).toBe(204)
  const cookie = set.headers.get('set-cookie')?.split(';')[0] ?? ''
  const after = (await service.caller({ cookie, origin: base }, '').get('/v1/session')).body.session
  expect(after).toMatchObject({ createdAt: before.createdAt, expiresAt: before.expiresAt })
})
