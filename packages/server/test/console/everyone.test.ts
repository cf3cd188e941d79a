import type { Page } from 'playwright-core'
import { beforeAll, expect, test, vi } from 'vitest'
import { routeKinds, routeOf, type Route } from '../../../console/src/route.ts'
import type { ConsoleService, Refund, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import {
  frames,
  giveAnswer,
  goTo,
  holdRequests,
  isLive,
  isLoaded,
  isThere,
  overflowOf,
  sees,
  tabTo,
} from './pages.ts'
import { expectNoViolations, expectUsable, sizes, themeOf } from './usable.ts'
import type { Visitors } from './visitors.ts'

/** An address, and a text that shows that its page has arrived. */
type Visit = readonly [address: string, text: string | RegExp]

const longWord = 'unbreakable'.repeat(18)

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

  /** Every kind of page that the console has: one that is missing here is a type error, and fails a test. */
  const visits = (): Readonly<Record<Route['kind'], readonly Visit[]>> => ({
    approvals: [
      ['/', 'Waiting'],
      ['/approvals?status=all', 'Expired'],
    ],
    approval: [
      [`/approvals/${waiting.id}`, 'Nothing is chosen yet'],
      [`/approvals/${paying}`, 'not compared'],
      [`/approvals/${waiting.id}?answer=yes`, 'cannot be undone'],
      [`/approvals/${voted.id}`, 'You have voted'],
      [`/approvals/${expired.id}`, 'Nobody answered'],
      ['/approvals/apr_99999', 'There is no approval'],
    ],
    together: [['/approvals/together', 'No call is selected']],
    decisions: [
      ['/decisions', 'apply_discount'],
      ['/decisions?effect=deny', longWord],
      ['/decisions?agent=nobody', 'No decision passes this filter'],
      ['/decisions?agent=guarded', 'notify finance'],
      ['/decisions?agent=pilot&since=2020-01-01T00:00:00.000Z', 'Would be denied'],
    ],
    decision: [
      [`/decisions/${waiting.decision}`, 'What would have changed it'],
      [`/decisions/${explained}`, 'Budgets and rates'],
      [`/decisions/${odd}`, 'can’t be told'],
      [`/decisions/${shadowed}`, 'shadow mode'],
    ],
    agents: [['/agents', 'of the last']],
    policies: [['/policies', 'In force since']],
    policy: [
      [`/policies/${policy}`, 'allowed_actions'],
      [`/policies/${'0'.repeat(64)}`, 'There is no such policy'],
    ],
    people: [['/people', 'This page is for administrators']],
    account: [['/account', 'Who you are to this service']],
    delegations: [['/delegations', 'Nobody votes in your stead']],
    grants: [['/grants', 'No grant is live']],
    unknown: [['/nowhere', 'There is no such page']],
    'sign-in': [
      ['/sign-in', 'You need a sign-in link'],
      ['/sign-in#token=of-somebody-else', 'Your link works once'],
      ['/sign-in#refused=not_permitted', 'You were not signed in'],
      ['/sign-in#step=one&factors=totp+recovery', 'Code of your authenticator app'],
      ['/sign-in#step=two&factors=recovery', 'Recovery code'],
      ['/sign-in#step=three&factors=passkey', 'Confirm with your passkey'],
      ['/sign-in#step=four&factors=passkey+totp+recovery', 'Sign in with the code'],
    ],
  })
  const refusals = [
    '404 /v1/approvals/apr_99999',
    '404 /v1/approvals/apr_99999/context',
    `404 /v1/policies/${'0'.repeat(64)}`,
  ]

  /** Shows each kind of page in turn, in one page that stays loaded. */
  const onEveryPage = async (page: Page, look: (address: string) => Promise<void>): Promise<void> => {
    await isLive(page)
    const { 'sign-in': _signIn, ...ofTheSignedIn } = visits()
    for (const [address, text] of Object.values(ofTheSignedIn).flat()) {
      await goTo(page, address)
      await sees(page, text)
      await isLoaded(page)
      await look(address)
    }
  }

  test('every kind of place that the router knows is visited, so that no page is added which nobody has looked at', () => {
    const visited = visits()
    expect(Object.keys(visited).toSorted()).toEqual(routeKinds.toSorted())
    for (const kind of routeKinds) {
      expect(visited[kind].length, kind).toBeGreaterThan(0)
      for (const [address] of visited[kind]) {
        expect(routeOf(new URL(address, service.url).pathname).kind, address).toBe(kind)
      }
    }
  })

  test('with the keyboard alone: signing in, opening the inbox, writing a comment, approving', async () => {
    const run = vi.fn<() => void>()
    const { id, callId } = await service.refund('support', { amount: 610 })
    const governed = service.clientOf('support').govern('issue_refund', { amount: 610 }, run, { callId })

    const page = await visitors.open(await service.linkFor('kim@example.com'))
    await tabTo(page, 'Sign in')
    await page.keyboard.press('Enter')
    await isThere(page.getByRole('heading', { name: 'Approvals', level: 1 }))
    await isThere(page.locator(`a[href="/approvals/${id}"]`))
    await tabTo(page, `/approvals/${id}`)
    await page.keyboard.press('Enter')
    await sees(page, 'Nothing is chosen yet')
    await page.keyboard.press('a')
    await isThere(page.getByLabel('Comment'))
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
    await isThere(rows.nth(1))
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
    await isThere(page.getByRole('row').filter({ hasText: longWord }))
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
      await isThere(page.getByText('Loading').first(), 'attached')
      expect(await overflowOf(page), address).toBe(0)
      for (const size of sizes) {
        await page.setViewportSize(size)
        await expectNoViolations(page, `${address} while it loads, ${size.width} pixels wide`, themeOf(size))
      }
      await page.setViewportSize(sizes[0])
      answer.release()
      await isThere(page.getByText('Loading').first(), 'detached')
    }
  })

  test('on every page every control has a name and is large enough to hit, every text stands out in light and in dark, and 390 pixels are wide enough', async () => {
    const page = await visitors.open('/', { session: pat, refusals })
    await onEveryPage(page, async (address) => {
      await expectUsable(page, address)
      // As wide as 1280 pixels that are magnified four times (WCAG 2.2, 1.4.10).
      await page.setViewportSize({ width: 320, height: 844 })
      await frames(page)
      expect(await overflowOf(page), `${address}, 320 pixels wide`).toBe(0)
      await page.setViewportSize(sizes[1])
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
    await isThere(page.getByRole('group', { name: 'In whose name?' }))
    await expectUsable(page, 'an answer in somebody’s name, and for more calls')
    await page.goto(`${service.url}/approvals/${paying}`)
    await page.getByRole('button', { name: 'Reveal Iban' }).click()
    await expectUsable(page, 'the dialog that reveals')
    await page.getByLabel('Why you need to see it').fill('To see it.')
    await page.getByRole('button', { name: 'Reveal and record' }).click()
    await sees(page, /shown to you/)
    await expectUsable(page, 'a revealed value')
  }, 300_000)

  test('so it is where people sign in, at each step, whatever became of their link', async () => {
    const page = await visitors.open('/', { refusals: ['401 /v1/session'] })
    for (const [address, text] of visits()['sign-in']) {
      await page.goto(service.url + address)
      await sees(page, text)
      await expectUsable(page, address)
    }
    await page.goto(`${service.url}/sign-in#token=used-up`)
    await sees(page, 'Your link works once')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await sees(page, 'This link can’t be used')
    // There is nothing to press: what is said is all that can be done.
    for (const size of sizes) {
      await page.setViewportSize(size)
      expect(await overflowOf(page), 'a link that is used up').toBe(0)
      await expectNoViolations(page, `a link that is used up, ${size.width} pixels wide`, themeOf(size))
    }
  })

  test('so it is while it is asked who is signed in, and where that cannot be told', async () => {
    const page = await visitors.open('/', { session: pat, refusals: ['500 /v1/session'] })
    const asked = await holdRequests(page, (request) => new URL(request.url()).pathname === '/v1/session')
    await page.goto(service.url)
    await asked.arrived
    await isThere(page.getByRole('heading', { name: 'Loading', level: 1 }), 'attached')
    await expectNoViolations(page, 'before the session is known')
    asked.release()
    await isLive(page)
    await page.unrouteAll()
    await page.route('**/v1/session', (route) => route.fulfill({ status: 500 }))
    await page.goto(service.url)
    await sees(page, 'The service has a problem of its own')
    await expectUsable(page, 'the page without a session')
  })

  test('so it is where delegations and grants are listed, and where one is revoked', async () => {
    await service.sessionOf('sam@example.com')
    await service.delegate(pat, 'sam@example.com')
    const { id } = await service.refund('routine', { amount: 700, order: longWord })
    const page = await visitors.open(`/approvals/${id}`, { session: pat })
    await page.getByRole('radio', { name: /^Approve/ }).check()
    await page.getByRole('checkbox', { name: 'Also let more calls like it run' }).check()
    await page.getByLabel(/^How many/).fill('2')
    await page.getByLabel('Until').selectOption({ index: 1 })
    await page.getByRole('button', { name: 'I agree to this' }).click()
    await sees(page, 'You approved this call')
    await expectUsable(page, 'an approved call')

    const root = await service.sessionOf('root@example.com', 'administrator')
    const ofAll = await visitors.open('/delegations', { session: root })
    await sees(ofAll, 'sam@example.com for pat@example.com')
    await expectUsable(ofAll, 'the delegations of others')
    for (const [address, text] of [
      ['/grants', '2 left'],
      ['/delegations', 'In force'],
    ] as const) {
      await goTo(page, address)
      await sees(page, text)
      await expectUsable(page, `${address} with entries`)
      await page
        .getByRole('button', { name: /^Revoke/ })
        .first()
        .click()
      await isThere(page.getByRole('dialog'))
      await expectUsable(page, `the dialog that revokes on ${address}`)
      await page.keyboard.press('Escape')
      await isThere(page.getByRole('dialog'), 'detached')
    }
  }, 120_000)
})

describeConsole('everyone can use a console that has nothing to show yet', (setting) => {
  test('each of its lists says that it is empty, and axe finds nothing', async () => {
    const { visitors, pat } = setting()
    const page = await visitors.open('/', { session: pat })
    await isLive(page)
    for (const [address, text] of [
      ['/', 'Nothing waits for a person'],
      ['/approvals?status=approved', 'No approval is waiting to be used'],
      ['/approvals?status=all', 'No call has needed a person yet'],
      ['/decisions', 'No decisions yet'],
      ['/agents', 'It has not asked for anything yet'],
      ['/policies', 'In force since'],
      ['/delegations', 'Nobody votes in your stead'],
      ['/grants', 'No grant is live'],
    ] satisfies readonly Visit[]) {
      await goTo(page, address)
      await sees(page, text)
      await isLoaded(page)
      await expectUsable(page, `${address}, empty`)
    }
  }, 120_000)
})
