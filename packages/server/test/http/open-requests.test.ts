import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { listenerOf } from '../../src/http/answer-requests.ts'
import { listen, type Listener } from '../../src/http/listener.ts'
import { openReadingsMax, openRequestsMax } from '../../src/http/open-requests.ts'
import { eventually } from '../harness/eventually.ts'
import { base, HttpService, type Caller } from '../harness/http-service.ts'

let service: HttpService
let listener: Listener
let agent: Caller
let other: Caller
let person: Caller
let again: Caller
let somebodyElse: Caller
const sockets: Socket[] = []
const readKey = 'r'.repeat(40)

beforeAll(async () => {
  service = await HttpService.open({}, { BAILIWICK_LOG_READ_KEY: readKey })
  agent = await service.agent()
  other = await service.agent('another-agent')
  person = await service.person()
  again = await service.person()
  somebodyElse = await service.person('kim@example.com', ['approver'])
  listener = await listen({ host: '127.0.0.1', port: 0 })
  listener.answerWith(listenerOf(service.app))
})
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})
afterAll(async () => {
  await listener.close()
  await service.close()
})

type Header = readonly [name: 'Authorization' | 'Cookie', value: string]
const byKey = ({ secret }: Caller): Header => ['Authorization', `Bearer ${secret}`]
const bySession = ({ secret }: Caller): Header => ['Cookie', `bailiwick_session=${secret}`]

/** Asks on a connection of its own, which stays open; nothing is read before `statusOf`. */
async function ask(path: string, header: Header, method = 'GET'): Promise<Socket> {
  const socket = connect(listener.port, '127.0.0.1')
  sockets.push(socket)
  await once(socket, 'connect')
  socket.write(requestOf(path, header, method))
  return socket
}

function requestOf(path: string, [name, value]: Header, method = 'GET'): string {
  return [
    `${method} ${path} HTTP/1.1`,
    `Host: ${new URL(base).host}`,
    `Origin: ${base}`,
    `${name}: ${value}`,
    ...(method === 'POST' ? ['Content-Type: application/json', 'Content-Length: 2', '', '{}'] : ['', '']),
  ].join('\r\n')
}

/** Reads the beginning of the answer, and leaves the rest of it unread. */
async function statusOf(socket: Socket): Promise<{ status: number; text: string }> {
  await once(socket, 'readable')
  const text = String(socket.read())
  return { status: Number(text.split(' ')[1]), text }
}

const statusFor = async (path: string, header: Header): Promise<number> => {
  const socket = await ask(path, header)
  const { status } = await statusOf(socket)
  socket.destroy()
  return status
}

async function openStreams(caller: Caller, length = openRequestsMax): Promise<Socket[]> {
  const streams = await Promise.all(Array.from({ length }, () => ask('/v1/events', bySession(caller))))
  for (const { status } of await Promise.all(streams.map(statusOf))) expect(status).toBe(200)
  return streams
}

