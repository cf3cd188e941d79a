import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Fault, type PersonId } from '@bailiwick/core'
import { confirmSlackAccount, linkSlackAccount, unlinkSlackAccount } from '@bailiwick/store'
import type { SlackAnswer, SlackApi } from '../../src/channels/slack-api.ts'
import { slackTeam } from '../../src/channels/slack-origin.ts'
import { createApp } from '../../src/http/app.ts'
import type { ChannelAnswers } from '../../src/http/channels.ts'
import { cutOff } from '../harness/cut-off.ts'
import { base, HttpService, type Caller } from '../harness/http-service.ts'
import { buttonsOf, FakeSlack, textOf, type PressedElsewhere, type SlackPost } from './fake-slack.ts'
import { refund, refundPolicy } from './policy.ts'

const minute = 60_000
let slack: FakeSlack
let service: HttpService
let agent: Caller

let openedWith: string | undefined

/** A service whose route has these terms, as new: one that is there already is cleared, which is faster. */
async function open(terms = ''): Promise<void> {
  if (openedWith !== terms) await reopen(terms)
  openedWith = terms
  service.clock.aheadMs = 0
  await deliver()
  await service.ledger.pool.query(
    'truncate outbox, channel_post, taken_request, channel_identity, channel_confirmation',
  )
  for (const list of [
    slack.posts,
    slack.ephemerals,
    slack.responses,
    slack.calls,
    slack.trouble,
    service.lines,
  ])
    list.length = 0
  await service.access.setPerson('ann@example.com', ['approver'])
  await service.access.setPerson('bob@example.com', ['approver'])
  await service.access.setPerson('vic@example.com', ['viewer'])
  await confirmed('U0ANN', 'ann@example.com')
  await confirmed('U0VIC', 'vic@example.com')
}

/** What a person says on the page that Slack leads to. */
async function confirmed(account: string, person: string): Promise<void> {
  const id = person as PersonId
  const epoch = await service.access.signIns.epochOf(id)
  await confirmSlackAccount(service.ledger, account, { id, epoch })
}

async function reopen(terms: string): Promise<void> {
  if (openedWith !== undefined) await service.close()
  service = await HttpService.open(
    { text: refundPolicy(terms) },
    {
      ...slack.env,
      BAILIWICK_SLACK_PEOPLE: 'U0ANN=Ann@example.com, U0VIC=vic@example.com, U0GONE=gone@example.com',
    },
  )
  agent = await service.agent()
}

beforeAll(async () => {
  slack = await new FakeSlack().listen()
})
beforeEach(() => open())
afterAll(async () => {
  await service.close()
  await slack.close()
})

/** Sends everything that is due. */
async function deliver(): Promise<void> {
  while ((await service.channels.worker.runOnce()) > 0);
}

/** A refund that waits, and its message. */
async function asked(): Promise<{ readonly id: string; readonly post: SlackPost }> {
  const { body } = await agent.post('/v1/decisions', refund)
  await deliver()
  const post = slack.posts.at(-1)
  if (post === undefined) throw new Error('nothing was posted')
  return { id: body.approval.id, post }
}

async function interact(body: string, headers: Record<string, string>) {
  const path = '/v1/channels/slack/interactions'
  return await service.anyone.send('POST', path, { raw: body, headers })
}

async function press(post: SlackPost, account: string, choice: string, over: PressedElsewhere = {}) {
  const body = slack.press(post, account, choice, over)
  return await interact(body, slack.sign(body, service.ledger.now()))
}

const approvalOf = async (id: string) => await service.ledger.approval(id, {})
const lastTold = (): string => textOf(slack.ephemerals.at(-1))

