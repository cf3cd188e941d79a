import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { base, expectRefused, HttpService, type Answer, type Caller } from '../harness/http-service.ts'
import type { PolicyVariant } from '../harness/policies.ts'

let service: HttpService

beforeAll(async () => {
  service = await HttpService.open()
})
afterEach(() => {
  service.clock.aheadMs = 0
})
afterAll(() => service.close())

/** A refund that waits: its agent and its approval. */
async function waitingRefund(on = service): Promise<{ agent: Caller; id: string }> {
  const agent = await on.agent()
  const { body } = await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 600 } })
  return { agent, id: body.approval.id }
}

const yes = { vote: 'approve' }

describe('signing in', () => {
  test('works once for a link, and gives a cookie that scripts and other sites cannot use', async () => {
    await service.access.setPerson('pat@example.com', ['approver'])
    const token = await service.signInToken('pat@example.com')
    const first = await service.anyone.post('/v1/session', { token })
    expect(first).toMatchObject({
      status: 200,
      body: { person: { id: 'pat@example.com', roles: ['approver'] } },
    })
    const cookie = first.headers.get('set-cookie') ?? ''
    expect(cookie.split('; ').slice(1).sort()).toEqual([
      'HttpOnly',
      'Max-Age=43200',
      'Path=/',
      'SameSite=Strict',
    ])
    await expectRefused(
      service,
      () => service.anyone.post('/v1/session', { token }),
      401,
      'not_authenticated',
    )
  })

  test('of two who use a link at once, one is let in', async () => {
    await service.access.setPerson('pat@example.com', [])
    const token = await service.signInToken('pat@example.com')
    const answers = await Promise.all([0, 1, 2, 3].map(() => service.anyone.post('/v1/session', { token })))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401, 401])
  })

  test('fails a day later', async () => {
    await service.access.setPerson('pat@example.com', [])
    const token = await service.signInToken('pat@example.com')
    service.clock.aheadMs = 24 * 60 * 60 * 1000
    await expectRefused(
      service,
      () => service.anyone.post('/v1/session', { token }),
      401,
      'not_authenticated',
    )
  })

  test('ends after twelve hours, however much it is used, and after two without a request', async () => {
    const hour = 60 * 60 * 1000
    const [person, idle] = [await service.person(), await service.person('idle@example.com')]
    for (let passed = 0; passed < 11; passed++) {
      service.clock.aheadMs += hour
      expect((await person.get('/v1/session')).status).toBe(200)
    }
    await expectRefused(service, () => idle.get('/v1/session'), 401, 'not_authenticated')
    service.clock.aheadMs += hour
    await expectRefused(service, () => person.get('/v1/session'), 401, 'not_authenticated')
  })

  test('is not done by a page of another site', async () => {
    await service.access.setPerson('pat@example.com', [])
    const token = await service.signInToken('pat@example.com')
    const headers = { origin: 'https://evil.example' }
    await expectRefused(
      service,
      () => service.anyone.post('/v1/session', { token }, { headers }),
      403,
      'not_permitted',
    )
    expect((await service.anyone.post('/v1/session', { token }, { headers: { origin: base } })).status).toBe(
      200,
    )
  })

  test('is refused with anything but one token', async () => {
    const bodies = [{}, { token: '' }, { token: 7 }, { token: 'a'.repeat(201) }, { token: 'a', person: 'b' }]
    for (const json of bodies) {
      await expectRefused(service, () => service.anyone.post('/v1/session', json), 400, 'bad_input')
    }
  })

  test('is refused with a token that nobody made', async () => {
    for (const token of ['a', '\u0000', "' or 1=1 --"]) {
      await expectRefused(
        service,
        () => service.anyone.post('/v1/session', { token }),
        401,
        'not_authenticated',
      )
    }
  })

  test('is over once the person signs out', async () => {
    const person = await service.person()
    expect(await person.send('DELETE', '/v1/session')).toMatchObject({ status: 204, text: '' })
    await expectRefused(service, () => person.get('/v1/decisions'), 401, 'not_authenticated')
  })
})

