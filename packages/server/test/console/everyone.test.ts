import type { Page } from 'playwright-core'
import { beforeAll, expect, test, vi } from 'vitest'
import type { ConsoleService, Refund, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import { violationsOf } from './axe.ts'
import {
  controlsOf,
  giveAnswer,
  goTo,
  holdRequests,
  isLive,
  overflowOf,
  paleTexts,
  sees,
  tabTo,
} from './pages.ts'
import type { Visitors } from './visitors.ts'

const longWord = 'unbreakable'.repeat(18)
const narrow = { width: 390, height: 844 }
const wide = { width: 1440, height: 900 }

describeConsole('everyone can use the console', (setting) => {
  let service: ConsoleService
  let visitors: Visitors
  let pat: Session
  let waiting: Refund
  let voted: Refund
  let expired: Refund
  let explained: string
  let odd: string
  let shadowed: string
  let paying: string
  let policy: string

  beforeAll(async () => {
    ;({ service, visitors, pat } = setting())
    const params = {
      amount: 600,
      reason: longWord,
      lines: [{ sku: longWord }],
      [longWord]: { [longWord]: 1 },
    }
    waiting = await service.refund('support', params)
    voted = await service.refund('careful', { amount: 601 })
    expired = await service.refund('hurried', { amount: 602 })
    await service.vote(pat, voted.id, 'approve')
    await service.clientOf('support').govern('apply_discount', { percent: 10 }, () => undefined)
    await service.clientOf('support').check(longWord, {})
    const refund = { action: 'issue_refund', context: { customer: { is_vip: true } }, session: longWord }
    ;({ id: explained } = await service.decide('guarded', {
      ...refund,
      params: { amount: 3000, iban: longWord, purse: 'everyone' },
    }))
    ;({ id: odd } = await service.decide('guarded', { action: 'issue_refund', params: { amount: longWord } }))
    ;({ id: shadowed } = await service.decide('pilot', { action: 'issue_refund', params: { amount: 900 } }))
    const pay = {
      action: 'pay',
      params: { amount: 700, iban: longWord, payee: { name: 'Ada' }, at: '2026-11-27' },
    }
    await service.decide('payer', { ...pay, params: { ...pay.params, amount: 7, note: longWord.repeat(4) } })
    paying = (await service.decide('payer', pay)).approval?.id ?? ''
    policy = await service.policyOf(pat, 'guarded')
    await service.decide('guarded', { action: 'export', params: {}, supports: ['redact'] })
  })

  /** Every kind of page, with a text that shows that it has arrived. */
  const pagesOfTheSignedIn = (): readonly (readonly [string, string | RegExp])[] => [
    ['/', 'Waiting'],
    ['/approvals?status=all', 'Expired'],
    [`/approvals/${waiting.id}`, 'Nothing is chosen yet'],
    [`/approvals/${paying}`, 'not compared'],
    [`/approvals/${waiting.id}?answer=yes`, 'cannot be undone'],
    [`/approvals/${voted.id}`, 'You have voted'],
    [`/approvals/${expired.id}`, 'Nobody answered'],
    ['/approvals/apr_99999', 'There is no approval'],
    ['/decisions', 'apply_discount'],
    ['/decisions?effect=deny', longWord],
    ['/decisions?agent=nobody', 'No decision passes this filter'],
    ['/decisions?agent=guarded', 'notify finance'],
    ['/decisions?agent=pilot&since=2020-01-01T00:00:00.000Z', 'Would be denied'],
    [`/decisions/${waiting.decision}`, 'What would have changed it'],
    [`/decisions/${explained}`, 'Budgets and rates'],
    [`/decisions/${odd}`, 'can’t be told'],
    [`/decisions/${shadowed}`, 'shadow mode'],
    ['/agents', 'of the last'],
    ['/policies', 'In force since'],
    [`/policies/${policy}`, 'allowed_actions'],
    [`/policies/${'0'.repeat(64)}`, 'There is no such policy'],
    ['/people', 'This page is for administrators'],
    ['/account', 'Who you are to this service'],
    ['/delegations', 'Nobody votes in your stead'],
    ['/grants', 'No grant is live'],
    ['/approvals/together', 'No call is selected'],
    ['/nowhere', 'There is no such page'],
  ]
  const refusals = [
    '404 /v1/approvals/apr_99999',
    '404 /v1/approvals/apr_99999/context',
    `404 /v1/policies/${'0'.repeat(64)}`,
  ]

  /** Shows each kind of page in turn, in one page that stays loaded. */
  const onEveryPage = async (page: Page, look: (address: string) => Promise<void>): Promise<void> => {
    await isLive(page)
    for (const [address, text] of pagesOfTheSignedIn()) {
      await goTo(page, address)
      await sees(page, text)
      await page.getByText('Loading', { exact: true }).first().waitFor({ state: 'detached' })
      await look(address)
    }
  }

  /** What a person who sees little, or nothing, could not use on the page as it is. */
  const expectUsable = async (page: Page, what: string): Promise<void> => {
    expect(await overflowOf(page), what).toBe(0)
    const controls = await controlsOf(page)
    expect(controls.length, what).toBeGreaterThan(0)
    expect(
      controls.filter(({ name }) => name === ''),
      `controls without a name on ${what}`,
    ).toEqual([])
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      expect(await paleTexts(page), `pale texts on ${what}, ${colorScheme}`).toEqual([])
      expect(await violationsOf(page), `${what}, ${colorScheme}`).toEqual([])
    }
  }

  test('with the keyboard alone: signing in, opening the inbox, writing a comment, approving', async () => {
    const run = vi.fn<() => void>()
    const { id, callId } = await service.refund('support', { amount: 610 })
    const governed = service.clientOf('support').govern('issue_refund', { amount: 610 }, run, { callId })

    const page = await visitors.open(await service.linkFor('kim@example.com'))
    await tabTo(page, 'Sign in')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Approvals', level: 1 }).waitFor()
    await page.locator(`a[href="/approvals/${id}"]`).waitFor()
    await tabTo(page, `/approvals/${id}`)
    await page.keyboard.press('Enter')
    await sees(page, 'Nothing is chosen yet')
    await page.keyboard.press('a')
    await page.getByLabel('Comment').waitFor()
    await page.keyboard.type('Seen, and fine.')
    expect(run).not.toHaveBeenCalled()
    await tabTo(page, 'I agree to this')
    await page.keyboard.press('Enter')

    expect(await governed).toMatchObject({ kind: 'ran' })
    expect(run).toHaveBeenCalledOnce()
    await sees(page, 'You approved this call')
    await sees(page, 'Seen, and fine.')
    expect(await page.evaluate('document.activeElement.textContent')).toContain('You approved this call')
  })

  test('j and k go from row to row, and do nothing to what is being typed', async () => {
    const page = await visitors.open('/decisions', { session: pat })
    const rows = page.locator('[data-row]')
    await rows.nth(1).waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('k')
    const first = await rows.first().getAttribute('href')
    expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe(first)

    await page.getByRole('button', { name: 'More filters' }).click()
    await page.getByLabel('Action').fill('jk')
    expect(await page.getByLabel('Action').inputValue()).toBe('jk')
    await sees(page, 'No decision passes this filter')
    await page.getByLabel('Action').fill(longWord)
    await page.getByRole('row').filter({ hasText: longWord }).waitFor()
  })

  test('no page has to be scrolled sideways on a phone while it is still loading, nor the exact JSON of a call', async () => {
    const page = await visitors.openOnPhone(`/approvals/${waiting.id}`, { session: pat, refusals })
    await page.getByText('Exact JSON').first().click()
    expect(await overflowOf(page), 'exact JSON').toBe(0)
    for (const { address, api } of [
      { address: '/decisions', api: '/v1/decisions' },
      { address: '/agents', api: '/v1/agents' },
      { address: '/policies', api: '/v1/policies' },
      { address: '/delegations', api: '/v1/delegations' },
      { address: '/grants', api: '/v1/grants' },
      { address: '/approvals', api: '/v1/approvals' },
      { address: `/approvals/${waiting.id}`, api: `/v1/approvals/${waiting.id}` },
    ]) {
      const answer = await holdRequests(page, (request) => new URL(request.url()).pathname === api)
      await page.goto(service.url + address)
      await answer.arrived
      await page.getByText('Loading').first().waitFor({ state: 'attached' })
      expect(await overflowOf(page), address).toBe(0)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        expect(await violationsOf(page), `${address} while it loads, ${colorScheme}`).toEqual([])
      }
      answer.release()
      await page.getByText('Loading').first().waitFor({ state: 'detached' })
    }
  })

  test('on every page every control has a name, every text stands out in light and in dark, and 390 pixels are wide enough', async () => {
    const page = await visitors.open('/', { session: pat, refusals })
    await onEveryPage(page, async (address) => {
      await page.setViewportSize(narrow)
      expect(await overflowOf(page), `${address}, 390 pixels wide`).toBe(0)
      await page.setViewportSize(wide)
      await expectUsable(page, address)
    })

    await page.goto(service.url + `/approvals/${waiting.id}`)
    await giveAnswer(page, 'reject')
    await sees(page, 'You rejected this call')
    await expectUsable(page, 'a rejected call')
  }, 300_000)

  test('so it is where administrators say who may use the service', async () => {
    const session = await service.sessionOf('root@example.com', 'administrator')
    const page = await visitors.open('/people', { session })
    await sees(page, 'root@example.com')
    await expectUsable(page, '/people')
    await page.getByRole('button', { name: 'Add a person' }).click()
    await expectUsable(page, 'the dialog that adds a person')
    for (const [show, text] of [
      ['keys', 'guarded'],
      ['sessions', 'This one'],
    ] as const) {
      await page.goto(`${service.url}/people?show=${show}`)
      await sees(page, text)
      await expectUsable(page, `/people?show=${show}`)
    }
  }, 180_000)

  test('so it is where the service fails, and in every dialog', async () => {
    const lists = ['decisions', 'approvals', 'agents', 'policies', 'delegations', 'grants']
    const failing = lists.map((list) => `/v1/${list}`)
    const session = await service.sessionOf('olga@example.com', 'operator', 'approver')
    const page = await visitors.open('/', {
      session,
      refusals: failing.map((path) => `500 ${path}`),
    })
    await page.route('**/v1/**', (route) => {
      const { pathname } = new URL(route.request().url())
      return failing.includes(pathname) ? route.fulfill({ status: 500 }) : route.fallback()
    })
    for (const address of lists.map((list) => `/${list}`)) {
      await page.goto(service.url + address)
      await sees(page, 'The service has a problem of its own')
      await expectUsable(page, `${address} when it fails`)
    }
    await page.unrouteAll()
    await page.goto(`${service.url}/agents`)
    await page.getByRole('button', { name: 'Suspend guarded' }).click()
    await expectUsable(page, 'the dialog that suspends an agent')
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    await expectUsable(page, 'the dialog that shows the keys')
    await page.keyboard.press('Escape')
    await goTo(page, '/delegations')
    await page.getByRole('button', { name: 'Let somebody vote' }).click()
    await expectUsable(page, 'the dialog that delegates')
    await page.keyboard.press('Escape')
    await goTo(page, `/approvals/${(await service.refund('fragile', { amount: 603 })).id}`)
    await page.getByRole('button', { name: 'Break the glass…' }).click()
    await expectUsable(page, 'the dialog that breaks the glass')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Withdraw…' }).click()
    await expectUsable(page, 'the dialog that withdraws')
    await page.keyboard.press('Escape')
    await service.delegate(pat, 'olga@example.com')
    await goTo(page, `/approvals/${(await service.refund('routine', { amount: 604 })).id}`)
    await page.getByRole('radio', { name: /^Approve/ }).check()
    await page.getByRole('checkbox', { name: 'Also let more calls' }).check()
    await page.getByRole('group', { name: 'In whose name?' }).waitFor()
    await expectUsable(page, 'an answer in somebody’s name, and for more calls')
    await page.goto(`${service.url}/approvals/${paying}`)
    await page.getByRole('button', { name: 'Reveal Iban' }).click()
    await expectUsable(page, 'the dialog that reveals')
    await page.getByLabel('Why you need to see it').fill('To see it.')
    await page.getByRole('button', { name: 'Reveal and record' }).click()
    await sees(page, /shown to you/)
    await expectUsable(page, 'a revealed value')
  }, 300_000)

  test('so it is where people sign in, whatever became of their link', async () => {
    const page = await visitors.openOnPhone('/', { refusals: ['401 /v1/session'] })
    await sees(page, 'You need a sign-in link')
    expect(await paleTexts(page)).toEqual([])
    expect(await violationsOf(page)).toEqual([])
    await page.goto(`${service.url}/sign-in#token=of-somebody-else`)
    const button = page.getByRole('button', { name: 'Sign in' })
    await button.waitFor()
    await expectUsable(page, 'the sign-in page')
    await button.click()
    await sees(page, 'This link can’t be used')
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      expect(await paleTexts(page), colorScheme).toEqual([])
    }
    expect(await overflowOf(page)).toBe(0)
  })
})
