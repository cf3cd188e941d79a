import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { base, HttpService, type Caller } from '../harness/http-service.ts'

/** What differs from the policy of before. */
const changedPolicy = { deadline: '6m' }
const refund = { action: 'issue_refund', params: { amount: 600 } }

let before: HttpService
let agent: Caller
let person: Caller
let changed: HttpService
/** The agent and the person again, where the policy has changed. */
let agentAfter: Caller
let personAfter: Caller

beforeAll(async () => {
  before = await HttpService.open()
  changed = await before.other(changedPolicy)
  agent = await before.agent()
  person = await before.person()
  agentAfter = await changed.agent()
  personAfter = await changed.person()
})
afterAll(async () => {
  await changed.close()
  await before.close()
})

async function asked(): Promise<string> {
  const { body } = await agent.post('/v1/decisions', { ...refund, callId: crypto.randomUUID() })
  return body.approval.id
}

describe('an approval of which the policy has changed', () => {
  test('says that it is void to its agent and to people, one by one and in lists, and not under its own policy', async () => {
    const id = await asked()
    for (const caller of [agentAfter, personAfter]) {
      expect((await caller.get(`/v1/approvals/${id}`)).body).toMatchObject({
        status: 'pending',
        voidedBy: 'policy_change',
      })
      const { approvals } = (await caller.get('/v1/approvals?status=pending')).body
      expect(approvals).toContainEqual(expect.objectContaining({ id, voidedBy: 'policy_change' }))
    }
    for (const caller of [agent, person]) {
      expect((await caller.get(`/v1/approvals/${id}`)).body).not.toHaveProperty('voidedBy')
    }
    const fresh = (await agentAfter.post('/v1/decisions', refund)).body.approval.id
    expect((await personAfter.get(`/v1/approvals/${fresh}`)).body).not.toHaveProperty('voidedBy')
  })

  test('says so by the call id, after a vote, and when it is withdrawn no more', async () => {
    const callId = 'void-1'
    const { id } = (await agent.post('/v1/decisions', { ...refund, callId })).body.approval
    expect((await agentAfter.get(`/v1/calls/${callId}`)).body.approval.voidedBy).toBe('policy_change')
    const voted = await personAfter.vote(id, { vote: 'approve' })
    expect(voted.body).toMatchObject({ status: 'approved', voidedBy: 'policy_change' })
    expect((await agentAfter.post('/v1/decisions', { ...refund, approvalId: id })).body).toMatchObject({
      effect: 'deny',
      reasons: [`Approval ${id} was given under another policy`],
    })
    const withdrawn = await agentAfter.post(`/v1/approvals/${id}/cancellation`, { reason: 'asked again' })
    expect(withdrawn.body.status).toBe('cancelled')
    expect(withdrawn.body).not.toHaveProperty('voidedBy')
  })

  test('is told as void to who comes back to its stream, also where nothing else has happened', async () => {
    const id = await asked()
    const path = `/v1/approvals/${id}/events`
    const first = await firstEvent(before, agent, path)
    expect(first.id).toBe('pending')
    expect(first.data).not.toHaveProperty('voidedBy')
    const next = await firstEvent(changed, agentAfter, path, first.id)
    expect(next).toMatchObject({
      id: 'pending-void',
      data: { id, status: 'pending', voidedBy: 'policy_change' },
    })

    await personAfter.vote(id, { vote: 'approve' })
    const last = await firstEvent(changed, agentAfter, path, 'approved')
    expect(last).toMatchObject({
      id: 'approved-void',
      data: { status: 'approved', voidedBy: 'policy_change' },
    })
    const again = await agentAfter.get(path, { headers: { 'last-event-id': last.id } })
    expect(again.status).toBe(204)
  })
})

/** The first event of a stream, which is then left. */
async function firstEvent(service: HttpService, caller: Caller, path: string, last?: string) {
  const leaving = new AbortController()
  const headers = new Headers({ authorization: `Bearer ${caller.secret}` })
  if (last !== undefined) headers.set('last-event-id', last)
  const response = await service.app.request(base + path, { headers, signal: leaving.signal })
  let text = ''
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  while (reader !== undefined && !text.includes('\n\n')) {
    const { done, value } = await reader.read()
    if (done) break
    text += value
  }
  leaving.abort()
  await reader?.cancel()
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? ''
  return { id: field('id'), data: JSON.parse(field('data')) }
}