describe('a vote', () => {
  test('is recorded with its comment, and shows on the approval', async () => {
    const { id } = await waitingRefund()
    const person = await service.person()
    const size = await service.logSize()
    expect((await person.get(`/v1/approvals/${id}`)).body).toMatchObject({
      status: 'pending',
      mayVote: true,
      votes: [],
    })
    const { status, body } = await person.vote(id, { vote: 'reject', comment: 'no order' })
    expect({ status, approval: body }).toMatchObject({
      status: 201,
      approval: {
        status: 'rejected',
        mayVote: false,
        votes: [{ person: 'pat@example.com', vote: 'reject', comment: 'no order' }],
      },
    })
    // That the person looked at it, and the vote.
    expect(await service.logSize()).toBe(size + 2)
  })

  test('counts once for a person', async () => {
    const { id } = await waitingRefund()
    const person = await service.person()
    await person.vote(id, yes)
    await expectRefused(service, () => person.vote(id, yes), 409, 'already_voted')
    await expectRefused(service, () => person.vote(id, { vote: 'reject' }), 409, 'already_voted')
  })

  test('counts once for a person who asks for it several times at once', async () => {
    const { id } = await waitingRefund()
    const person = await service.person()
    const size = await service.logSize()
    const answers = await Promise.all([0, 1, 2, 3, 4].map(() => person.vote(id, yes)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409, 409])
    expect(await service.logSize()).toBe(size + 1)
  })

  test('comes too late once the approval is closed', async () => {
    const { id } = await waitingRefund()
    const [first, second] = [await service.person(), await service.person('late@example.com')]
    await first.vote(id, yes)
    await expectRefused(service, () => second.vote(id, { vote: 'reject' }), 409, 'approval_closed')
  })

  test('comes too late at the deadline, also before the log says that it has passed', async () => {
    const { id } = await waitingRefund()
    const person = await service.person()
    service.clock.aheadMs = 5 * 60 * 1000
    await expectRefused(service, () => person.vote(id, yes), 409, 'approval_closed')
    const ids = async (status: string): Promise<string[]> =>
      (await person.get(`/v1/approvals?status=${status}`)).body.approvals.map(
        (approval: { id: string }) => approval.id,
      )
    expect(await ids('expired')).toContain(id)
    expect(await ids('pending')).toEqual([])
  })

  test('needs a session, and a page of this site', async () => {
    const { id } = await waitingRefund()
    const person = await service.person()
    await expectRefused(service, () => service.anyone.vote(id, yes), 401, 'not_authenticated')
    const strangers = [
      'https://evil.example',
      'null',
      'http://console.test.evil.example',
      'http://console.test:8080',
      '',
      undefined,
    ]
    for (const origin of strangers) {
      await expectRefused(service, () => person.vote(id, yes, { headers: { origin } }), 403, 'not_permitted')
    }
    await expectRefused(
      service,
      () => person.send('DELETE', '/v1/session', { headers: { origin: undefined } }),
      403,
      'not_permitted',
    )
    expect((await person.vote(id, yes)).status).toBe(201)
  })

  test('is refused that is not a vote with, perhaps, a comment', async () => {
    const { id } = await waitingRefund()
    const person = await service.person()
    const bodies = [
      {},
      { vote: 'yes' },
      { vote: ['approve'] },
      { vote: 'approve', person: 'boss@example.com' },
      { vote: 'approve', comment: 7 },
      { vote: 'approve', comment: 'a'.repeat(2001) },
      { vote: 'approve', comment: '\ud800' },
    ]
    for (const json of bodies) {
      await expectRefused(service, () => person.vote(id, json), 400, 'bad_input')
    }
  })

  test('may carry a comment of 2000 characters, of any kind', async () => {
    const { id } = await waitingRefund()
    const comment = '<script>\u0000\n💩'.padEnd(2000, 'ä')
    const { body } = await (await service.person()).vote(id, { vote: 'approve', comment })
    expect(body.votes[0].comment).toBe(comment)
  })

  test('on an unknown approval is not found', async () => {
    const person = await service.person()
    for (const id of ['apr_0', 'apr_999999']) {
      await expectRefused(service, () => person.vote(id, yes), 404, 'not_found')
    }
  })
})

