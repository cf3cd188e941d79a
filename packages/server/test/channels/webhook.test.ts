import type { ClaimedMessage, Instant, Voter } from '@bailiwick/core'
import { GovernanceEnforcer } from '@bailiwick/store'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { callbackSender } from '../../src/channels/webhook-channel.ts'
import { postJson } from '../../src/delivery/http-post.ts'
import { verifyWebhook } from '../../src/delivery/standard-webhooks.ts'
import { HttpService, type Caller } from '../harness/http-service.ts'
import { agentId } from '../harness/policies.ts'
import { refund, refundPolicy } from './policy.ts'
import { Receiver } from './receiver.ts'

const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
let receiver: Receiver
let service: HttpService
let agent: Caller
let ann: Voter

async function open(terms = ''): Promise<void> {
  service = await HttpService.open(
    { text: refundPolicy(terms) },
    {
      BAILIWICK_APPROVAL_WEBHOOK_URL: `http://${receiver.host}/approvals`,
      BAILIWICK_APPROVAL_WEBHOOK_SECRET: secret,
      BAILIWICK_CALLBACK_HOSTS: receiver.host,
      BAILIWICK_CALLBACK_SECRET: secret,
      BAILIWICK_ALLOW_PRIVATE_WEBHOOKS: '1',
    },
  )
  agent = await service.agent()
  ann = await service.access.setPerson('ann@example.com', ['approver'])
}

beforeEach(async () => {
  receiver = await new Receiver().listen()
  await open()
})
afterEach(async () => {
  await service.close()
  await receiver.close()
})

async function deliver(): Promise<void> {
  while ((await service.channels.worker.runOnce()) > 0);
}

async function vote(id: string, choice: 'approve' | 'reject'): Promise<void> {
  const { digest } = await service.ledger.approval(id, {})
  await service.ledger.vote(ann, id, { vote: choice, digest })
}

async function asked(callback?: string): Promise<string> {
  const call = callback === undefined ? refund : { ...refund, callback }
  const { body, status, text } = await agent.post('/v1/decisions', call)
  expect({ status, text }).toMatchObject({ status: 200 })
  return body.approval.id
}

const at = (path: string) => receiver.received.filter((each) => each.path === path)

describe('the webhook for approvals', () => {
  test('is told of each request, with masked parameters and the digest, and of its end, once each and signed', async () => {
    const id = await asked()
    await deliver()
    await vote(id, 'approve')
    await deliver()
    await deliver()
    const told = at('/approvals').map(({ body }) => JSON.parse(body))
    const { digest } = await service.ledger.approval(id, {})
    expect(told).toMatchObject([
      {
        type: 'bailiwick.approval.requested',
        data: { approval: id, status: 'pending', action: 'issue_refund', params: { amount: 600 }, digest },
      },
      { type: 'bailiwick.approval.settled', data: { approval: id, status: 'approved' } },
    ])
    for (const { headers, body } of receiver.received) {
      expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body))
      expect(body).not.toContain('DE8937')
    }
  })

  test('is told once that it is over, also where an approval that nobody used expires', async () => {
    const id = await asked()
    await vote(id, 'approve')
    service.clock.aheadMs += 5 * 60_000
    await service.ledger.expireOverdue()
    await deliver()
    const told = at('/approvals').map(({ body }) => JSON.parse(body))
    expect(told).toMatchObject([{ type: 'bailiwick.approval.settled', data: { status: 'approved' } }])
  })

  test('is told of what the policy has voided since, and of nothing else as void', async () => {
    const good = await asked()
    await deliver()
    const id = await asked()
    const changed = await service.other({ text: `version: 2\n${refundPolicy()}` })
    try {
      while ((await changed.channels.worker.runOnce()) > 0);
    } finally {
      await changed.close()
    }
    const told = at('/approvals').map(({ body }) => JSON.parse(body).data)
    expect(told.map(({ approval, voidedBy }) => [approval, voidedBy])).toEqual([
      [good, undefined],
      [id, 'policy_change'],
    ])
  })

  test('a message that somebody sends again later is refused by its receiver: its time has run out', async () => {
    await asked()
    await deliver()
    const [first] = at('/approvals')
    if (first === undefined) throw new Error('nothing was sent')
    const { headers, body } = first
    const now = Date.now()
    expect(verifyWebhook(headers, body, secret, now as Instant).kind).toBe('valid')
    expect(verifyWebhook(headers, body, secret, (now + 6 * 60_000) as Instant)).toEqual({
      kind: 'invalid',
      why: 'too_old',
    })
  })
})