describe('a request for approval in Slack', () => {
  test('says what is asked with sensitive fields masked, by when, and where, with buttons that look alike', async () => {
    const { id, post } = await asked()
    const text = textOf(post.body)
    expect(text).toContain('customer-support-agent-v2 asks to run issue_refund')
    expect(text).toContain('Amount: USD\u00a0600.00')
    expect(text).toContain('Context, given by the host that runs the agent:\nTicket: T-204')
    expect(text).toContain('• People have to approve it')
    expect(text).toMatch(/Answer by \d{1,2} [A-Z][a-z]+ \d{4}, \d{2}:\d{2} UTC/)
    expect(text).toContain(`<${base}/approvals/${id}|Open in Bailiwick>`)
    expect(JSON.stringify(post.body)).not.toMatch(/DE8937|078-05/)
    const buttons = buttonsOf(post.body)
    expect(buttons.map(({ text: label, style }) => [label.text, style])).toEqual([
      ['Approve', undefined],
      ['Reject', undefined],
    ])
    const { digest } = await approvalOf(id)
    for (const { value } of buttons) expect(JSON.parse(value)).toEqual({ approval: id, digest })
  })

  test('is posted once, however often it is looked for', async () => {
    await asked()
    await deliver()
    expect(slack.posts).toHaveLength(1)
  })

  test('cannot mention anybody or hide a link in what the agent says', async () => {
    await agent.post('/v1/decisions', {
      action: 'issue_refund',
      params: { amount: 600, note: '<!channel> <https://evil.example|fine> \u202Eabc' },
    })
    await deliver()
    const { body } = slack.posts.at(-1) ?? { body: undefined }
    const about = body.blocks.find((block: { text?: { text: string } }) => block.text?.text.includes('Note:'))
    expect(about.text.type).toBe('plain_text')
    expect(about.text.text).toContain('Note: &lt;!channel&gt; &lt;https://evil.example|fine&gt; \\u{202e}abc')
  })

  test('is not posted any more once it has been decided', async () => {
    const { body } = await agent.post('/v1/decisions', refund)
    const { digest } = await approvalOf(body.approval.id)
    const ann = (await service.access.people()).find(({ id }) => id === 'ann@example.com')
    if (ann === undefined) throw new Error('nobody')
    await service.ledger.vote(ann, body.approval.id, { vote: 'reject', digest })
    await deliver()
    expect(slack.posts).toEqual([])
  })

  test('waits for a Slack that is down, and is posted when it is back', async () => {
    slack.trouble.push({ status: 500, body: {} }, { status: 200, body: { ok: false, error: 'ratelimited' } })
    await agent.post('/v1/decisions', refund)
    await deliver()
    expect(slack.posts).toEqual([])
    expect(service.lines.join('\n')).toContain('answered 500 to chat.postMessage')
    service.clock.aheadMs += 10_000
    await deliver()
    expect(service.lines.join('\n')).toContain('Slack answered ratelimited')
    service.clock.aheadMs += 30_000
    await deliver()
    expect(slack.posts).toHaveLength(1)
  })

  test('that was posted before a crash, and not settled, is not posted twice', async () => {
    await asked()
    await service.ledger.pool.query(
      `update outbox set delivered_at = null where target = 'approvals.slack' and kind = 'approval.requested'`,
    )
    service.clock.aheadMs += minute
    await deliver()
    expect(slack.posts).toHaveLength(1)
  })
})

