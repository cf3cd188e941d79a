import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mayDo, permissions } from '../../src/http/permissions.ts'
import { expectRefused, HttpService, type Caller } from '../harness/http-service.ts'

const text = `agent_id: "customer-support-agent-v2"
allowed_actions: [issue_refund]
rules:
  - {id: large, on: issue_refund, condition: "params.amount > 500", effect: escalate, action: human_approval_required}
approvals:
  human_approval_required: {exclude: [policy_author]}
`

let service: HttpService
let agent: Caller

beforeAll(async () => {
  service = await HttpService.open({ text })
  agent = await service.agent()
})
afterAll(() => service.close())

async function waiting(): Promise<string> {
  const { body } = await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 600 } })
  return body.approval.id
}

describe('the role policy-author', () => {
  test('lets its holder do what a viewer may, and no more: policies are changed as reviewed files', () => {
    for (const permission of permissions) {
      expect(mayDo('policy-author', permission), permission).toBe(mayDo('viewer', permission))
    }
  })

  test('keeps its holder from answering what the own policy asks, over each way of voting, and others not', async () => {
    const id = await waiting()
    const both = await service.person('ann@example.com', ['approver', 'policy-author'])
    const { digest, mayVote } = (await both.get(`/v1/approvals/${id}`)).body
    expect(mayVote).toBe(false)
    await expectRefused(service, () => both.vote(id, { vote: 'approve' }), 403, 'not_permitted')
    const several = await both.post('/v1/votes', { votes: [{ approval: id, vote: 'approve', digest }] })
    expect(several.body.votes).toMatchObject([{ type: 'urn:bailiwick:problem:not_permitted' }])
    const approver = await service.person('bob@example.com', ['approver'])
    expect((await approver.get(`/v1/approvals/${id}`)).body.mayVote).toBe(true)
    expect((await approver.vote(id, { vote: 'approve' })).body.status).toBe('approved')
  })

  test('that is given after the approval was opened counts, and once it is taken away no longer', async () => {
    const id = await waiting()
    await service.person('cyd@example.com', ['approver'])
    const author = await service.person('cyd@example.com', ['approver', 'policy-author'])
    await expectRefused(service, () => author.vote(id, { vote: 'approve' }), 403, 'not_permitted')
    const former = await service.person('cyd@example.com', ['approver'])
    expect((await former.vote(id, { vote: 'approve' })).status).toBe(201)
  })

  test('reads the sources of policies, of which it changes none', async () => {
    const author = await service.person('dan@example.com', ['policy-author'])
    const { policies } = (await author.get('/v1/policies')).body
    const { body } = await author.get(`/v1/policies/${policies[0].policy.sha256}`)
    expect(body).toMatchObject({ inForce: true, source: text })
  })
})
