import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { impatientClient, ServicePlace } from '../harness/service.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly status: number
}

/** Somebody who is told, over real HTTP. */
class Receiver {
  readonly received: Received[] = []
  /** How many messages it still refuses. */
  refusing = 0
  url = ''
  readonly #server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      const status = this.refusing > 0 ? 500 : 204
      this.refusing = Math.max(0, this.refusing - 1)
      this.received.push({ headers: request.headers, body, status })
      response.writeHead(status).end()
    })
  })

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`
    return this
  }

  accepted(): string[] {
    return this.received.filter(({ status }) => status < 300).map(({ body }) => body)
  }

  close(): Promise<unknown> {
    return new Promise((resolve) => {
      this.#server.close(resolve)
      this.#server.closeAllConnections()
    })
  }
}

let place: ServicePlace
let webhook: Receiver
let slack: Receiver

beforeEach(async () => {
  place = await ServicePlace.onServer({ deadline: '1s' })
  webhook = await new Receiver().listen()
  slack = await new Receiver().listen()
})
afterEach(async () => {
  await place.remove()
  await webhook.close()
  await slack.close()
})

const startTelling = () =>
  place.start({
    env: {
      BAILIWICK_WEBHOOK_URL: webhook.url,
      BAILIWICK_WEBHOOK_SECRET: secret,
      BAILIWICK_SLACK_WEBHOOK_URL: slack.url,
      BAILIWICK_ALLOW_PRIVATE_WEBHOOKS: '1',
    },
  })

/** Every record read, and every message sent. */
async function everythingTold(): Promise<void> {
  await place.onLedger(async (ledger) => {
    await eventually('every message delivered', async () => {
      const { rows } = await ledger.pool.query<{ read: string; waiting: string }>(
        `select (select next_index from notice_cursor where ledger = 'main' and name = 'notices') as read,
          (select count(*) from outbox where delivered_at is null) as waiting`,
      )
      return Number(rows[0]?.read) === (await ledger.head()).size && rows[0]?.waiting === '0'
    })
  })
}

const typeOf = (body: string): string => JSON.parse(body).type

describe('the outside is told', () => {
  test('once each of a call that waits, of its expiry and of a denied call: signed to the webhook, and to Slack', async () => {
    const service = await startTelling()
    const client = impatientClient(service.url, await place.createKey())
    const governed = await client.govern('issue_refund', { amount: 600, iban: 'DE00' }, () =>
      expect.unreachable('it ran'),
    )
    expect(governed).toMatchObject({ kind: 'withheld', approval: 'expired' })
    const denied = await client.check('delete_account', { iban: 'DE00' })
    await client.check('issue_refund', { amount: 1 })
    await eventually('the denial', () =>
      webhook.accepted().some((body) => typeOf(body) === 'bailiwick.violation.denied'),
    )
    await eventually('the expiry', () =>
      webhook.accepted().some((body) => typeOf(body) === 'bailiwick.approval.expired'),
    )
    await everythingTold()

    expect(webhook.accepted().map(typeOf).sort()).toEqual([
      'bailiwick.approval.expired',
      'bailiwick.approval.requested',
      'bailiwick.violation.denied',
    ])
    for (const { headers, body } of webhook.received) {
      const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
      expect(new Webhook(secret).verify(body, signed)).toEqual(JSON.parse(body))
      expect(() => new Webhook(secret).verify(`${body} `, signed)).toThrow('No matching signature')
    }
    expect(new Set(webhook.received.map(({ headers }) => headers['webhook-id'])).size).toBe(3)
    const about = webhook.accepted().find((body) => typeOf(body) === 'bailiwick.violation.denied') ?? ''
    expect(JSON.parse(about).data).toMatchObject({
      decision: denied.id,
      action: 'delete_account',
      severity: 'critical',
      url: `${service.url.replace('127.0.0.1', 'localhost')}/decisions/${denied.id}`,
    })

    expect(slack.accepted()).toHaveLength(3)
    expect(slack.accepted().filter((body) => body.includes('delete_account'))).toHaveLength(1)
    expect(slack.accepted().filter((body) => body.includes('expired'))).toHaveLength(1)
    for (const body of [...webhook.accepted(), ...slack.accepted()]) expect(body).not.toMatch(/DE00|"amount"/)
  })

  test('once each, also across restarts and by a receiver that fails at first', async () => {
    webhook.refusing = 1
    const first = await startTelling()
    const key = await place.createKey()
    const one = await impatientClient(first.url, key).check('delete_account', { n: 1 })
    await eventually('the first attempt', () => webhook.received.length === 1 && slack.received.length === 1)
    await first.stop()
    expect(place.lines.join('\n')).toMatch(/attempt 1: .*answered 500/)

    const second = await startTelling()
    await eventually('the second attempt', () => webhook.accepted().length === 1)
    const two = await impatientClient(second.url, key).check('change_pricing_tiers', { n: 2 })
    await eventually('the second denial', () => webhook.accepted().length === 2)
    await everythingTold()
    await second.stop()
    const third = await startTelling()
    await everythingTold()
    await third.stop()

    expect(webhook.received.map(({ status }) => status)).toEqual([500, 204, 204])
    expect(webhook.received[0]?.headers['webhook-id']).toBe(webhook.received[1]?.headers['webhook-id'])
    expect(webhook.accepted().map((body) => JSON.parse(body).data.decision)).toEqual([one.id, two.id])
    expect(slack.received).toHaveLength(2)
  })
})