describe('a button', () => {
  test('votes as the person whom the account stands for, and the message says what became of it', async () => {
    const { id, post } = await asked()
    expect((await press(post, 'U0ANN', 'approve')).status).toBe(200)
    const { status, votes } = await approvalOf(id)
    expect({ status, votes }).toMatchObject({
      status: 'approved',
      votes: [{ person: 'ann@example.com', vote: 'approve' }],
    })
    expect(slack.ephemerals).toMatchObject([{ user: 'U0ANN', channel: slack.channel }])
    expect(lastTold()).toContain(`Recorded: ann@example.com approved ${id}`)
    await deliver()
    expect(textOf(post.body)).toContain('Approved by ann@example.com')
    expect(buttonsOf(post.body)).toEqual([])
  })

  test('rejects as well', async () => {
    const { id, post } = await asked()
    await press(post, 'U0ANN', 'reject')
    expect((await approvalOf(id)).status).toBe('rejected')
    await deliver()
    expect(textOf(post.body)).toContain('Rejected by ann@example.com')
  })

  test('of an account that was linked on the command line votes, and no more once it is unlinked', async () => {
    const { id, post } = await asked()
    await linkSlackAccount(service.ledger, 'U0BOB', 'Bob@example.com')
    await confirmed('U0BOB', 'bob@example.com')
    await unlinkSlackAccount(service.ledger, 'U0BOB')
    await press(post, 'U0BOB', 'approve')
    expect((await approvalOf(id)).votes).toEqual([])
    await linkSlackAccount(service.ledger, 'U0BOB', 'bob@example.com')
    await press(post, 'U0BOB', 'approve')
    expect((await approvalOf(id)).votes, 'what was confirmed before has ended').toEqual([])
    await confirmed('U0BOB', 'bob@example.com')
    await press(post, 'U0BOB', 'approve')
    expect((await approvalOf(id)).votes).toMatchObject([{ person: 'bob@example.com' }])
  })

  describe('of an account that its person has not confirmed', () => {
    const path = '/v1/channels/slack/accounts/U0BOB'
    const confirm = (cookie?: string) =>
      service.anyone.send('POST', path, {
        headers: { origin: base, ...(cookie === undefined ? {} : { cookie }) },
      })
    const cookieOf = ({ secret }: Caller) => `bailiwick_session=${secret}`
    const lastAccess = async () => {
      const { rows } = await service.ledger.pool.query<{ record: string }>(
        `select record from log_entry where kind = 'access' order by index desc limit 1`,
      )
      return JSON.parse(rows[0]?.record ?? '{}') as Record<string, unknown>
    }

    test('records nothing and leads to a page, on which the person confirms it once, and that is recorded', async () => {
      const { id, post } = await asked()
      await linkSlackAccount(service.ledger, 'U0BOB', 'bob@example.com')
      await press(post, 'U0BOB', 'approve')
      expect((await approvalOf(id)).votes).toEqual([])
      expect(lastTold()).toContain(
        `confirm first, once, that the Slack account U0BOB is yours: ${base}${path}`,
      )
      const page = await service.anyone.get(path)
      expect(page.text).toContain('Is this Slack account yours?')
      expect(page.text, 'nothing of whose it is').not.toContain('bob')
      expect((await confirm()).status).toBe(401)
      const bob = await service.person('bob@example.com')
      expect((await confirm(cookieOf(bob))).status).toBe(200)
      expect(await lastAccess()).toMatchObject({
        event: 'account_confirmed',
        subject: 'bob@example.com',
        grants: ['slack:U0BOB'],
      })
      await press(post, 'U0BOB', 'approve')
      expect((await approvalOf(id)).votes).toMatchObject([{ person: 'bob@example.com', channel: 'slack' }])
      expect(await service.ledger.verify()).toMatchObject({ kind: 'intact' })
    })

    test('is confirmed by nobody else, and by nobody to whom the operator has not given it', async () => {
      const { id, post } = await asked()
      const ann = await service.person('ann@example.com')
      expect((await confirm(cookieOf(ann))).status, 'it is nobody’s').toBe(403)
      await linkSlackAccount(service.ledger, 'U0BOB', 'bob@example.com')
      expect((await confirm(cookieOf(ann))).status).toBe(403)
      const forged = await service.anyone.send('POST', path, {
        headers: {
          origin: 'https://evil.example',
          cookie: cookieOf(await service.person('bob@example.com')),
        },
      })
      expect(forged.status, 'a page of another site').toBe(403)
      await press(post, 'U0BOB', 'approve')
      expect((await approvalOf(id)).votes).toEqual([])
    })

    test('has to be confirmed again where it is given to somebody else, or its person comes back', async () => {
      const { id, post } = await asked()
      await linkSlackAccount(service.ledger, 'U0BOB', 'bob@example.com')
      await confirmed('U0BOB', 'bob@example.com')
      await linkSlackAccount(service.ledger, 'U0BOB', 'ann@example.com')
      await press(post, 'U0BOB', 'approve')
      expect((await approvalOf(id)).votes).toEqual([])
      await service.access.removePerson('ann@example.com')
      await service.access.setPerson('ann@example.com', ['approver'])
      await press(post, 'U0ANN', 'approve')
      expect((await approvalOf(id)).votes).toEqual([])
      expect(lastTold()).toContain('confirm first')
    })
  })

  test.each([
    ['an account that stands for nobody', 'U0EVE', 'stands for nobody in Bailiwick'],
    ['an account of somebody who is gone', 'U0GONE', 'whom Bailiwick does not know'],
    ['a person who is not entitled', 'U0VIC', '`vic@example.com` may not vote'],
  ])('of %s records nothing, and says why to whoever pressed', async (_who, account, told) => {
    const { id, post } = await asked()
    const before = await service.logSize()
    expect((await press(post, account, 'approve')).status).toBe(200)
    expect(await service.logSize()).toBe(before)
    expect((await approvalOf(id)).status).toBe('pending')
    expect(slack.ephemerals).toMatchObject([{ user: account }])
    expect(lastTold()).toContain(told)
  })

  test('of somebody whose role was taken away after the message was sent records nothing', async () => {
    const { id, post } = await asked()
    await service.access.setPerson('ann@example.com', ['viewer'])
    await press(post, 'U0ANN', 'approve')
    expect((await approvalOf(id)).votes).toEqual([])
    expect(lastTold()).toContain('may not vote')
  })

  test('that names another approval than its digest does records nothing', async () => {
    const one = await asked()
    const other = await asked()
    const { digest } = await approvalOf(one.id)
    await press(other.post, 'U0ANN', 'approve', { value: JSON.stringify({ approval: other.id, digest }) })
    expect((await approvalOf(other.id)).votes).toEqual([])
    expect(lastTold()).toContain('Nothing was recorded')
  })

  test('of what has been decided, or has expired, records nothing', async () => {
    const { id, post } = await asked()
    const before = { ...post, body: structuredClone(post.body) }
    await press(post, 'U0ANN', 'reject')
    await press(before, 'U0ANN', 'approve')
    expect((await approvalOf(id)).votes).toHaveLength(1)
    expect(lastTold()).toContain('already voted')
    const late = await asked()
    service.clock.aheadMs += 5 * minute
    await press(late.post, 'U0ANN', 'approve')
    expect((await approvalOf(late.id)).votes).toEqual([])
    await service.ledger.expireOverdue()
    await deliver()
    expect(textOf(late.post.body)).toContain('Expired without enough answers')
    expect(buttonsOf(late.post.body)).toEqual([])
  })
})

