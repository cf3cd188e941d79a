import type { DecisionAnswer } from '@bailiwick/core'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { ConsoleService, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import {
  addressOf,
  giveAnswer,
  holdRequests,
  isLive,
  isStillLoaded,
  isThere,
  markLoaded,
  offersAnswer,
  sees,
} from './pages.ts'
import type { Visitors } from './visitors.ts'

/** What the page of an approval that lets nothing through says of its call. */
const denied = 'The call is denied, and nothing has run. The agent may ask again, which is a new call.'

describeConsole('the console in Chromium, on the real service', (setting) => {
  let service: ConsoleService
  let visitors: Visitors
  let pat: Session
  beforeAll(() => {
    ;({ service, visitors, pat } = setting())
  })

  describe('signing in', () => {
    test('the link that the first start prints signs in when the button is pressed, and only once', async () => {
      const page = await visitors.open(service.firstLink)
      const again = await visitors.open(service.firstLink, { refusals: ['401 /v1/session'] })

      await page.getByRole('button', { name: 'Sign in' }).click()
      await isThere(page.getByRole('heading', { name: 'Approvals', level: 1 }))
      await sees(page, 'admin@localhost')

      await again.getByRole('button', { name: 'Sign in' }).click()
      await sees(again, 'This link can’t be used')
      await sees(again, 'The sign-in link has been used or has expired')
      expect(await again.context().cookies()).toEqual([])
    })

    test('the token leaves the address bar and the history before anything else happens', async () => {
      const link = await service.linkFor('pat@example.com')
      const page = await visitors.open(link)
      await isThere(page.getByRole('button', { name: 'Sign in' }))
      expect(addressOf(page)).toBe('/sign-in')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await isThere(page.getByRole('heading', { name: 'Approvals', level: 1 }))
      await page.goBack()
      expect(page.url()).not.toContain('token')
    })

    test('the cookie is out of reach for scripts and for other sites', async () => {
      const page = await visitors.open(await service.linkFor('pat@example.com'))
      await page.getByRole('button', { name: 'Sign in' }).click()
      await isThere(page.getByRole('heading', { name: 'Approvals', level: 1 }))
      expect(await page.evaluate('document.cookie')).toBe('')
      expect(await page.context().cookies()).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }])
    })

    test('without a session every page leads to sign-in, and from there back to what was asked for', async () => {
      const { id } = await service.refund('support', { amount: 700 })
      const page = await visitors.open('/')
      for (const address of ['/', '/decisions/dec_1', '/agents', `/approvals/${id}`]) {
        await page.goto(service.url + address)
        await sees(page, 'You need a sign-in link')
        expect(addressOf(page)).toBe('/sign-in')
      }
      await page.goto(await service.linkFor('pat@example.com'))
      await page.getByRole('button', { name: 'Sign in' }).click()
      await offersAnswer(page)
      expect(addressOf(page)).toBe(`/approvals/${id}`)
    })

    test('signing out ends the session: its cookie opens nothing any more', async () => {
      const session = await service.sessionOf('lee@example.com')
      const page = await visitors.open('/approvals', { session })
      expect(await service.statusFor(session)).toBe(200)
      await page.getByRole('button', { name: 'Sign out' }).click()
      await sees(page, 'You need a sign-in link')
      expect(await page.context().cookies()).toEqual([])
      expect(await service.statusFor(session)).toBe(401)

      const thief = await visitors.open('/', { session, refusals: ['401 /v1/session'] })
      await sees(thief, 'You need a sign-in link')
    })
  })

  test('an allowed, a denied and an escalated call appear as they are decided, without a reload', async () => {
    const page = await visitors.open('/decisions', { session: pat })
    await isLive(page)
    await markLoaded(page)
    const seen = async (answer: DecisionAnswer, ...texts: string[]): Promise<void> => {
      const row = rowOf(page, answer)
      for (const text of texts) await isThere(row.getByText(text).first())
    }

    const support = service.clientOf('support')
    await seen(await support.check('apply_discount', { percent: 10 }), 'Allowed', 'No outcome yet')
    await seen(await support.check('delete_account', {}), 'Denied', 'Action is forbidden by policy')
    await seen(await support.check('issue_refund', { amount: 900 }), 'Escalated', 'Waits')
    expect(await isStillLoaded(page)).toBe(true)
  })

  describe('the refund of 600', () => {
    test('waits for a person, runs exactly once when it is approved in the browser, and the page says so', async () => {
      const page = await visitors.open('/approvals', { session: pat })
      await isLive(page)
      await markLoaded(page)
      const run = vi.fn<() => string>(() => 'refunded')
      const params = { amount: 600, order_id: 'the-refund-of-600' }
      const governed = service.clientOf('support').govern('issue_refund', params, run)

      const card = page.getByRole('listitem').filter({ hasText: 'the-refund-of-600' })
      await card.getByRole('link', { name: 'issue_refund' }).click()
      await page.getByRole('radio', { name: /^Approve/ }).check()
      await sees(page, /Your vote is recorded as pat@example.com and cannot be undone/)
      expect(run).not.toHaveBeenCalled()
      await giveAnswer(page, 'approve', 'The carrier confirmed the return.')

      expect(await governed).toMatchObject({ kind: 'ran', result: 'refunded', outcomeRecorded: true })
      expect(run).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ params }))
      await sees(page, 'You approved this call')
      await sees(page, 'Approved and used')
      await sees(page, 'The carrier confirmed the return.')
      expect(await isStillLoaded(page)).toBe(true)

      await page
        .getByRole('link', { name: /^dec_\d+$/ })
        .last()
        .click()
      await sees(page, 'People have to approve it')
      await sees(page, 'The carrier confirmed the return.')
      await sees(page, 'Succeeded')
      await page.getByRole('link', { name: /^dec_\d+$/ }).click()
      await sees(page, 'Action approved')
      await sees(page, 'They have said yes.')
      await sees(page, 'Succeeded')
    })

    test('never runs when it is rejected in the browser', async () => {
      const run = vi.fn<() => void>()
      const { id, callId } = await service.refund('support', { amount: 600 })
      const governed = service.clientOf('support').govern('issue_refund', { amount: 600 }, run, { callId })
      const page = await visitors.open(`/approvals/${id}`, { session: pat })
      await giveAnswer(page, 'reject', 'No receipt.')

      expect(await governed).toMatchObject({ kind: 'withheld', approval: 'rejected' })
      await sees(page, 'You rejected this call')
      await sees(page, `pat@example.com rejected it; one rejection is enough. ${denied}`)
      await sees(page, 'No receipt.')
      await offersAnswer(page, false)
      expect(run).not.toHaveBeenCalled()
    })

    test('never runs when nobody answers by the deadline, and the open page says that it expired', async () => {
      const run = vi.fn<() => void>()
      const { id, callId } = await service.refund('hurried', { amount: 600 })
      const governed = service.clientOf('hurried').govern('issue_refund', { amount: 600 }, run, { callId })
      const page = await visitors.open(`/approvals/${id}`, { session: pat })
      await markLoaded(page)

      expect(await governed).toMatchObject({ kind: 'withheld', approval: 'expired' })
      await sees(page, /Nobody answered by .*, and silence is a denial\./)
      await sees(page, denied)
      await offersAnswer(page, false)
      expect(await isStillLoaded(page)).toBe(true)
      expect(run).not.toHaveBeenCalled()
    })
  })

  describe('votes that meet', () => {
    test('who votes a second time in another tab is told in plain words that one person counts once', async () => {
      const { id } = await service.refund('careful', { amount: 601 })
      const refusals = [`409 /v1/approvals/${id}/votes`]
      const slow = await visitors.open(`/approvals/${id}`, { session: pat, refusals })
      const vote = await holdRequests(slow, (request) => request.method() === 'POST')
      await giveAnswer(slow, 'approve')
      await vote.arrived

      const other = await visitors.open(`/approvals/${id}`, { session: pat })
      await giveAnswer(other, 'approve')
      await sees(other, 'Your vote is recorded. 1 more person has to approve before the deadline.')

      vote.release()
      await sees(slow, 'Your vote was not counted')
      await sees(slow, 'pat@example.com” has already voted on')
      await sees(slow, 'You approved this call. One person counts once; it waits for others now.')
    })

    test('who approves what somebody else has just rejected is told that it is closed, and keeps the comment to copy', async () => {
      const { id } = await service.refund('support', { amount: 602 })
      const refusals = [`409 /v1/approvals/${id}/votes`]
      const slow = await visitors.open(`/approvals/${id}`, { session: pat, refusals })
      const vote = await holdRequests(slow, (request) => request.method() === 'POST')
      await giveAnswer(slow, 'approve', 'Ticket 4711.')
      await vote.arrived

      const session = await service.sessionOf('sam@example.com')
      const other = await visitors.open(`/approvals/${id}`, { session })
      await giveAnswer(other, 'reject')
      await sees(other, 'You rejected this call')

      vote.release()
      await sees(slow, 'Your vote was not counted')
      expect(await slow.getByLabel('What you had written').inputValue()).toBe('Ticket 4711.')
      await sees(slow, `${id} is rejected and takes no more votes`)
      await sees(slow, `sam@example.com rejected it; one rejection is enough. ${denied}`)
    })

    test('an open page follows what another person does, and offers no vote that would not count', async () => {
      const { id } = await service.refund('support', { amount: 603 })
      const watching = await visitors.open(`/approvals/${id}`, { session: pat })
      await isLive(watching)
      const session = await service.sessionOf('sam@example.com')
      const acting = await visitors.open(`/approvals/${id}`, { session })
      await giveAnswer(acting, 'approve')

      await sees(watching, 'Approved, not used yet')
      await offersAnswer(watching, false)
    })

    test('who is not asked sees who is, and gets no buttons', async () => {
      const { id } = await service.refund('finance', { amount: 604 })
      const page = await visitors.open(`/approvals/${id}`, { session: pat })
      await sees(
        page,
        'The policy asks for people with the role cfo. You are signed in as pat@example.com, with approver.',
      )
      expect(await page.getByRole('radio').count()).toBe(0)
    })
  })

  describe('what an agent sends', () => {
    const script = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
    const params = {
      amount: 605,
      note: script,
      file: 'invoice_\u202Efdp.exe',
      link: 'javascript:alert(document.cookie)',
      nested: { [script]: [script] },
    }

    test('is shown as text wherever it is shown: no script, no link, no hidden direction', async () => {
      const { id, decision } = await service.refund('support', params)
      const run = () => Promise.reject(new Error(script))
      const failing = service.clientOf('support').govern('apply_discount', { note: script }, run)
      await expect(failing).rejects.toThrow(script)

      const page = await visitors.open('/', { session: pat })
      for (const address of ['/approvals', `/decisions/${decision}`, `/approvals/${id}`]) {
        await page.goto(service.url + address)
        await sees(page, 'invoice_\\u{202e}fdp.exe')
        await expectNoForeignMarkup(page)
      }
      await sees(page, script)
      await sees(page, 'javascript:alert(document.cookie)')
      await page.getByText('Exact JSON').first().click()
      await sees(page, '"file": "invoice_\\u{202e}fdp.exe"')
      await giveAnswer(page, 'reject', script)
      await sees(page, 'You rejected this call')
      await sees(page, script)
      await expectNoForeignMarkup(page)
    })

    test('would be stopped by the content security policy even where the page failed to, and these tests would notice', async () => {
      const page = await visitors.open('/', { session: pat })
      await isLive(page)
      await page.evaluate(
        `document.body.insertAdjacentHTML('beforeend', '<img src="/x" onerror="window.ran = 1">')`,
      )
      await expect.poll(() => visitors.leave()).toContainEqual(expect.stringMatching(/script-src-attr/))
    })
  })
})

function rowOf(page: Page, { id }: DecisionAnswer) {
  return page.getByRole('row').filter({ has: page.locator(`a[href="/decisions/${id}"]`) })
}

async function expectNoForeignMarkup(page: Page): Promise<void> {
  expect(await page.locator('#root img, #root script, #root iframe').count()).toBe(0)
  expect(await page.locator('a:not([href^="/"]):not([href^="#"])').count()).toBe(0)
}
