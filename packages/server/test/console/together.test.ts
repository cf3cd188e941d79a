import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ConsoleService, Refund, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import { holdRequests, isLive, isThere, sees, tabTo } from './pages.ts'
import { expectUsable } from './usable.ts'
import type { Visitors } from './visitors.ts'

/** Until the page has followed. */
const soon = { timeout: 10_000 }

describeConsole('calls that wait together', (setting) => {
  let service: ConsoleService
  let visitors: Visitors
  let pat: Session
  beforeAll(() => {
    ;({ service, visitors, pat } = setting())
  })

  const row = (page: Page, { id }: Refund) => page.locator(`a[href="/approvals/${id}"]`)
  const box = (page: Page, { id }: Refund) => page.getByRole('checkbox', { name: `Select ${id},` })
  const three = async (): Promise<readonly [Refund, Refund, Refund]> => [
    await service.refund('support', { amount: 801, order: 'A-1', city: 'Lyon' }),
    await service.refund('support', { amount: 802, order: 'A-2', city: 'Lyon' }),
    await service.refund('support', { amount: 803, order: 'A-3', city: 'Lyon' }),
  ]
  const close = async (...refunds: readonly Refund[]): Promise<void> => {
    for (const { id } of refunds) await service.vote(pat, id, 'reject')
  }

  describe('and are alike', () => {
    test('are selected by a key, read side by side, and answered with one answer that is a vote on each, by keys alone', async () => {
      const [one, two, left] = await three()
      const page = await visitors.open('/', { session: pat })
      await isThere(row(page, left))
      expect(await page.getByRole('checkbox', { checked: true }).count()).toBe(0)
      for (const each of [one, two, left]) {
        await row(page, each).focus()
        await page.keyboard.press('x')
      }
      await sees(page, '3 calls selected')
      await tabTo(page, '/approvals/together')
      await page.keyboard.press('Enter')

      const table = page.getByRole('table')
      await isThere(table.getByRole('row').filter({ hasText: 'USD 802.00' }).getByText('A-2'))
      expect(await table.getByText('Lyon').count()).toBe(0)
      await isThere(page.getByRole('definition').filter({ hasText: 'Lyon' }))
      expect(await page.getByRole('radio', { checked: true }).count()).toBe(0)
      await tabTo(page, `Leave out ${left.id}`)
      await page.keyboard.press('Enter')
      await page.keyboard.press('a')
      await isThere(page.getByLabel('Comment'))
      await page.keyboard.type('Both parcels came back.')
      expect(await service.votesOn(pat, one.id)).toEqual([])
      await tabTo(page, 'I agree to all 2')
      await page.keyboard.press('Enter')

      await sees(page, 'All 2 votes are recorded')
      expect(await page.evaluate('document.activeElement.textContent')).toContain('All 2 votes are recorded')
      await expectUsable(page, 'what became of all votes')
      for (const { id } of [one, two]) expect(await service.votesOn(pat, id)).toEqual(['approve'])
      expect(await service.votesOn(pat, left.id)).toEqual([])
      await close(left)
    })

    test('of which somebody else has just closed one, keep the other votes, and the list says which did not count', async () => {
      const [one, two, three_] = await three()
      const page = await visitors.open('/', { session: pat })
      for (const each of [one, two]) await box(page, each).check()
      await page.getByRole('link', { name: 'Review together' }).click()
      const votes = await holdRequests(page, (request) => request.method() === 'POST')
      await page.getByRole('radio', { name: /^Reject/ }).check()
      await page.getByRole('button', { name: 'Reject all 2' }).click()
      await votes.arrived
      await service.vote(await service.sessionOf('sam@example.com'), one.id, 'approve')
      votes.release()

      await sees(page, '1 of 2 votes is recorded, 1 not')
      const failed = page.getByRole('row').filter({ hasText: one.id })
      await isThere(failed.getByText(/Not counted: .* is approved and takes no more votes/))
      await isThere(page.getByRole('row').filter({ hasText: two.id }).getByText('Recorded'))
      await expectUsable(page, 'votes of which one did not count')
      expect(await service.votesOn(pat, two.id)).toEqual(['reject'])
      await page.getByRole('link', { name: 'Back to the inbox' }).click()
      await isThere(row(page, three_))
      expect(await page.getByRole('checkbox', { checked: true }).count()).toBe(0)
      await close(three_)
    })

    test('where no answer comes, nothing is said to be done', async () => {
      const [one, two, other] = await three()
      const page = await visitors.open('/', { session: pat, refusals: ['502 /v1/votes'] })
      for (const each of [one, two]) await box(page, each).check()
      await page.route('**/v1/votes', (route) => route.fulfill({ status: 502, body: 'a proxy' }))
      await page.keyboard.press('a')
      await page.getByRole('button', { name: 'I agree to all 2' }).click()
      await sees(page, 'It is not known whether your votes arrived')
      expect(await page.getByText('Not known whether it arrived').count()).toBe(2)
      await expectUsable(page, 'votes of which nothing is known')
      await close(one, two, other)
    })

    test('are not selected by a link or a reload, and others than these are refused with the reason', async () => {
      const [one, two, third] = await three()
      const unalike = await service.refund('careful', { amount: 804 })
      const signed = await service.refund('sealed', { amount: 805 })
      const page = await visitors.open('/approvals/together?answer=yes', { session: pat })
      await sees(page, 'No call is selected')
      await page.goto(service.url)
      await box(page, one).check()
      expect(await box(page, unalike).isDisabled()).toBe(true)
      expect(await box(page, signed).count()).toBe(0)
      await row(page, unalike).focus()
      await page.keyboard.press('x')
      await sees(page, 'Only calls of one agent, action and policy')
      await row(page, signed).focus()
      await page.keyboard.press('x')
      await sees(page, 'Votes on this call are signed')
      await sees(page, '1 call selected')
      await expectUsable(page, 'the inbox with a selection and a refusal')
      await page.reload()
      await isThere(box(page, one))
      expect(await page.getByRole('checkbox', { checked: true }).count()).toBe(0)
      await close(one, two, third, unalike)

      // Whoever operates the service takes a question back from the inbox, for a reason; approvers are not offered that.
      expect(await page.getByRole('button', { name: /^Withdraw/ }).count()).toBe(0)
      const olga = await service.sessionOf('olga@example.com', 'operator')
      const operating = await visitors.open('/', { session: olga })
      await operating.getByRole('button', { name: `Withdraw ${signed.id},` }).click()
      await operating.getByRole('button', { name: 'Withdraw it' }).click()
      await isThere(operating.getByRole('dialog', { name: `Withdraw ${signed.id}?` }))
      await operating.getByLabel('Why, told to the agent').fill('Sent by mistake')
      await operating.getByRole('button', { name: 'Withdraw it' }).click()
      await sees(operating, `${signed.id} is withdrawn`)
      expect(await operating.evaluate('document.activeElement.textContent')).toContain('is withdrawn')
    })

    test('are read one below the other on a phone, and by everyone', async () => {
      const refunds = await three()
      const page = await visitors.openOnPhone('/', { session: pat })
      for (const each of refunds) await box(page, each).check()
      await page.getByRole('link', { name: 'Review together' }).click()
      await page.keyboard.press('a')
      await isThere(page.getByRole('button', { name: 'I agree to all 3' }))
      // The last step says once more who asks for what, what is the same, and of each what is not.
      const inShort = page.getByRole('group', { name: 'What you answer' })
      await isThere(inShort.getByText('support asks to run issue_refund, 3 times'))
      await isThere(inShort.getByText('Lyon'))
      for (const [at, { id }] of refunds.entries()) {
        const call = inShort.getByRole('listitem').filter({ hasText: id })
        expect(await call.textContent()).toBe(`${id}AmountUSD\u00a080${at + 1}.00OrderA-${at + 1}`)
      }
      await expectUsable(page, 'an answer to several calls')
      await close(...refunds)
    })
  })

  test('are all counted and the most urgent comes first, however many: more are shown as one scrolls, and news moves nothing away', async () => {
    const first = await service.refund('support', { amount: 900 })
    const calls = Array.from({ length: 60 }, (_, at) => ({
      action: 'issue_refund',
      params: { amount: 901 + at },
    }))
    for (let round = 0; round < 4; round++) await service.decideAll('support', calls)
    const page = await visitors.open('/', { session: pat })
    await isLive(page)
    const cards = page.locator('.cards [data-row]')
    await expect.poll(() => cards.first().getAttribute('href'), soon).toBe(`/approvals/${first.id}`)
    await isThere(page.getByRole('link', { name: 'Waiting 241' }))
    expect(await cards.count()).toBe(50)
    await isThere(page.getByRole('button', { name: 'Show more: 50 of 241' }))
    await expect
      .poll(async () => {
        await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)')
        return await cards.count()
      }, soon)
      .toBe(241)

    await cards.nth(119).focus()
    await page.keyboard.press('j')
    const focused = await page.evaluate<string>('document.activeElement.getAttribute("href")')
    await service.vote(pat, first.id, 'reject')
    await isThere(row(page, first), 'detached')
    expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe(focused)
    // The row that has the focus is closed by somebody else: the next key goes on from there.
    const next = await cards.nth(120).getAttribute('href')
    await service.vote(pat, focused.replace('/approvals/', ''), 'reject')
    await isThere(page.locator(`a[href="${focused}"]`), 'detached')
    await page.keyboard.press('j')
    expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe(next)
  })
})