/** A promise, and what keeps it. */
function later(): readonly [Promise<void>, () => void] {
  let keep: () => void = () => undefined
  const promise = new Promise<void>((resolve) => {
    keep = resolve
  })
  return [promise, keep]
}

describe('a press that meets trouble', () => {
  /** The service with other parts of its own in Slack's place. */
  const pressThrough = async (
    over: Partial<NonNullable<ChannelAnswers['slack']>>,
    post: SlackPost,
    pressed: PressedElsewhere = {},
  ) => {
    const { slack: parts } = service.channels.answers
    if (parts === undefined) throw new Error('Slack is not set up')
    const { ledger, access, waits } = service
    const log = (line: string) => void service.lines.push(line)
    const channels = { slack: { ...parts, ...over } }
    const app = createApp({ ledger, access, waits, consoleFiles: new Map(), channels, log })
    const body = slack.press(post, 'U0ANN', 'approve', pressed)
    const headers = slack.sign(body, ledger.now())
    const answer = await app.request('/v1/channels/slack/interactions', { method: 'POST', body, headers })
    return { status: answer.status, text: await answer.text() }
  }
  const lost = new Fault('store_unavailable', 'the database failed', {
    fix: 'Try again.',
    recorded: 'unknown',
  })

  test('before it is known whether it was recorded is answered with an error, which Slack shows, and told to whoever pressed', async () => {
    const { id, post } = await asked()
    const answer = await pressThrough({ vote: () => Promise.reject(lost) }, post)
    expect(answer.status).toBe(503)
    expect(JSON.parse(answer.text)).toMatchObject({ recorded: 'unknown' })
    expect(lastTold()).toContain('It is not known whether your answer was recorded: the database failed')
    await deliver()
    expect((await approvalOf(id)).votes).toEqual([])
    expect(buttonsOf(post.body), 'it still waits').toHaveLength(2)
  })

  test('that could not be recorded says so, and the next one counts', async () => {
    const { id, post } = await asked()
    const busy = new Fault('store_busy', 'too many wait', { fix: 'Try again.', recorded: 'no' })
    expect((await pressThrough({ vote: () => Promise.reject(busy) }, post)).status).toBe(503)
    expect(lastTold()).toContain('Nothing was recorded: too many wait')
    expect((await press(post, 'U0ANN', 'approve')).status).toBe(200)
    expect((await approvalOf(id)).votes).toHaveLength(1)
  })

  test('that takes longer than Slack waits is not answered as if it had counted, and is told once it has', async () => {
    const { id, post } = await asked()
    const { slack: parts } = service.channels.answers
    const [going, go] = later()
    const [done, told] = later()
    const vote: typeof ledgerVote = async (...request) => {
      await going
      return await ledgerVote(...request)
    }
    const ledgerVote = parts?.vote ?? (() => Promise.reject(lost))
    const api = parts?.api && {
      ...parts.api,
      call: async (...call: Parameters<typeof parts.api.call>) => {
        const answer = await parts.api.call(...call)
        told()
        return answer
      },
    }
    const answer = await pressThrough({ vote, answerMs: 0, ...(api && { api }) }, post)
    expect(answer.status).toBe(503)
    expect(slack.ephemerals).toEqual([])
    go()
    await done
    expect(lastTold()).toContain(`Recorded: ann@example.com approved ${id}`)
  })

  test('and a crash before it was recorded leaves the buttons, and the next one counts', async () => {
    const { id, post } = await asked()
    // Nothing of the process that took it goes on.
    const crashed = new Promise<never>(() => undefined)
    expect((await pressThrough({ vote: () => crashed, answerMs: 0 }, post)).status).toBe(503)
    await deliver()
    expect(buttonsOf(post.body)).toHaveLength(2)
    expect((await press(post, 'U0ANN', 'approve')).status).toBe(200)
    expect((await approvalOf(id)).votes).toHaveLength(1)
  })

  test('is told over the address that came with it where the bot cannot say it', async () => {
    const { post } = await asked()
    slack.trouble.push({ status: 200, body: { ok: false, error: 'user_not_in_channel' } })
    await press(post, 'U0ANN', 'reject')
    expect(slack.ephemerals).toEqual([])
    expect(slack.responses).toMatchObject([{ response_type: 'ephemeral', replace_original: false }])
    expect(textOf(slack.responses[0])).toContain('Recorded: ann@example.com rejected')
    // A signed request names the address; nobody but Slack is called all the same.
    const other = await asked()
    slack.trouble.push({ status: 500, body: {} })
    await press(other.post, 'U0ANN', 'reject', { responseUrl: 'https://evil.example/actions' })
    expect(service.lines.at(-1)).toContain('gave an address for answers that is not its own')
  })

  test('of a Slack that does not say which workspace the token is of is refused, unless the operator names it', async () => {
    const { id, post } = await asked()
    const api = (answer: SlackAnswer): SlackApi => ({
      call: () => Promise.resolve(answer),
      respond: () => Promise.resolve(),
    })
    const unknown = slackTeam({}, api({ kind: 'refused', error: 'invalid_auth' }))
    const answer = await pressThrough({ team: unknown }, post)
    expect(answer.status).toBe(503)
    expect(answer.text).toContain('Set BAILIWICK_SLACK_TEAM')
    expect((await approvalOf(id)).votes).toEqual([])
    const team = slackTeam({ team: 'T0TEAM' }, api({ kind: 'ok', answer: { team_id: 'T0OTHER' } }))
    expect((await pressThrough({ team }, post)).status).toBe(200)
    expect((await approvalOf(id)).votes).toHaveLength(1)
  })

  test('of another app counts for nothing where the operator names the app', async () => {
    const { id, post } = await asked()
    const { slack: parts } = service.channels.answers
    const settings = parts && { ...parts.settings, app: 'A0APP' }
    expect((await pressThrough({ ...(settings && { settings }) }, post, { app: 'A0OTHER' })).status).toBe(403)
    expect((await approvalOf(id)).votes).toEqual([])
    expect((await pressThrough({ ...(settings && { settings }) }, post)).status).toBe(200)
    expect((await approvalOf(id)).votes).toHaveLength(1)
  })
})

