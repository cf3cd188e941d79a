import { instantText, type Instant } from '@bailiwick/core'
import { ChannelStore } from '@bailiwick/store'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cutOff } from '../harness/cut-off.ts'
import { base, HttpService, type Caller } from '../harness/http-service.ts'
import { linkIn, MailServer } from './mail-server.ts'
import { refund, refundPolicy } from './policy.ts'

const minute = 60_000
let mail: MailServer
let service: HttpService
let agent: Caller

let openedWith: string | undefined

/** A service whose route has these terms, as new: one that is there already is cleared, which is faster. */
async function open(terms = '', env: Record<string, string> = {}): Promise<void> {
  const wanted = JSON.stringify([terms, env])
  if (openedWith !== wanted) await reopen(terms, env)
  openedWith = wanted
  service.clock.aheadMs = 0
  await deliver()
  await service.ledger.pool.query('truncate outbox, mail_link')
  for (const list of [mail.mails, mail.trouble, service.lines]) list.length = 0
  for (const { id } of await service.access.people()) await service.access.removePerson(id)
  await service.access.setPerson('ann@example.com', ['approver'])
  await service.access.setPerson('bob@example.com', ['approver'])
  await service.access.setPerson('vic@example.com', ['viewer'])
}

async function reopen(terms: string, env: Record<string, string>): Promise<void> {
  if (openedWith !== undefined) await service.close()
  service = await HttpService.open({ text: refundPolicy(terms) }, { ...mail.env, ...env })
  agent = await service.agent()
}

beforeAll(async () => {
  mail = await new MailServer().listen()
})
beforeEach(() => open())
afterAll(async () => {
  await service.close()
  await mail.close()
})

async function deliver(): Promise<void> {
  while ((await service.channels.worker.runOnce()) > 0);
}

/** A refund that waits, of which everybody has been told. */
async function asked(): Promise<string> {
  const { body } = await agent.post('/v1/decisions', refund)
  await deliver()
  return body.approval.id
}

/** A browser that asks for a page, or sends its form. */
async function visit(
  method: string,
  path: string,
  form?: Record<string, string>,
  headers: Record<string, string> = {},
) {
  const sent = new Headers({ host: new URL(base).host, accept: 'text/html', ...headers })
  const init = form === undefined ? {} : { body: new URLSearchParams(form) }
  if (form !== undefined && !sent.has('origin')) sent.set('origin', base)
  const response = await service.app.request(new Request(base + path, { method, headers: sent, ...init }))
  return { status: response.status, headers: response.headers, html: await response.text() }
}

/** What the form of a page would send. */
function formOf(html: string): Record<string, string> {
  const digest = /name="digest" value="([0-9a-f]{64})"/.exec(html)?.[1]
  return digest === undefined ? {} : { digest }
}

async function answer(path: string, vote: string, more: Record<string, string> = {}, headers = {}) {
  const { html } = await visit('GET', `${path}?choice=${vote}`)
  return await visit('POST', path, { ...formOf(html), vote, ...more }, headers)
}

const approvalOf = async (id: string) => await service.ledger.approval(id, {})

