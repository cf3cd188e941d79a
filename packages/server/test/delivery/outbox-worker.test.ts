import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Instant, LogRecord } from '@bailiwick/core'
import { approvalId, Fault } from '@bailiwick/core'
import type { Post } from '../../src/delivery/http-post.ts'
import { createOutboxWorker } from '../../src/delivery/outbox-worker.ts'
import type { OutboxWorkerOptions } from '../../src/delivery/outbox-worker.ts'
import { verifyWebhook } from '../../src/delivery/standard-webhooks.ts'
import type { Target } from '../../src/delivery/targets.ts'
import { createMemoryOutbox } from './memory-outbox.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const webhookUrl = new URL('https://hook.example/in')
const slackUrl = new URL('https://hooks.slack.com/services/s3cret')
const targets = new Map<string, Target>([
  ['webhook', { kind: 'webhook', url: webhookUrl, secret, allowPrivate: false }],
  ['slack', { kind: 'slack', url: slackUrl, allowPrivate: false }],
])

function expiry(index: number): LogRecord {
  return {
    v: 1,
    ledger: 'default',
    index,
    at: '2025-11-20T10:00:00.000Z',
    payload: null,
    kind: 'expiry',
    approval: approvalId(index),
    agent: 'agent-1',
    action: 'issue_refund',
  }
}

function setUp(
  records: LogRecord[],
  post: OutboxWorkerOptions['post'],
  changes: Partial<OutboxWorkerOptions> = {},
) {
  const memory = createMemoryOutbox(records)
  const clock = { at: 1_763_632_800_000, now: () => clock.at as Instant }
  const lines: string[] = []
  const worker = createOutboxWorker({
    ...memory,
    targets,
    links: { consoleUrl: 'https://bailiwick.example' },
    clock,
    random: () => 0.5,
    log: (line) => lines.push(line),
    ...(post && { post }),
    ...changes,
  })
  return { worker, clock, lines, rows: memory.rows }
}

describe('one step', () => {
  test('tells every target of a new record, once', async () => {
    const posts: Post[] = []
    const { worker, rows } = setUp([expiry(0)], async (post) => {
      posts.push(post)
      return { status: 204 }
    })
    expect(await worker.runOnce()).toBe(3)
    expect(await worker.runOnce()).toBe(0)
    expect(posts.map(({ url }) => url)).toEqual([webhookUrl, slackUrl])
    expect(JSON.parse(posts[0]?.body ?? '')).toMatchObject({ type: 'bailiwick.approval.expired' })
    expect(JSON.parse(posts[1]?.body ?? '')).toHaveProperty('blocks')
    expect(posts[1]?.headers).toEqual({})
    expect(rows.every((row) => row.deliveredAt !== undefined)).toBe(true)
  })

  test('signs what goes to the webhook, at the time of the attempt and under the id of the message', async () => {
    const posts: Post[] = []
    const { worker, clock, rows } = setUp(
      [expiry(0)],
      async (post) => {
        posts.push(post)
        return { status: posts.length === 1 ? 500 : 200 }
      },
      { targets: new Map([...targets].slice(0, 1)) },
    )
    await worker.runOnce()
    clock.at += 60_000
    await worker.runOnce()
    expect(posts).toHaveLength(2)
    for (const [index, post] of posts.entries()) {
      const at = (1_763_632_800_000 + index * 60_000) as Instant
      expect(verifyWebhook(post.headers, post.body, secret, at)).toEqual({
        kind: 'valid',
        id: rows[0]?.id,
        timestampSeconds: at / 1000,
      })
    }
  })

  test('moves the cursor on where there is no target', async () => {
    const memory = createMemoryOutbox([expiry(0)])
    const { worker } = setUp([], undefined, { targets: new Map(), feed: memory.feed, outbox: memory.outbox })
    expect(await worker.runOnce()).toBe(0)
    // Whoever is told from now on hears no old news.
    expect(await memory.feed.advance(() => [], 10)).toBe(0)
    expect(memory.rows).toEqual([])
  })
})