describe('with a quorum', () => {
  test('the message counts, and keeps its buttons until enough have answered', async () => {
    await open('quorum: 2')
    await linkSlackAccount(service.ledger, 'U0BOB', 'bob@example.com')
    await confirmed('U0BOB', 'bob@example.com')
    const { id, post } = await asked()
    expect(textOf(post.body)).toContain('0 of 2 people have agreed')
    await press(post, 'U0ANN', 'approve')
    expect(lastTold()).toContain('More people have to answer')
    await deliver()
    expect(textOf(post.body)).toContain('1 of 2 people have agreed')
    expect(buttonsOf(post.body)).toHaveLength(2)
    await press(post, 'U0BOB', 'approve')
    await deliver()
    expect((await approvalOf(id)).status).toBe('approved')
    expect(textOf(post.body)).toContain('Approved by ann@example.com, bob@example.com')
  })
})

describe('where votes have to be signed', () => {
  test('Slack shows no buttons but where to answer, and one that somebody presses all the same records nothing', async () => {
    await open('signed: true')
    const { id, post } = await asked()
    expect(buttonsOf(post.body)).toEqual([])
    expect(textOf(post.body)).toContain('This one takes a signed vote, which Slack cannot give')
    expect(textOf(post.body)).toContain(`<${base}/approvals/${id}|Open in Bailiwick>`)
    const { digest } = await approvalOf(id)
    await press(post, 'U0ANN', 'approve', { value: JSON.stringify({ approval: id, digest }) })
    expect((await approvalOf(id)).votes).toEqual([])
    expect(lastTold()).toContain(`Answer it in Bailiwick: ${base}/approvals/${id}`)
  })

  test('that takes no answer in Slack has a message without buttons, and a press records nothing', async () => {
    await open('channels: [console]')
    const { id, post } = await asked()
    expect(buttonsOf(post.body)).toEqual([])
    expect(textOf(post.body)).toContain('takes no answer to this one in Slack')
    expect(textOf(post.body)).toContain(`<${base}/approvals/${id}|Open in Bailiwick>`)
    const { digest } = await approvalOf(id)
    await press(post, 'U0ANN', 'approve', { value: JSON.stringify({ approval: id, digest }) })
    expect((await approvalOf(id)).votes).toEqual([])
    expect(lastTold()).toContain('the policy takes no answer to this in Slack')
  })

  test('that takes answers in Slack alone has buttons, and the record says over which channel', async () => {
    await open('channels: [slack]')
    const { id, post } = await asked()
    await press(post, 'U0ANN', 'approve')
    expect((await approvalOf(id)).votes).toMatchObject([{ person: 'ann@example.com', channel: 'slack' }])
  })
})

