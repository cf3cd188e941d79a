import { beforeAll, describe, expect, test } from 'vitest'
import type { Page, Request } from 'playwright-core'
import type { ConsoleService, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import {
  addressOf,
  focusedText,
  frames,
  giveAnswer,
  holdRequests,
  isLive,
  isThere,
  offersAnswer,
  sees,
} from './pages.ts'
import { expectUsable } from './usable.ts'
import type { Visitors } from './visitors.ts'

describeConsole('while a person answers', (setting) => {
  let service: ConsoleService
  let visitors: Visitors
  let pat: Session
  beforeAll(() => {
    ;({ service, visitors, pat } = setting())
  })

  /** What pages have asked for, and not been answered yet. */
  const underWay = new WeakMap<Page, Set<Request>>()

  /** A page whose clock the test moves on. */
  const openWithClock = async (address: string): Promise<Page> => {
    const page = await visitors.openOnPhone('/policies', { session: pat })
    await page.clock.install()
    const asked = new Set<Request>()
    underWay.set(page, asked)
    page.on('request', (request) => asked.add(request))
    page.on('requestfinished', (request) => asked.delete(request))
    page.on('requestfailed', (request) => asked.delete(request))
    await page.goto(service.url + address)
    return page
  }

  /** Moves the page's clock; what the service would say of the time does not arrive. */
  const passTime = async (page: Page, time: string): Promise<() => void> => {
    const asked = underWay.get(page) ?? new Set<Request>()
    const held = await holdRequests(page, (request) => request.url().includes('/v1/'))
    // What was asked before is answered first; the stream of events never ends.
    const before = [...asked].filter((request) => request.resourceType() !== 'eventsource')
    await expect.poll(() => before.some((request) => asked.has(request)), { timeout: 15_000 }).toBe(false)
    await frames(page)
    await page.clock.fastForward(time)
    return () => held.release()
  }

  describe('the deadline', () => {
    test('is counted down in the last step, also on a phone, where the large countdown is out of sight', async () => {
      const { id } = await service.refund('support', { amount: 801 })
      const page = await openWithClock(`/approvals/${id}?answer=yes`)
      const timer = page.locator('.confirmation').getByRole('timer')
      await isThere(timer)
      expect(await timer.textContent()).toMatch(/^[45]:\d\d left to answer$/)
      const confirm = page.getByRole('button', { name: 'I agree to this' })
      const [time, button] = [await timer.boundingBox(), await confirm.boundingBox()]
      expect((button?.y ?? 0) - (time?.y ?? 0)).toBeLessThan(60)
      await expectUsable(page, 'the last step with its countdown')
      const release = await passTime(page, '04:10')
      await isThere(page.locator('.confirmation .countdown-urgent'))
      expect(await timer.textContent()).toMatch(/^0:\d\d left to answer$/)
      expect(await confirm.isEnabled()).toBe(true)
      release()
      await service.vote(pat, id, 'reject')
    })

    test('takes the answer away when it passes there, says so, and nothing is recorded', async () => {
      const { id } = await service.refund('support', { amount: 802 })
      const page = await openWithClock(`/approvals/${id}?answer=yes`)
      await page.getByLabel('Comment').fill('Nearly done.')
      const release = await passTime(page, '06:00')
      await isThere(page.getByRole('alert').getByText('Time is up: your answer was not given'))
      expect(await focusedText(page)).toContain('Nothing was recorded in your name')
      await sees(page, 'The deadline has passed, so the call is denied: it does not run.')
      expect(await page.getByRole('button', { name: 'I agree to this' }).count()).toBe(0)
      await offersAnswer(page, false)
      expect(await service.votesOn(pat, id)).toEqual([])
      await page.evaluate('scrollTo(0, 0)')
      await expectUsable(page, 'a call whose time ran out in the last step')
      release()
      await service.vote(pat, id, 'reject')
    })

    test('says nothing of an answer to whoever had chosen none', async () => {
      const { id } = await service.refund('support', { amount: 803 })
      const page = await openWithClock(`/approvals/${id}`)
      await offersAnswer(page)
      const release = await passTime(page, '06:00')
      await sees(page, 'The deadline has passed, so the call is denied: it does not run.')
      expect(await page.getByText('your answer was not given').count()).toBe(0)
      release()
      await service.vote(pat, id, 'reject')
    })

    test('of several calls that are answered together, the nearest is counted down', async () => {
      const calls = [
        await service.refund('support', { amount: 804 }),
        await service.refund('support', { amount: 805 }),
      ]
      const page = await visitors.open('/', { session: pat })
      for (const { id } of calls) await page.getByRole('checkbox', { name: `Select ${id}` }).check()
      await page.getByRole('link', { name: 'Review together' }).click()
      await page.getByRole('radio', { name: /^Reject/ }).check()
      expect(await page.locator('.confirmation').getByRole('timer').textContent()).toMatch(/left to answer$/)
      for (const { id } of calls) await service.vote(pat, id, 'reject')
    })
  })

  describe('somebody else', () => {
    /** A page in the last step of a yes, with a comment that is not sent yet. */
    const inTheLastStep = async (id: string): Promise<Page> => {
      const page = await visitors.openOnPhone(`/approvals/${id}?answer=yes`, { session: pat })
      await page.getByLabel('Comment').fill('Asked the customer: ticket 4711.')
      await isLive(page)
      return page
    }

    /** That nothing was given, why, and what had been written. */
    const isTold = async (page: Page, why: string): Promise<void> => {
      await isThere(page.getByRole('alert').getByText('Your answer was not given'))
      expect(await focusedText(page)).toContain(why)
      await offersAnswer(page, false)
      const written = page.getByLabel('What you had written')
      expect(await written.inputValue()).toBe('Asked the customer: ticket 4711.')
      expect(await written.isEditable()).toBe(false)
    }

    test.each([
      ['approves', 'approve', 'sam@example.com approved this call before you confirmed yours.'],
      ['rejects', 'reject', 'sam@example.com rejected this call before you confirmed yours.'],
    ] as const)(
      'who %s the call takes the answer away: the page says so and by whom, and keeps the comment to copy',
      async (_does, choice, why) => {
        const { id } = await service.refund('support', { amount: 806 })
        const page = await inTheLastStep(id)
        await service.vote(await service.sessionOf('sam@example.com'), id, choice)
        await isTold(page, `${why} Nothing was recorded in your name.`)
        expect(await service.votesOn(pat, id)).toEqual([choice])
        await page.evaluate('scrollTo(0, 0)')
        await expectUsable(page, 'a call that somebody else has settled in the last step')
      },
    )

    test('who withdraws it does, too', async () => {
      const olga = await service.sessionOf('olga@example.com', 'operator')
      const { id } = await service.refund('support', { amount: 807 })
      const page = await inTheLastStep(id)
      const desk = await visitors.open(`/approvals/${id}`, { session: olga })
      await desk.getByRole('button', { name: 'Withdraw…' }).click()
      await desk.getByRole('dialog').getByRole('textbox').fill('Sent twice.')
      await desk
        .getByRole('dialog')
        .getByRole('button', { name: /^Withdraw/ })
        .click()
      await isTold(page, 'olga@example.com withdrew this call before you confirmed yours.')
      expect(await service.votesOn(pat, id)).toEqual([])
    })

    test('who was the reader, on another page, is told that the first vote counts', async () => {
      const { id } = await service.refund('careful', { amount: 808 })
      const page = await inTheLastStep(id)
      await service.vote(pat, id, 'approve')
      await isTold(
        page,
        'You approved this call already. That vote counts, and this answer was not recorded.',
      )
      expect(await page.getByText('Nothing was recorded in your name').count()).toBe(0)
      await service.vote(await service.sessionOf('sam@example.com'), id, 'reject')
    })

    test('who gives one of several answers that are needed takes nothing away', async () => {
      const { id } = await service.refund('careful', { amount: 809 })
      const page = await inTheLastStep(id)
      await service.vote(await service.sessionOf('sam@example.com'), id, 'approve')
      await sees(page, '1 of 2 approved')
      expect(await page.getByText('Your answer was not given').count()).toBe(0)
      expect(await page.getByLabel('Comment').inputValue()).toBe('Asked the customer: ticket 4711.')
      await service.vote(pat, id, 'reject')
    })

    test('says nothing of an answer to whoever had chosen none', async () => {
      const { id } = await service.refund('support', { amount: 810 })
      const page = await visitors.open(`/approvals/${id}`, { session: pat })
      await isLive(page)
      await offersAnswer(page)
      await service.vote(await service.sessionOf('sam@example.com'), id, 'reject')
      await sees(page, 'sam@example.com rejected it')
      expect(await page.getByText('Your answer was not given').count()).toBe(0)
    })
  })

  describe('the end of the session', () => {
    const inTheLastStep = async (person: Session, id: string): Promise<Page> => {
      const page = await visitors.openOnPhone(`/approvals/${id}`, { session: person, refusals: ['401 *'] })
      await page.getByRole('radio', { name: /^Reject/ }).check()
      await page.getByLabel('Comment').fill('Asked the customer: ticket 4711.')
      await isLive(page)
      return page
    }
    /** What is told is what one sees and hears first, wherever the page was. */
    const isSeenFirst = async (page: Page, text: string): Promise<void> => {
      await expect.poll(() => focusedText(page), { timeout: 10_000 }).toContain(text)
      const { y = -1 } = (await page.getByText(text).first().boundingBox()) ?? {}
      expect(y).toBeGreaterThan(0)
      expect(y).toBeLessThan(700)
    }
    const isToldAtTheDoor = async (page: Page, id: string): Promise<void> => {
      await isThere(page.getByRole('alert').getByText(`Your answer to ${id} was not given`))
      await isSeenFirst(page, `Your answer to ${id} was not given`)
      expect(addressOf(page)).toBe('/sign-in')
      await expectUsable(page, 'the sign-in page after an answer that was not given')
    }
    const signIn = async (page: Page, email: string): Promise<void> => {
      await page.goto(await service.linkFor(email))
      await page.getByRole('button', { name: 'Sign in' }).click()
      await isThere(page.getByRole('heading', { name: 'issue_refund' }))
    }

    test('when it is given: the page says that it was not, and after signing in it waits to be confirmed', async () => {
      const kim = await service.sessionOf('kim@example.com')
      const { id } = await service.refund('support', { amount: 820 })
      const page = await inTheLastStep(kim, id)
      // The page hears of it by its answer, and not before.
      const held = await holdRequests(page, (request) => request.method() === 'GET')
      await service.signOut(kim)
      await page.getByRole('button', { name: 'Reject this call' }).click()
      await isThere(page.getByRole('alert'))
      held.release()
      await isToldAtTheDoor(page, id)
      expect(await service.votesOn(pat, id)).toEqual([])

      await signIn(page, 'kim@example.com')
      expect(addressOf(page)).toBe(`/approvals/${id}`)
      await isSeenFirst(page, 'This answer was not given')
      expect(await page.getByLabel('Comment').inputValue()).toBe('Asked the customer: ticket 4711.')
      await expectUsable(page, 'an answer that was interrupted')
      expect(await service.votesOn(pat, id)).toEqual([])
      await page.getByRole('button', { name: 'Reject this call' }).click()
      await sees(page, 'You rejected this call')
      expect(await service.votesOn(pat, id)).toEqual(['reject'])
    })

    test('before it is given: the same, and nobody else finds what was written', async () => {
      const kim = await service.sessionOf('kim@example.com')
      const { id } = await service.refund('support', { amount: 821 })
      const page = await inTheLastStep(kim, id)
      await service.signOut(kim)
      await isToldAtTheDoor(page, id)
      await signIn(page, 'sam@example.com')
      await sees(page, 'Nothing is chosen yet')
      expect(await page.getByText('was not given').count()).toBe(0)
      expect(await page.evaluate('Object.values(sessionStorage).join()')).not.toContain('4711')
      await service.vote(pat, id, 'reject')
    })

    test('while several calls are answered together: none of them is, and the comment waits for the same choice', async () => {
      const kim = await service.sessionOf('kim@example.com')
      const calls = [
        await service.refund('support', { amount: 823 }),
        await service.refund('support', { amount: 824 }),
      ]
      const page = await visitors.open('/', { session: kim, refusals: ['401 *'] })
      const choose = async () => {
        for (const { id } of calls) await page.getByRole('checkbox', { name: `Select ${id}` }).check()
        await page.getByRole('link', { name: 'Review together' }).click()
        await page.getByRole('radio', { name: /^Reject/ }).check()
      }
      await choose()
      await page.getByLabel('Comment').fill('Asked the customer: ticket 4711.')
      await service.signOut(kim)
      await isThere(page.getByRole('alert').getByText('Your answer to 2 calls was not given'))
      await page.goto(await service.linkFor('kim@example.com'))
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('link', { name: 'Approvals', exact: true }).first().click()
      await choose()
      expect(await page.getByLabel('Comment').inputValue()).toBe('Asked the customer: ticket 4711.')
      for (const { id } of calls) {
        expect(await service.votesOn(pat, id)).toEqual([])
        await service.vote(pat, id, 'reject')
      }
    })

    test('by whoever signs out leaves nothing behind', async () => {
      const kim = await service.sessionOf('kim@example.com')
      const { id } = await service.refund('support', { amount: 822 })
      const page = await inTheLastStep(kim, id)
      await page.getByRole('button', { name: 'Sign out' }).click()
      await sees(page, 'No password yet?')
      expect(await page.getByText('was not given').count()).toBe(0)
      expect(await page.evaluate('Object.values(sessionStorage).join()')).not.toContain('4711')
      await service.vote(pat, id, 'reject')
    })
  })

  describe('after the answer', () => {
    test('the next call that the reader may answer is one Tab and Enter away, and nothing is chosen there', async () => {
      const theirs = await service.refund('finance', { amount: 811 })
      const next = await service.refund('careful', { amount: 812 })
      const { id } = await service.refund('support', { amount: 813 })
      const page = await visitors.open(`/approvals/${id}`, { session: pat })
      await offersAnswer(page)
      expect(await page.getByRole('link', { name: /^Next:/ }).count()).toBe(0)
      await giveAnswer(page, 'approve')
      await sees(page, 'You approved this call')
      await isThere(page.getByRole('link', { name: /^Next: issue_refund/ }))
      await expectUsable(page, 'the way to the next call')
      await page.keyboard.press('Tab')
      expect(await focusedText(page)).toMatch(/^Next: issue_refund, USD\s812\.00 by careful/)
      await page.keyboard.press('Enter')
      await sees(page, 'Nothing is chosen yet')
      expect(addressOf(page)).toBe(`/approvals/${next.id}`)
      expect(await page.getByRole('radio', { checked: true }).count()).toBe(0)

      // What is for others to answer is no next one, also where one's own vote is given and more are needed.
      await giveAnswer(page, 'approve')
      await sees(page, 'No other call waits for your answer.')
      expect(await page.getByRole('link', { name: /^Next:/ }).count()).toBe(0)
      await service.vote(await service.sessionOf('sam@example.com'), next.id, 'reject')
      const chief = await service.sessionOf('chief@example.com', 'cfo')
      await service.vote(chief, theirs.id, 'reject')
    })

    test('j goes to the next one, too, also from a call that waits for others now', async () => {
      const next = await service.refund('support', { amount: 814 })
      const { id } = await service.refund('careful', { amount: 815 })
      await service.vote(pat, id, 'approve')
      const page = await visitors.open(`/approvals/${id}`, { session: pat })
      await isThere(page.getByRole('link', { name: /^Next: issue_refund/ }))
      await page.keyboard.press('j')
      await offersAnswer(page)
      expect(addressOf(page)).toBe(`/approvals/${next.id}`)
      for (const each of [id, next.id]) {
        await service.vote(await service.sessionOf('sam@example.com'), each, 'reject')
      }
    })

    test('whoever had no part in a call is offered no next one on its page', async () => {
      const { id } = await service.refund('support', { amount: 816 })
      await service.vote(await service.sessionOf('sam@example.com'), id, 'reject')
      const waiting = await service.refund('support', { amount: 817 })
      const page = await visitors.open(`/approvals/${id}`, { session: pat })
      await sees(page, 'sam@example.com rejected it')
      await sees(page, '1 waiting')
      expect(await page.getByRole('link', { name: /^Next:/ }).count()).toBe(0)
      await service.vote(pat, waiting.id, 'reject')
    })
  })
})