describe('of one person', () => {
  test('32 streams may be open and no more, whichever session asks, until one of them ends', async () => {
    const [first] = await openStreams(person)

    const refused = await statusOf(await ask('/v1/approvals', bySession(again)))
    expect(refused.status).toBe(429)
    expect(refused.text).toContain('urn:bailiwick:problem:too_many_requests')
    expect(refused.text.toLowerCase()).toContain('retry-after: 5')
    expect(await statusFor('/v1/session', bySession(somebodyElse))).toBe(200)
    expect(await statusFor('/v1/decisions', byKey(agent))).toBe(200)

    first?.destroy()
    await eventually(
      'the end of a stream to be noticed',
      async () => (await statusFor('/v1/approvals', bySession(again))) === 200,
    )
  })

  test('every kind of list counts', async () => {
    await openStreams(somebodyElse)
    for (const list of ['decisions', 'approvals', 'grants', 'delegations', 'agents', 'policies'])
      expect(await statusFor(`/v1/${list}`, bySession(somebodyElse)), list).toBe(429)
    expect(await statusFor('/v1/session', bySession(somebodyElse))).toBe(200)
  })

  test('what has been answered is not counted any more, nor what was refused', async () => {
    for (let times = 0; times <= openRequestsMax; times++) {
      expect(await statusFor('/v1/approvals', bySession(person))).toBe(200)
      expect(await statusFor('/v1/approvals?status=nonsense', bySession(person))).toBe(400)
    }
  })

  test('what was asked for one behind the other is counted no longer than its connection lasts', async () => {
    const [socket] = await openStreams(person, openRequestsMax - 5)
    // None of these is answered before the stream has ended.
    const lookUp = vi.spyOn(service.access.sessions, 'known')
    for (let behind = 0; behind < 5; behind++) {
      socket?.write(requestOf('/v1/approvals', bySession(person)))
    }
    // Whoever asks meanwhile would be counted in the place of one of them.
    await vi.waitFor(() => expect(lookUp).toHaveBeenCalledTimes(5), 10_000)
    await Promise.all(lookUp.mock.results.map(({ value }) => value as unknown))
    lookUp.mockRestore()
    const status = () => statusFor('/v1/approvals', bySession(person))
    await eventually('those behind to be taken', async () => (await status()) === 429)
    socket?.destroy()
    await eventually('the end of the connection to be noticed', async () => (await status()) === 200)
    // What was open there, six in all, may be opened anew.
    await openStreams(person, 4)
  })

  test('who leaves while it is looked up who they are is not counted', async () => {
    const app = listenerOf(service.app)
    const { sessions } = service.access
    const known = sessions.known.bind(sessions)
    let left: Promise<unknown> = Promise.resolve()
    listener.answerWith((incoming, outgoing) => {
      left = once(incoming.socket, 'close')
      app(incoming, outgoing)
    })
    const lookUp = vi.spyOn(sessions, 'known').mockImplementation(async (token) => {
      const found = await known(token)
      sockets.at(-1)?.destroy()
      await left
      return found
    })
    for (let times = 0; times < openRequestsMax; times++) {
      await ask('/v1/approvals', bySession(person))
      await vi.waitFor(() => expect(lookUp).toHaveBeenCalledTimes(times + 1))
      await lookUp.mock.results[times]?.value
    }
    lookUp.mockRestore()
    listener.answerWith(app)
    expect(await statusFor('/v1/approvals', bySession(person))).toBe(200)
  })

  test('what is short is not counted', async () => {
    await openStreams(person)
    const { body } = await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 600 } })
    const asked = Array.from({ length: openRequestsMax * 2 }, (_, at) =>
      at % 2 === 0
        ? ask(`/v1/approvals/${body.approval.id}`, bySession(person))
        : ask('/v1/grants/grt_1/revoke', bySession(person), 'POST'),
    )
    const statuses = (await Promise.all((await Promise.all(asked)).map(statusOf))).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([200, 400]))
  })
})

describe('of one agent', () => {
  test('any number of calls may wait', async () => {
    const { body } = await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 600 } })
    const waiting = await Promise.all(
      Array.from({ length: openRequestsMax * 2 }, () =>
        ask(`/v1/approvals/${body.approval.id}?wait=60`, byKey(agent)),
      ),
    )
    const answers = waiting.map(statusOf)
    expect(await statusFor('/v1/decisions', byKey(agent))).toBe(200)
    await person.vote(body.approval.id, { vote: 'approve' })
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
  })

  test('32 lists that nobody reads are held and no more, and another agent has its own', async () => {
    // More than the buffers of a connection take.
    const params = { amount: 1, text: 'x'.repeat(60_000) }
    await Promise.all(
      Array.from({ length: 80 }, () => agent.post('/v1/decisions', { action: 'issue_refund', params })),
    )
    const unread = await Promise.all(
      Array.from({ length: openRequestsMax + 1 }, () => ask('/v1/decisions?limit=80', byKey(agent))),
    )
    const statuses = (await Promise.all(unread.map(statusOf))).map(({ status }) => status)
    expect(statuses.toSorted((one, next) => one - next)).toEqual([
      ...Array.from({ length: openRequestsMax }, () => 200),
      429,
    ])
    expect(await statusFor('/v1/decisions', byKey(other))).toBe(200)
  })
})

describe('of all who read the log without a name', () => {
  test('256 entry bundles may be open and no more; who has a name, and who decides, is not kept waiting', async () => {
    const { tiles } = service.ledger
    await service.ledger.checkpoint()
    await tiles.fillAll()
    const path = `/log/tile/entries/000.p/${await service.logSize()}`
    const read = tiles.read.bind(tiles)
    let letGo: (nothing: unknown) => void = () => undefined
    const held = new Promise((resolve) => {
      letGo = resolve
    })
    const reading = vi.spyOn(tiles, 'read').mockImplementation(async (tile) => {
      await held
      return await read(tile)
    })
    const nameless: Header = ['Authorization', `Bearer ${readKey}`]
    const asked = await Promise.all(Array.from({ length: openReadingsMax }, () => ask(path, nameless)))
    await vi.waitFor(() => expect(reading).toHaveBeenCalledTimes(openReadingsMax), 10_000)

    const refused = await statusOf(await ask(path, nameless))
    expect(refused.status).toBe(429)
    expect(refused.text).toContain('256 bundles of records are being read at once')
    const named = ask(path, bySession(person))
    expect(
      (await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 1 } })).status,
    ).toBe(200)

    letGo(undefined)
    expect((await statusOf(await named)).status).toBe(200)
    for (const { status } of await Promise.all(asked.map(statusOf))) expect(status).toBe(200)
    await eventually('the readings to be over', async () => (await statusFor(path, nameless)) === 200)
    reading.mockRestore()
  })
})