describe('a route that reminds and asks others later', () => {
  test('is told of again in the channel, once each time, and every message says what became of it', async () => {
    await open('remind: [1m], escalate_to: [{after: 2m, approvers: [role:ops]}]')
    await asked()
    for (const aheadMs of [minute, 2 * minute]) {
      service.clock.aheadMs = aheadMs
      await service.ledger.remindDue()
      await deliver()
      await deliver()
    }
    expect(slack.posts.map(({ body }) => body.blocks[0].text.text)).toEqual([
      'Approval needed',
      'Still waiting for an answer',
      'Still waiting for an answer',
    ])
    const [first] = slack.posts
    if (first === undefined) throw new Error('nothing was posted')
    await press(first, 'U0ANN', 'reject')
    await deliver()
    for (const { body } of slack.posts) {
      expect(textOf(body)).toContain('Rejected by ann@example.com')
      expect(buttonsOf(body)).toEqual([])
    }
  })

  test('is not told of again once it has been decided', async () => {
    await open('remind: [1m], escalate_to: [{after: 2m, approvers: [role:ops]}]')
    const { post } = await asked()
    await press(post, 'U0ANN', 'approve')
    service.clock.aheadMs = 2 * minute
    await service.ledger.remindDue()
    await deliver()
    expect(slack.posts).toHaveLength(1)
  })
})