describe('a request for approval by e-mail', () => {
  test('goes to everybody who is entitled, each with a link of their own, and to nobody else', async () => {
    const id = await asked()
    expect(mail.mails.map(({ to }) => to.join()).toSorted()).toEqual(['ann@example.com', 'bob@example.com'])
    const { text, headers } = mail.to('ann@example.com')
    expect(headers['subject']).toContain('customer-support-agent-v2 asks to run issue_refund')
    expect(headers['auto-submitted']).toBe('auto-generated')
    expect(text).toContain('Amount: USD\u00a0600.00')
    expect(text.replaceAll('\r', '')).toContain('Why it was held:\n  ')
    expect(text).toContain('By the rule: refund_amount > 500')
    expect(text).toContain('Iban: hidden')
    expect(text).not.toMatch(/DE8937|078-05/)
    expect(text).toMatch(/Answer by \d{1,2} [A-Z][a-z]+ \d{4}, \d{2}:\d{2} UTC/)
    expect(text).toContain(`${base}/approvals/${id}`)
    expect(linkIn(mail.to('ann@example.com'))).not.toBe(linkIn(mail.to('bob@example.com')))
  })

  test('says the amount in the subject, which is all that a telephone shows at first', async () => {
    await asked()
    expect(mail.to('ann@example.com').headers['subject']).toMatch(
      /^customer-support-agent-v2 asks to run issue_refund: Amount USD 600\.00 \(answer by /,
    )
  })

  test('goes to who stands in for somebody as well, without a link that votes, and to nobody whose delegation has not begun', async () => {
    const give = async (to: string, from: string, startsInMs: number) =>
      await service.ledger.delegations.give({
        from,
        to,
        starts: instantText((service.ledger.now() + startsInMs) as Instant),
        ends: instantText((service.ledger.now() + 60 * minute) as Instant),
        reason: 'on leave',
        by: 'operator',
      })
    await service.access.setPerson('wim@example.com', ['viewer'])
    await give('vic@example.com', 'ann@example.com', 0)
    await give('wim@example.com', 'ann@example.com', 30 * minute)
    await give('bob@example.com', 'ann@example.com', 0)
    const id = await asked()
    expect(mail.mails.map(({ to }) => to.join()).toSorted()).toEqual([
      'ann@example.com',
      'bob@example.com',
      'vic@example.com',
    ])
    const stead = 'In the console you may answer it in the stead of ann@example.com.'
    const { text } = mail.to('vic@example.com')
    expect(text).toContain(stead)
    expect(text).toContain(`Answers in the stead of others are given in the console:`)
    expect(text).toContain(`${base}/approvals/${id}`)
    expect(text).not.toContain('/v1/channels/email/')
    expect(mail.to('bob@example.com').text).toContain(stead)
    expect(mail.to('bob@example.com').text).toContain('/v1/channels/email/')
    expect(mail.to('ann@example.com').text).not.toContain('in the stead of')
  })

  test('says what the call is in the words of the console, and what its host says of it, but nothing that is masked', async () => {
    await agent.post('/v1/decisions', {
      action: 'issue_refund',
      params: {
        amount: 1600,
        is_gift: true,
        payee: { city: 'Lyon' },
        due: '2026-11-27T20:21:00Z',
        lines: [[1]],
        note: '',
      },
      context: { ticket: 'T-204', customer: { ssn: '078-05-1120' }, nothing: null },
    })
    await deliver()
    const text = mail.to('ann@example.com').text.replaceAll('\r', '')
    expect(text).toContain(`Parameters, chosen by the agent:
  Amount: USD\u00a01,600.00
  Due: 27 Nov 2026, 20:21:00.000 UTC (2026-11-27T20:21:00Z)
  Is gift: Yes
  Lines: [ [ 1 ] ]
  Note: empty text
  Payee › City: Lyon

Context, given by the host that runs the agent:
  Ticket: T-204

`)
    expect(text).not.toContain('078-05')
    const { html } = await visit('GET', linkIn(mail.to('ann@example.com')))
    expect(html).toContain('<dt>Amount</dt><dd>USD\u00a01,600.00</dd>')
    expect(html).toContain('<dt>Note</dt><dd><em>empty text</em></dd>')
    expect(html).toContain('<dt>Ticket</dt><dd>T-204</dd>')
    expect(html).not.toContain('078-05')
  })

  test('cannot be given further headers or receivers by what the agent says', async () => {
    await agent.post('/v1/decisions', {
      action: 'issue_refund',
      params: { amount: 600, note: 'x\r\nBcc: eve@example.com\r\n\r\nhello' },
    })
    await deliver()
    expect(mail.mails).toHaveLength(2)
    expect(mail.to('ann@example.com').headers).not.toHaveProperty('bcc')
    expect(mail.to('ann@example.com').text).toContain('Note: x\\u{d}\\u{a}Bcc: eve@example.com')
  })

  test('is sent again where the server refuses for now, under the same id', async () => {
    mail.trouble.push({ code: 451, text: 'greylisted' }, { code: 451, text: 'greylisted' })
    await asked()
    expect(mail.mails).toEqual([])
    expect(service.lines.join('\n')).toContain('the mail server did not take it')
    service.clock.aheadMs += 10_000
    await deliver()
    expect(mail.mails).toHaveLength(2)
    const { rows } = await service.ledger.pool.query<{ id: string }>(
      `select id from outbox where recipient = 'ann@example.com'`,
    )
    expect(mail.to('ann@example.com').headers['message-id']).toContain(rows[0]?.id)
  })

  test('that nobody takes becomes a dead letter, which operators see and can have sent again', async () => {
    mail.trouble.push({ code: 550, text: 'no such mailbox' }, { code: 550, text: 'no such mailbox' })
    await asked()
    const operator = await service.person('ops@example.com', ['operator'])
    const viewer = await service.person('vic@example.com', ['viewer'])
    expect((await viewer.get('/v1/deliveries')).status).toBe(403)
    const { body } = await operator.get('/v1/deliveries?state=dead')
    expect(body.deliveries).toMatchObject([
      { target: 'approvals.mail', state: 'dead', lastError: expect.stringContaining('550') },
      { target: 'approvals.mail', state: 'dead' },
    ])
    expect(JSON.stringify(body)).not.toContain('amount')
    const { id } = body.deliveries[0]
    expect((await viewer.post(`/v1/deliveries/${id}/retry`, {})).status).toBe(403)
    expect((await operator.post('/v1/deliveries/msg_none/retry', {})).status).toBe(404)
    expect((await operator.post(`/v1/deliveries/${id}/retry`, {})).status).toBe(200)
    await deliver()
    expect(mail.mails).toHaveLength(1)
    expect((await operator.post(`/v1/deliveries/${id}/retry`, {})).status).toBe(409)
  })
})

describe('the page of a link', () => {
  test('shows what is asked, masked, works without script, and chooses nothing', async () => {
    await asked()
    const { status, headers, html } = await visit('GET', linkIn(mail.to('ann@example.com')))
    expect(status).toBe(200)
    expect(html).toContain('customer-support-agent-v2 asks to run issue_refund')
    expect(html).toContain('<dt>Amount</dt><dd>USD\u00a0600.00</dd>')
    expect(html).not.toContain('DE8937')
    expect(html).toContain('You answer as <strong>ann@example.com</strong>')
    expect(html).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">')
    expect(html).not.toMatch(/<script|autofocus|\schecked/)
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    )
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('same-origin')
  })

  test('takes two steps: what was chosen is said once more with the amount, and nothing is recorded before that is confirmed', async () => {
    const id = await asked()
    const path = linkIn(mail.to('ann@example.com'))
    const first = (await visit('GET', path)).html
    expect(first).not.toMatch(/name="vote"|name="digest"/)
    expect(first).toContain('<button type="submit" name="choice" value="approve">Approve…</button>')
    const second = (await visit('GET', `${path}?choice=approve`)).html
    expect(second).toContain('You are about to approve')
    expect(second).toContain('asks to run issue_refund: Amount USD\u00a0600.00</p>')
    expect(second).toContain('<button type="submit" name="vote" value="approve">I agree to this</button>')
    expect((await visit('GET', `${path}?choice=reject`)).html).toContain('Reject this call')
    for (const other of ['acknowledge', 'no', '']) {
      expect((await visit('GET', `${path}?choice=${other}`)).html).toBe(first)
    }
    expect((await approvalOf(id)).votes).toEqual([])
  })

  test('casts the vote that is sent from it, with the comment, and shows what became of it', async () => {
    const id = await asked()
    const path = linkIn(mail.to('ann@example.com'))
    const { status, html } = await answer(path, 'approve', { comment: 'looked at\r\nthe order' })
    expect(status).toBe(200)
    expect(html).toContain('Recorded: you approved')
    const { votes, digest } = await approvalOf(id)
    expect(votes).toMatchObject([
      { person: 'ann@example.com', vote: 'approve', comment: 'looked at\nthe order' },
    ])
    expect(digest).toMatch(/^[0-9a-f]{64}$/)
    const after = await visit('GET', path)
    expect(after.html).toContain('You approved')
    expect(after.html).not.toContain('<form')
  })

  test('rejects as well', async () => {
    const id = await asked()
    await answer(linkIn(mail.to('ann@example.com')), 'reject')
    expect((await approvalOf(id)).status).toBe('rejected')
  })

  test('escapes what the agent says', async () => {
    await agent.post('/v1/decisions', {
      action: 'issue_refund',
      params: { amount: 600, note: '"><img src=x onerror=alert(1)>' },
    })
    await deliver()
    const { html } = await visit('GET', linkIn(mail.to('ann@example.com')))
    expect(html).toContain('&quot;&gt;&lt;img src=x onerror=alert(1)&gt;')
  })
})