describe('who may vote', () => {
  const others: HttpService[] = []
  afterEach(async () => {
    for (const each of others.splice(0)) await each.close()
  })
  async function serviceWith(variant: PolicyVariant): Promise<HttpService> {
    const opened = await HttpService.open(variant)
    others.push(opened)
    return opened
  }

  test('is who the policy names, with the roles that they have now', async () => {
    const strict = await serviceWith({ approvers: ['role:refunds-lead', 'person:boss@example.com'] })
    const { id } = await waitingRefund(strict)
    const person = await strict.person('pat@example.com', ['approver', 'administrator'])
    expect((await person.get(`/v1/approvals/${id}`)).body.mayVote).toBe(false)
    await expectRefused(strict, () => person.vote(id, yes), 403, 'not_permitted')

    const lead = await strict.person('pat@example.com', ['refunds-lead'])
    expect((await lead.get(`/v1/approvals/${id}`)).body.mayVote).toBe(true)
    expect((await lead.vote(id, yes)).status).toBe(201)
  })

  test('is nobody who lost the role between opening the approval and voting', async () => {
    const { id } = await waitingRefund()
    const person = await service.person('ex@example.com', ['approver'])
    expect((await person.get(`/v1/approvals/${id}`)).body.mayVote).toBe(true)
    await service.access.setPerson('ex@example.com', ['viewer'])
    await expectRefused(service, () => person.vote(id, yes), 401, 'not_authenticated')
    const again = await service.person('ex@example.com', ['viewer'])
    await expectRefused(service, () => again.vote(id, yes), 403, 'not_permitted')
  })

  test('is an approver where it names nobody', async () => {
    const { id } = await waitingRefund()
    const auditor = await service.person('auditor@example.com', ['auditor'])
    await expectRefused(service, () => auditor.vote(id, yes), 403, 'not_permitted')
    const named = await service.person('approver@example.com', ['approver'])
    expect((await named.vote(id, yes)).body.status).toBe('approved')
  })

  test('is as many different people as the policy asks for', async () => {
    const two = await serviceWith({ quorum: 2 })
    const { id, agent } = await waitingRefund(two)
    const first = await (await two.person('one@example.com')).vote(id, yes)
    expect(first.body.status).toBe('pending')
    expect((await refund(agent, id)).body.effect).toBe('deny')
    const second = await (await two.person('two@example.com')).vote(id, yes)
    expect(second.body.status).toBe('approved')
    expect((await refund(agent, id)).body.effect).toBe('allow')
  })
})

describe('an approval', () => {
  test('lets exactly one of fifty concurrent tries through', async () => {
    const { id, agent } = await waitingRefund()
    await (await service.person()).vote(id, yes)
    const tries = await Promise.all(Array.from({ length: 50 }, () => refund(agent, id)))
    expect(tries.filter(({ body }) => body.effect === 'allow')).toHaveLength(1)
    expect(tries.filter(({ body }) => body.effect === 'deny')).toHaveLength(49)
    const winner = tries.find(({ body }) => body.effect === 'allow')
    expect((await agent.get(`/v1/approvals/${id}`)).body).toMatchObject({
      status: 'consumed',
      consumedBy: winner?.body.id,
    })
    expect(await service.ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('does not cover another amount', async () => {
    const { id, agent } = await waitingRefund()
    await (await service.person()).vote(id, yes)
    expect((await refund(agent, id, 601)).body.effect).toBe('deny')
    expect((await refund(agent, id, 600)).body.effect).toBe('allow')
  })

  test('that was rejected lets nothing through', async () => {
    const { id, agent } = await waitingRefund()
    await (await service.person()).vote(id, { vote: 'reject' })
    expect((await refund(agent, id)).body.effect).toBe('deny')
  })
})

function refund(agent: Caller, approvalId: string, amount = 600): Promise<Answer> {
  return agent.post('/v1/decisions', { action: 'issue_refund', params: { amount }, approvalId })
}