describe('where the policy has changed since', () => {
  test('the message says that no answer lets it through, without buttons, and so does the answer to an old one', async () => {
    const { id, post } = await asked()
    expect(buttonsOf(post.body)).toHaveLength(2)
    const later = (await agent.post('/v1/decisions', refund)).body.approval.id
    const changed = await service.other({ text: `version: 2\n${refundPolicy()}` })
    try {
      while ((await changed.channels.worker.runOnce()) > 0);
      const asking = slack.posts.at(-1)
      expect(textOf(asking?.body)).toContain(`/approvals/${later}|`)
      expect(textOf(asking?.body)).toContain('Void: the policy has changed')
      expect(textOf(asking?.body)).toContain('Whatever is answered, the call is denied')
      expect(buttonsOf(asking?.body)).toEqual([])

      const body = slack.press(post, 'U0ANN', 'approve')
      const headers = slack.sign(body, service.ledger.now())
      await changed.anyone.send('POST', '/v1/channels/slack/interactions', { raw: body, headers })
      while ((await changed.channels.worker.runOnce()) > 0);
      expect(lastTold()).toContain(`approved ${id}. The call is denied all the same`)
      expect(textOf(post.body)).toContain('Approved by ann@example.com, but void: the policy has changed')
    } finally {
      await changed.close()
    }
  })
})

describe('a request to look at something', () => {
  test('has a button that says so, and takes no consent', async () => {
    await open('asks: acknowledgement')
    const { id, post } = await asked()
    expect(buttonsOf(post.body).map(({ text: label }) => label.text)).toEqual(['I have looked', 'Reject'])
    const { digest } = await approvalOf(id)
    await press(post, 'U0ANN', 'approve', { value: JSON.stringify({ approval: id, digest }) })
    expect((await approvalOf(id)).votes).toEqual([])
    await press(post, 'U0ANN', 'acknowledge')
    expect((await approvalOf(id)).votes).toMatchObject([{ vote: 'acknowledge' }])
    await deliver()
    expect(textOf(post.body)).toContain('Looked at by ann@example.com')
  })
})