describe('attacks', () => {
  test('a program that follows links before people do votes nothing, and uses nothing up', async () => {
    const id = await asked()
    const path = linkIn(mail.to('ann@example.com'))
    const before = await service.logSize()
    for (const method of ['GET', 'HEAD', 'GET']) expect((await visit(method, path)).status).toBe(200)
    expect((await visit('GET', `${path}?vote=approve`)).status).toBe(200)
    // Whoever follows it is taken for the person, and that is all that is recorded, once.
    const { rows } = await service.ledger.pool.query('select kind from log_entry where index >= $1', [before])
    expect(rows).toEqual([{ kind: 'read' }])
    expect((await approvalOf(id)).votes).toEqual([])
    expect((await answer(path, 'approve')).status).toBe(200)
  })

  test.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s votes nothing', async (method) => {
    const id = await asked()
    expect((await visit(method, linkIn(mail.to('ann@example.com')))).status).toBeGreaterThanOrEqual(400)
    expect((await approvalOf(id)).votes).toEqual([])
  })

  test('a link that was used votes no second time, also not ten times at once', async () => {
    await open('quorum: 2')
    const id = await asked()
    const path = linkIn(mail.to('ann@example.com'))
    const { html } = await visit('GET', `${path}?choice=approve`)
    const form = { ...formOf(html), vote: 'approve' }
    const answers = await Promise.all(Array.from({ length: 10 }, () => visit('POST', path, form)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(await visit('POST', path, { ...form, vote: 'reject' })).toMatchObject({ status: 409 })
    expect((await approvalOf(id)).votes).toHaveLength(1)
  })

  test('a form without the digest that its page shows, or with that of another approval, is refused', async () => {
    const one = await asked()
    const path = linkIn(mail.to('ann@example.com'))
    const other = await asked()
    const { digest } = await approvalOf(other)
    for (const form of [{ vote: 'approve' }, { vote: 'approve', digest }]) {
      expect((await visit('POST', path, form)).status).toBe(409)
    }
    for (const id of [one, other]) expect((await approvalOf(id)).votes).toEqual([])
    expect((await answer(path, 'approve')).status).toBe(200)
    expect((await approvalOf(other)).votes).toEqual([])
  })

  test("a link votes as its own person, whoever's session comes with it", async () => {
    const id = await asked()
    const bob = await service.person('bob@example.com')
    const cookie = `bailiwick_session=${bob.secret}`
    await answer(linkIn(mail.to('ann@example.com')), 'approve', {}, { cookie })
    expect((await approvalOf(id)).votes).toMatchObject([{ person: 'ann@example.com' }])
  })

  test('a link signs nobody in', async () => {
    await asked()
    const path = linkIn(mail.to('ann@example.com'))
    const seen = [await visit('GET', path), await answer(path, 'approve')]
    for (const { headers } of seen) expect(headers.get('set-cookie')).toBeNull()
    const token = path.split('/').at(-1) ?? ''
    expect((await service.anyone.post('/v1/session', { token })).status).toBe(401)
  })

  test('the database holds no token, only its hash', async () => {
    await asked()
    const token = linkIn(mail.to('ann@example.com')).split('/').at(-1) ?? ''
    const { rows } = await service.ledger.pool.query('select * from mail_link')
    expect(rows).toHaveLength(2)
    expect(JSON.stringify(rows)).not.toContain(token)
  })

  test('a link is no good from the deadline on', async () => {
    const id = await asked()
    const path = linkIn(mail.to('ann@example.com'))
    const { html } = await visit('GET', `${path}?choice=approve`)
    service.clock.aheadMs += 5 * minute
    expect((await visit('POST', path, { ...formOf(html), vote: 'approve' })).status).toBe(409)
    expect((await approvalOf(id)).votes).toEqual([])
    expect((await visit('GET', path)).html).not.toContain('<form')
  })

  test('a link of somebody whose role was taken away, or who is gone, votes nothing', async () => {
    const id = await asked()
    const path = linkIn(mail.to('ann@example.com'))
    const { html } = await visit('GET', `${path}?choice=approve`)
    await service.access.setPerson('ann@example.com', ['viewer'])
    const form = { ...formOf(html), vote: 'approve' }
    expect((await visit('POST', path, form)).status).toBe(403)
    await service.access.removePerson('ann@example.com')
    expect((await visit('POST', path, form)).status).toBe(404)
    expect((await approvalOf(id)).votes).toEqual([])
  })

  test('a link ends with all sessions of its person: its page says so, and the approval waits on', async () => {
    const id = await asked()
    const path = linkIn(mail.to('ann@example.com'))
    const form = { ...formOf((await visit('GET', `${path}?choice=approve`)).html), vote: 'approve' }
    await service.access.endSessions('ann@example.com')
    const { status, html } = await visit('GET', path)
    expect(status).toBe(404)
    expect(html).toContain('This link is not valid, or has ended')
    expect(html).toContain('somebody ends all of your sessions')
    expect((await visit('POST', path, form)).status).toBe(404)
    expect(await approvalOf(id)).toMatchObject({ status: 'pending', votes: [] })
  })

  test.each(['x', 'A'.repeat(43), '..%2f..%2fv1%2fsession'])('%j is no link', async (token) => {
    expect((await visit('GET', `/v1/channels/email/${token}`)).status).toBe(404)
    const answered = await service.anyone.get(`/v1/channels/email/${token}`)
    expect(answered.body).toMatchObject({ type: 'urn:bailiwick:problem:not_found' })
  })

  test('a form that another site sends is refused', async () => {
    const id = await asked()
    const path = linkIn(mail.to('ann@example.com'))
    expect((await answer(path, 'approve', {}, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await approvalOf(id)).votes).toEqual([])
  })

  test('a request that is over gets no message any more', async () => {
    await agent.post('/v1/decisions', refund)
    service.clock.aheadMs += 5 * minute
    await deliver()
    expect(mail.mails).toEqual([])
  })
})

describe('where the policy has changed since', () => {
  test('the message says that no answer lets it through, and the page of a link has no form', async () => {
    const { body } = await agent.post('/v1/decisions', refund)
    const { id } = body.approval
    const changed = await service.other({ text: `version: 2\n${refundPolicy()}` })
    try {
      while ((await changed.channels.worker.runOnce()) > 0);
      const { text, headers } = mail.to('ann@example.com')
      expect(text).toContain('The policy of customer-support-agent-v2 has changed since this was asked.')
      expect(text).toContain('Whatever is answered, the call is denied')
      expect(text).not.toMatch(/Answer by|\/v1\/channels\//)
      expect(headers['subject']).toMatch(/USD 600\.00 \(void\)$/)

      const path = await linkMadeFor(id)
      const shown = await changed.anyone.get(path, { headers: { accept: 'text/html' } })
      expect(shown.text).not.toContain('<form')
      expect(shown.text).toContain('Whatever is answered, the call is denied')
      expect((await visit('GET', path)).html).toContain('<form')
    } finally {
      await changed.close()
    }
  })

  test('nobody is reminded of it, and of what waits under the policy in force people are', async () => {
    await open('remind: [1m]')
    await asked()
    const changed = await service.other({ text: `version: 2\n${refundPolicy('remind: [1m]')}` })
    try {
      const good = (await (await changed.agent()).post('/v1/decisions', refund)).body.approval.id
      await deliver()
      mail.mails.length = 0
      service.clock.aheadMs = minute
      await changed.ledger.remindDue()
      while ((await changed.channels.worker.runOnce()) > 0);
      const reminders = mail.mails.filter(({ to }) => to.includes('ann@example.com'))
      expect(reminders).toHaveLength(1)
      expect(reminders[0]?.text).toContain(`${base}/approvals/${good}`)
    } finally {
      await changed.close()
    }
  })
})

/** A link that is there all the same, as where the policy changed its mind. */
async function linkMadeFor(id: string): Promise<string> {
  const { digest } = await approvalOf(id)
  const token = await new ChannelStore(service.ledger.pool, service.ledger.name).makeMailLink({
    approval: Number(id.slice('apr_'.length)),
    digest,
    person: 'ann@example.com',
    expiresAt: (service.ledger.now() + minute) as Instant,
  })
  return `/v1/channels/email/${token}`
}

describe('where votes have to be signed', () => {
  test('the message leads to the console, and the page of a link that is there all the same has no form and takes none', async () => {
    await open('signed: true')
    const id = await asked()
    const { text } = mail.to('ann@example.com')
    expect(text).toContain('signed with a passkey')
    expect(text).not.toContain('/v1/channels/')
    const path = await linkMadeFor(id)
    const { html } = await visit('GET', path)
    expect(html).not.toContain('<form')
    expect(html).toContain('This one takes a signed vote')
    expect(html).toContain(`href="${base}/approvals/${id}"`)
    const { digest } = await approvalOf(id)
    expect((await visit('POST', path, { digest, vote: 'approve' })).status).toBe(403)
    expect((await approvalOf(id)).votes).toEqual([])
  })

  test('that takes no answer by e-mail has a message that leads to the console, and no link that votes', async () => {
    await open('channels: [console, slack]')
    const id = await asked()
    const { text } = mail.to('ann@example.com')
    expect(text.replaceAll('\r', '')).toContain(`Answer it in the console:\n${base}/approvals/${id}`)
    expect(text).not.toContain('/v1/channels/')
    const { digest } = await approvalOf(id)
    const path = await linkMadeFor(id)
    const { html } = await visit('GET', path)
    expect(html).not.toContain('<form')
    expect(html).toContain('takes no answer to this one by e-mail')
    expect((await visit('POST', path, { digest, vote: 'approve' })).status).toBe(403)
    expect((await approvalOf(id)).votes).toEqual([])
    const ann = await service.person('ann@example.com')
    expect((await ann.vote(id, { vote: 'approve' })).body.votes).toMatchObject([{ channel: 'console' }])
  })

  test('that takes answers by e-mail alone has one, and the record says over which channel', async () => {
    await open('channels: [email]')
    const id = await asked()
    const ann = await service.person('ann@example.com')
    const { status, body } = await ann.vote(id, { vote: 'approve' })
    expect([status, body.fix]).toEqual([403, 'Answer by e-mail.'])
    const { digest } = await approvalOf(id)
    await visit('POST', linkIn(mail.to('bob@example.com')), { digest, vote: 'approve' })
    expect((await approvalOf(id)).votes).toMatchObject([{ person: 'bob@example.com', channel: 'email' }])
  })
})

describe('a route that reminds and asks others later', () => {
  const told = () =>
    mail.mails.map(({ to, headers }) => `${to.join()} ${headers['subject']?.split(' ')[0]}`).toSorted()

  test('reminds those who have not answered, and asks those who come in later as if they were the first', async () => {
    await open('quorum: 2, remind: [1m], escalate_to: [{after: 2m, approvers: [role:ops]}]')
    await service.access.setPerson('opal@example.com', ['ops'])
    await asked()
    expect(told()).toEqual([
      'ann@example.com customer-support-agent-v2',
      'bob@example.com customer-support-agent-v2',
    ])
    await answer(linkIn(mail.to('ann@example.com')), 'approve')
    mail.mails.length = 0
    service.clock.aheadMs = minute
    await service.ledger.remindDue()
    await deliver()
    expect(told()).toEqual(['bob@example.com Reminder:'])
    mail.mails.length = 0
    service.clock.aheadMs = 2 * minute
    await service.ledger.remindDue()
    await deliver()
    expect(told()).toEqual(['opal@example.com customer-support-agent-v2'])
    expect((await answer(linkIn(mail.to('opal@example.com')), 'approve')).status).toBe(200)
  })
})

describe('where the service wants a session for links', () => {
  beforeEach(() => open('', { BAILIWICK_MAIL_VOTES: 'session' }))

  test('a link alone is not enough, nor with the session of somebody else, but with that of its person', async () => {
    const id = await asked()
    const path = linkIn(mail.to('ann@example.com'))
    const [ann, bob] = [await service.person('ann@example.com'), await service.person('bob@example.com')]
    const as = (caller: Caller) => ({ cookie: `bailiwick_session=${caller.secret}` })
    const { html } = await visit('GET', `${path}?choice=approve`)
    expect(html).toContain(`<a href="${base}/approvals/${id}" target="_blank">signed in to the console</a>`)
    const refused = await answer(path, 'approve')
    expect(refused.status).toBe(401)
    expect(refused.html).toContain('<a href="/">Go there</a>')
    expect((await answer(path, 'approve', {}, as(bob))).status).toBe(403)
    expect((await approvalOf(id)).votes).toEqual([])
    expect((await answer(path, 'approve', {}, as(ann))).status).toBe(200)
    expect((await approvalOf(id)).votes).toMatchObject([{ person: 'ann@example.com' }])
  })
})

test('a form that is cut on its way is no failure of the database', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '100' }
  const path = '/v1/channels/email/some-token'
  const answered = await service.anyone.send('POST', path, { raw: cutOff(), headers })
  expect(answered.body).toMatchObject({ status: 400, type: 'urn:bailiwick:problem:bad_input' })
  expect(service.lines).toEqual([])
})