describe('a delivery that fails', () => {
  test('is repeated later and not before, and harms no other target', async () => {
    const seen: string[] = []
    const { worker, clock, rows, lines } = setUp([expiry(0)], async ({ url }) => {
      seen.push(url.hostname)
      return { status: url === webhookUrl ? 500 : 200 }
    })
    await worker.runOnce()
    clock.at += 4999
    await worker.runOnce()
    expect(seen).toEqual(['hook.example', 'hooks.slack.com'])
    clock.at += 1
    await worker.runOnce()
    expect(seen).toEqual(['hook.example', 'hooks.slack.com', 'hook.example'])
    expect(rows[0]).toMatchObject({ target: 'webhook', error: '`https://hook.example` answered 500' })
    expect(lines).toHaveLength(2)
  })

  test.each([301, 400, 401, 404, 408, 429, 500, 503])('with status %i is repeated', async (status) => {
    const { worker, rows } = setUp([expiry(0)], async () => ({ status }))
    await worker.runOnce()
    expect(rows.map((row) => row.dead ?? false)).toEqual([false, false])
  })

  test('with status 410, gone, is given up at once', async () => {
    const { worker, rows, lines } = setUp([expiry(0)], async () => ({ status: 410 }))
    await worker.runOnce()
    expect(rows.map((row) => row.dead)).toEqual([true, true])
    expect(lines[0]).toContain('given up')
  })

  test('for the twelfth time is given up', async () => {
    let calls = 0
    const { worker, clock, rows } = setUp([expiry(0)], async () => {
      calls += 1
      throw new Fault('service_unreachable', '`https://hook.example` could not be reached', { fix: '' })
    })
    for (let step = 0; step < 20; step += 1) {
      await worker.runOnce()
      clock.at += 8 * 3_600_000
    }
    expect(calls).toBe(2 * 12)
    expect(rows.map((row) => row.dead)).toEqual([true, true])
  })

  test('shows nothing of the error where that might hold a secret', async () => {
    const { worker, rows, lines } = setUp([expiry(0)], async ({ url }) => {
      throw new TypeError(`bad header for ${url.href}`)
    })
    await worker.runOnce()
    expect(JSON.stringify([rows.map((row) => row.error), lines])).not.toContain('s3cret')
  })

  test('to settle leaves the message leased, so that it comes again under the same id', async () => {
    const ids: (string | undefined)[] = []
    const memory = createMemoryOutbox([expiry(0)])
    let broken = true
    const outbox = {
      ...memory.outbox,
      async delivered(...settled: Parameters<typeof memory.outbox.delivered>) {
        if (broken) throw new Error('connection lost')
        await memory.outbox.delivered(...settled)
      },
    }
    const { worker, clock } = setUp(
      [],
      async ({ headers }) => {
        ids.push(headers['webhook-id'])
        return { status: 200 }
      },
      { feed: memory.feed, outbox, targets: new Map([...targets].slice(0, 1)) },
    )
    await expect(worker.runOnce()).rejects.toThrow('connection lost')
    broken = false
    await worker.runOnce()
    expect(ids).toHaveLength(1)
    clock.at += 60_000
    await worker.runOnce()
    expect(ids).toEqual(['msg_0-webhook', 'msg_0-webhook'])
    expect(memory.rows[0]?.deliveredAt).toBeDefined()
  })
})

describe('running', () => {
  const servers: Server[] = []
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })

  async function receiver(onBody: (body: string, finish: () => void) => void): Promise<URL> {
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => (body += String(chunk)))
      request.on('end', () => onBody(body, () => response.end('ok')))
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  }

  test('a target that hangs does not delay another, and stopping waits for what is under way', async () => {
    let release: (() => void) | undefined
    const slackBodies: string[] = []
    const webhook = await receiver((_body, finish) => (release = finish))
    const slack = await receiver((body, finish) => {
      slackBodies.push(body)
      finish()
    })
    const records = [expiry(0)]
    const { worker, rows } = setUp(records, undefined, {
      targets: new Map<string, Target>([
        ['webhook', { kind: 'webhook', url: webhook, secret, allowPrivate: true }],
        ['slack', { kind: 'slack', url: slack, allowPrivate: true }],
      ]),
    })
    worker.start()
    await vi.waitFor(() => expect(release).toBeDefined())
    for (let index = 1; index <= 20; index += 1) records.push(expiry(index))
    worker.poke()
    await vi.waitFor(() => expect(slackBodies).toHaveLength(21), { timeout: 10_000 })
    expect(slackBodies[20]).toContain('apr_20')

    const stopped = worker.stop()
    release?.()
    await stopped
    expect(rows[0]).toMatchObject({ target: 'webhook', deliveredAt: 1_763_632_800_000 })
    expect(rows.filter((row) => row.target === 'slack' && row.deliveredAt === undefined)).toEqual([])
  })

  test('a broken store is reported, and the worker goes on when it is back', async () => {
    const memory = createMemoryOutbox([expiry(0)])
    let broken = true
    const feed = {
      ...memory.feed,
      advance: (...wanted: Parameters<typeof memory.feed.advance>) =>
        broken ? Promise.reject(new Error('connection lost')) : memory.feed.advance(...wanted),
    }
    const { worker, lines } = setUp([], async () => ({ status: 200 }), { feed, outbox: memory.outbox })
    worker.start()
    await vi.waitFor(() => expect(lines).toEqual(['outbox: connection lost; trying again']))
    broken = false
    await vi.waitFor(() => expect(memory.rows.filter((row) => row.deliveredAt)).toHaveLength(2), {
      timeout: 10_000,
    })
    await worker.stop()
  })
})