describe('a callback', () => {
  test.each([
    ['approved', async (id: string) => await vote(id, 'approve')],
    ['rejected', async (id: string) => await vote(id, 'reject')],
    [
      'expired',
      async () => {
        service.clock.aheadMs += 5 * 60_000
        await service.ledger.expireOverdue()
      },
    ],
  ])('tells the agent once that its approval is %s, signed, and with no parameters', async (status, end) => {
    const id = await asked(`http://${receiver.host}/told?run=7`)
    await deliver()
    expect(at('/told?run=7')).toEqual([])
    await end(id)
    await deliver()
    await deliver()
    const told = at('/told?run=7')
    expect(told).toHaveLength(1)
    const { headers, body } = told[0] ?? { headers: {}, body: '' }
    expect(new Webhook(secret).verify(body, { ...headers })).toMatchObject({
      type: 'bailiwick.approval.settled',
      data: { approval: id, decision: id.replace('apr', 'dec'), status },
    })
    expect(body).not.toMatch(/amount|iban/)
  })

  test('that fails is repeated under the same id until it is taken', async () => {
    receiver.answers.push({ path: '/told', status: 503 }, { path: '/told', status: 500 })
    const id = await asked(`http://${receiver.host}/told`)
    await vote(id, 'approve')
    await deliver()
    service.clock.aheadMs += 10_000
    await deliver()
    service.clock.aheadMs += 30_000
    await deliver()
    await deliver()
    expect(at('/told')).toHaveLength(3)
    expect(new Set(at('/told').map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  })

  test('of a call that is allowed at once leads nowhere', async () => {
    const small = { action: 'issue_refund', params: { amount: 1 }, callback: `http://${receiver.host}/told` }
    expect((await agent.post('/v1/decisions', small)).body.effect).toBe('allow')
    await deliver()
    expect(receiver.received).toEqual([])
  })

  test('that is sent again lets nothing run twice: it is a hint to ask, and asking finds what holds', async () => {
    const enforcer = new GovernanceEnforcer(service.ledger, agentId)
    const { body } = await agent.post('/v1/decisions', {
      ...refund,
      callId: 'call-1',
      callback: `http://${receiver.host}/told`,
    })
    await vote(body.approval.id, 'approve')
    let runs = 0
    const told = async () => await enforcer.resume('call-1', () => (runs += 1))
    expect(await told()).toMatchObject({ kind: 'ran' })
    expect(await told()).toMatchObject({ kind: 'ran_before', outcome: 'succeeded' })
    expect(runs).toBe(1)
    await enforcer.close()
  })
})

describe('attacks through a callback', () => {
  test.each([
    ['another host', 'https://evil.example/told'],
    ['the allowed host on another port', 'http://127.0.0.1:1/told'],
    ['a metadata service', 'http://169.254.169.254/latest/meta-data'],
    ['an address in the guise of IPv6', 'http://[::ffff:169.254.169.254]/'],
    ['another scheme', 'file:///etc/passwd'],
    ['a password', 'https://user:pass@hooks.example.com/'],
    ['what is no URL', 'hooks.example.com'],
  ])('%s is refused before anything is decided', async (_what, callback) => {
    const before = await service.logSize()
    const answer = await agent.post('/v1/decisions', { ...refund, callback })
    expect(answer).toMatchObject({ status: 400, body: { type: 'urn:bailiwick:problem:bad_input' } })
    expect(await service.logSize()).toBe(before)
  })

  test('where no host is allowed, every callback is refused', async () => {
    await service.close()
    service = await HttpService.open({ text: refundPolicy() })
    agent = await service.agent()
    const answer = await agent.post('/v1/decisions', { ...refund, callback: 'https://hooks.example.com/' })
    expect(answer.status).toBe(400)
  })

  test('a redirect to somewhere else is not followed', async () => {
    const inside = await new Receiver().listen()
    const id = await asked(`http://${receiver.host}/told`)
    const headers = { location: `http://${inside.host}/secret` }
    receiver.answers.push({ path: '/told', status: 307, headers })
    await vote(id, 'approve')
    await deliver()
    expect(at('/told')).toHaveLength(1)
    expect(inside.received).toEqual([])
    expect(service.lines.join('\n')).toContain('answered 307')
    await inside.close()
  })

  // With public receivers only, as a service is set up.
  const settings = { hosts: new Set(['hooks.example.com']), secret, allowPrivate: false }
  const message: ClaimedMessage = {
    id: 'msg_1',
    target: 'approvals.callback',
    recipient: '',
    index: 1,
    kind: 'approval.settled',
    attempts: 1,
    body: JSON.stringify({ kind: 'settled', approval: 'apr_1', status: 'approved' }),
  }
  const sending = async (callback: string, addresses: readonly string[]) => {
    const sender = callbackSender(settings, {
      approval: async () => ({ id: 'apr_1', decision: 'dec_1' }) as never,
      callback: async () => callback,
      now: () => Date.now() as Instant,
      post: (post) =>
        postJson({
          ...post,
          resolve: async () =>
            addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        }),
    })
    return await sender.send(message)
  }

  test.each([
    ['a private address', ['10.0.0.7']],
    ['loopback', ['127.0.0.1']],
    ['a private address beside a public one', ['93.184.216.34', '192.168.1.1']],
    ['a private address in the guise of IPv6', ['::ffff:10.0.0.7']],
    ['one that a translator reaches', ['64:ff9b::a00:7']],
    ['a metadata service', ['169.254.169.254']],
  ])(
    'an allowed name that resolves to %s when it is called, and not before, is not called',
    async (_what, addresses) => {
      await expect(sending('https://hooks.example.com/told', addresses)).rejects.toMatchObject({
        code: 'not_permitted',
      })
    },
  )

  test('a host that is no longer allowed is not called, and given up', async () => {
    expect(await sending('https://earlier.example.com/told', ['93.184.216.34'])).toMatchObject({
      kind: 'refused',
      isFinal: true,
    })
  })
})