describe('attacks', () => {
  test('a request of Slack that is sent again is refused', async () => {
    await open('quorum: 2')
    const { id, post } = await asked()
    const body = slack.press(post, 'U0EVE', 'approve')
    const headers = slack.sign(body, service.ledger.now())
    expect((await interact(body, headers)).status).toBe(200)
    // Whoever has recorded it waits until the account stands for somebody.
    await linkSlackAccount(service.ledger, 'U0EVE', 'bob@example.com')
    await confirmed('U0EVE', 'bob@example.com')
    for (let times = 0; times < 3; times += 1) {
      expect(await interact(body, headers)).toMatchObject({ status: 409 })
    }
    expect((await approvalOf(id)).votes).toEqual([])
  })

  test('a request of Slack that one process took is refused in every process, and a new one is not', async () => {
    await open('quorum: 2')
    const { id, post } = await asked()
    const other = await service.other()
    try {
      const send = (to: HttpService, body: string, headers: Record<string, string>) =>
        to.anyone.send('POST', '/v1/channels/slack/interactions', { raw: body, headers })
      const body = slack.press(post, 'U0EVE', 'approve')
      const headers = slack.sign(body, service.ledger.now())
      expect((await send(service, body, headers)).status).toBe(200)
      // What was taken while the account stood for nobody votes nothing once it stands for somebody.
      await linkSlackAccount(service.ledger, 'U0EVE', 'bob@example.com')
      await confirmed('U0EVE', 'bob@example.com')
      expect(await send(other, body, headers)).toMatchObject({ status: 409 })
      expect((await approvalOf(id)).votes).toEqual([])

      const again = slack.press(post, 'U0ANN', 'approve')
      const copies = slack.sign(again, service.ledger.now())
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, at) => send(at % 2 === 0 ? service : other, again, copies)),
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(9)
      expect((await approvalOf(id)).votes).toMatchObject([{ person: 'ann@example.com' }])
    } finally {
      await other.close()
    }
  })

  test('two copies of one request at the same time are taken once', async () => {
    const { id, post } = await asked()
    const body = slack.press(post, 'U0ANN', 'approve')
    const headers = slack.sign(body, service.ledger.now())
    const answers = await Promise.all(Array.from({ length: 10 }, () => interact(body, headers)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9)
    expect((await approvalOf(id)).votes).toHaveLength(1)
  })

  test.each([
    ['signed with another secret', (body: string, now: number) => slack.sign(body, now, 'guessed')],
    ['from six minutes ago', (body: string, now: number) => slack.sign(body, now - 6 * minute)],
    ['from six minutes ahead', (body: string, now: number) => slack.sign(body, now + 6 * minute)],
    ['signed for another body', (body: string, now: number) => slack.sign(`${body}&x=1`, now)],
    ['without a signature', () => ({ 'content-type': 'application/x-www-form-urlencoded' })],
  ])('a request %s records nothing, and is not remembered either', async (_what, headersOf) => {
    const { id, post } = await asked()
    const body = slack.press(post, 'U0ANN', 'approve')
    const answer = await interact(body, headersOf(body, service.ledger.now()))
    expect(answer).toMatchObject({ status: 401, body: { type: 'urn:bailiwick:problem:not_authenticated' } })
    expect((await approvalOf(id)).votes).toEqual([])
    const { rows } = await service.ledger.pool.query('select 1 from taken_request')
    expect(rows).toEqual([])
  })

  test.each<[string, PressedElsewhere]>([
    ['in another workspace that shares the signing secret', { team: 'T0OTHER', accountTeam: 'T0OTHER' }],
    ['in a workspace that Slack does not name', { team: null }],
    ['by an account of another workspace, as in a shared channel', { accountTeam: 'T0OTHER' }],
    ['in a channel in which nobody was asked', { channel: 'C0OTHER' }],
  ])('a button that was pressed %s is refused and recorded nowhere', async (_where, over) => {
    const { id, post } = await asked()
    const before = await service.logSize()
    const answer = await press(post, 'U0ANN', 'approve', over)
    expect(answer).toMatchObject({ status: 403, body: { type: 'urn:bailiwick:problem:not_permitted' } })
    expect((await approvalOf(id)).votes).toEqual([])
    expect(await service.logSize()).toBe(before)
    expect((await service.ledger.pool.query('select from taken_request')).rowCount).toBe(0)
    expect(slack.ephemerals).toEqual([])
    expect(service.lines.join('\n')).toContain('slack: the button was pressed')
    expect((await press(post, 'U0ANN', 'approve')).status, 'and one of our own is not').toBe(200)
    expect((await approvalOf(id)).votes).toHaveLength(1)
  })

  test('a press in the channel in which it was asked counts, also where another one is asked since', async () => {
    const { id, post } = await asked()
    await service.ledger.pool.query(`update channel_post set place = replace(place, $1, 'C0FORMER')`, [
      slack.channel,
    ])
    await press(post, 'U0ANN', 'approve', { channel: 'C0FORMER' })
    expect((await approvalOf(id)).votes).toHaveLength(1)
  })

  test.each(['', 'payload=', 'payload=7', 'payload={}', 'payload=%7B%22type%22%3A%22view_submission%22%7D'])(
    'a signed request that is no press of a button is refused: %j',
    async (body) => {
      const answer = await interact(body, slack.sign(body, service.ledger.now()))
      expect(answer).toMatchObject({ status: 400, body: { type: 'urn:bailiwick:problem:bad_input' } })
    },
  )

  test('a press that is cut on its way is no failure of the database', async () => {
    service.lines.length = 0
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '100' }
    const path = '/v1/channels/slack/interactions'
    const answered = await service.anyone.send('POST', path, { raw: cutOff(), headers })
    expect(answered.body).toMatchObject({ status: 400, type: 'urn:bailiwick:problem:bad_input' })
    expect(service.lines).toEqual([])
  })

  test('where Slack is not set up, nothing answers', async () => {
    const without = await HttpService.open()
    const raw = 'payload={}'
    const headers = slack.sign(raw, Date.now())
    const path = '/v1/channels/slack/interactions'
    expect((await without.anyone.send('POST', path, { raw, headers })).status).toBe(404)
    await without.close()
  })
})
