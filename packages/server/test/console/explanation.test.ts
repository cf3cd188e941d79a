import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ConsoleService, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import { controlsOf, holdRequests, isThere, overflowOf, paleTexts, sees, tabTo } from './pages.ts'
import type { Visitors } from './visitors.ts'

describeConsole('why a decision was made, in the console', (setting) => {
  let service: ConsoleService
  let visitors: Visitors
  let pat: Session
  let purses = 0
  beforeAll(() => {
    ;({ service, visitors, pat } = setting())
  })

  /** A refund out of a purse that nobody has used. */
  const refund = async (amount: unknown, more: object = {}) =>
    await service.decide('guarded', {
      action: 'issue_refund',
      params: { amount: amount as number, iban: 'DE4711', purse: `purse-${(purses += 1)}`, ...more },
      context: { customer: { is_vip: false } },
    })
  const open = (id: string, visiting: object = {}) =>
    visitors.open(`/decisions/${id}`, { session: pat, ...visiting })
  const section = (page: Page, title: string) =>
    page.locator('section').filter({ has: page.getByRole('heading', { name: title, exact: true }) })

  test('the rules that decided are open, part by part, with the values that they met', async () => {
    const { id } = await refund(600)
    const page = await open(id)
    const large = page.getByRole('list', { name: 'Condition of large, part by part' })
    await isThere(large.getByText('refund_amount > 500'))
    expect(await large.innerText()).toMatch(/refund_amount > 500\s+is\s+true\s+refund_amount\s+is\s+600/)
    await sees(page, 'Allowed if refund_amount were 500')
    await sees(page, 'Allowed if human_approval_required were granted')
  })

  test('a rule that did not apply is one quiet line, which the keyboard opens', async () => {
    const { id } = await refund(600)
    const page = await open(id)
    const parts = page.getByRole('list', { name: 'Condition of foreign, part by part' })
    await sees(page, 'Did not apply')
    expect(await parts.isVisible()).toBe(false)
    await tabTo(page, 'foreignwould denyline 12')
    await page.keyboard.press('Enter')
    await isThere(parts.getByText('not asked for').first())
    const link = page.getByRole('link', { name: 'Why this rule is there' })
    expect(await link.getAttribute('href')).toBe('https://wiki.example.com/foreign')
    expect(await link.getAttribute('rel')).toBe('noreferrer')
  })

  test('a rule that could not be evaluated comes first and says what it lacked', async () => {
    const { id } = await refund('600')
    const page = await open(id)
    await sees(page, 'The condition could not be evaluated, and so counts as matched.')
    const first = section(page, 'Rules that matched').locator('.rule').first()
    expect(await first.getAttribute('class')).toContain('rule-odd')
    await sees(page, 'What this call uses can’t be told')
  })

  test('each fact says whose word it is', async () => {
    const { id } = await refund(600)
    const page = await open(id)
    const facts = section(page, 'Facts')
    await isThere(facts)
    const fact = (name: string) => facts.locator('.fact').filter({ hasText: name })
    expect(await fact('refund_amount').innerText()).toContain('Model’s word')
    expect(await fact('customer_is_vip').innerText()).toContain('Host’s word')
  })

  test('what the policy calls sensitive is nowhere on any page', async () => {
    const secret = 'DE99secret'
    const { id, approval } = await refund(600, { iban: secret })
    const page = await open(id)
    for (const address of [`/decisions/${id}`, '/decisions', '/', `/approvals/${approval?.id ?? ''}`]) {
      await page.goto(service.url + address)
      await sees(page, address === '/decisions' ? 'issue_refund' : 'Hidden')
      expect(await page.content()).not.toContain(secret)
    }
  })

  test('a budget shows what was used, what the call asks for, and what is too much', async () => {
    const purse = `purse-${(purses += 1)}`
    const spent = await refund(450, { purse })
    expect(spent.effect).toBe('allow')
    const { id, effect } = await refund(1800.5, { purse })
    expect(effect).toBe('deny')
    const page = await open(id)
    const budgets = section(page, 'Budgets and rates')
    await isThere(budgets.getByText('250.5 too much'))
    expect((await budgets.innerText()).replaceAll(/\s+/g, ' ')).toContain(
      'Used before 450 This call 1,800.5 At most 2,000',
    )
    const before = await open(spent.id)
    await isThere(section(before, 'Budgets and rates').getByText('1,550 left'))
  })

  test('a session shows what it had been through', async () => {
    const session = 'chat-of-eve'
    await service.decide('guarded', { action: 'read_page', params: {}, session })
    const { id } = await service.decide('guarded', { action: 'send_mail', params: {}, session })
    const page = await open(id)
    const been = section(page, 'Session')
    await isThere(been.getByText('untrusted'))
    await isThere(been.getByText('read_page'))
    await sees(page, session)
    await sees(page, 'Allowed if nothing had happened in the session before')
  })

  test('obligations are told in the list and on the page', async () => {
    const { id } = await service.decide('guarded', { action: 'export', params: {}, supports: ['redact'] })
    const page = await visitors.open('/decisions?action=export', { session: pat })
    await sees(page, 'redact result.card_number, notify finance')
    await page.goto(`${service.url}/decisions/${id}`)
    await sees(page, 'The agent’s host has to redact')
    await sees(page, 'The service tells')
  })

  test('a decision in shadow mode says in the list and on the page what would have happened', async () => {
    const { id, effect } = await service.decide('pilot', { action: 'issue_refund', params: { amount: 101 } })
    expect(effect).toBe('allow')
    const page = await visitors.open('/decisions?agent=pilot', { session: pat })
    const row = page.getByRole('row').filter({ has: page.locator(`a[href="/decisions/${id}"]`) })
    await isThere(row.getByText('Would be denied'))
    await isThere(row.getByText('Allowed'))
    await row.getByRole('link').click()
    await sees(page, 'it says what it would have done, and stops nothing')
    expect(await page.locator('.badge-deny').count()).toBe(0)
  })

  test('in shadow mode nobody has approved what a rule would have asked for', async () => {
    const { id, effect } = await service.decide('pilot', { action: 'issue_refund', params: { amount: 6000 } })
    expect(effect).toBe('allow')
    const rules = section(await open(id), 'Rules that matched')
    await isThere(rules.getByText('People have to approve it.'))
    expect(await rules.innerText()).not.toContain('They have said yes')
  })

  test('a requirement that is not met does not hold, and its neighbour that is met holds', async () => {
    const denied = await service.decide('guarded', { action: 'export', params: {} })
    expect(denied.effect).toBe('deny')
    await sees(await open(denied.id), 'Does not hold.')
    const refused = await refund(600)
    await sees(await open(refused.id), 'holds')
  })

  describe('while there is no explanation', () => {
    const isExplanation = (path: string) => (request: { url(): string }) => request.url().endsWith(path)

    test('the rules as recorded are shown, and that it is loading', async () => {
      const { id } = await refund(600)
      const page = await visitors.openOnPhone('/', { session: pat })
      const held = await holdRequests(page, isExplanation(`/v1/decisions/${id}/explanation`))
      await page.goto(`${service.url}/decisions/${id}`)
      await held.arrived
      await isThere(page.getByText('Loading the explanation'), 'attached')
      await sees(page, 'refund_amount > 500')
      expect(await overflowOf(page)).toBe(0)
      held.release()
      await sees(page, 'Budgets and rates')
    })

    test('a failure says so, and asks again when told to', async () => {
      const { id } = await refund(600)
      const path = `/v1/decisions/${id}/explanation`
      const page = await visitors.open('/', { session: pat, refusals: [`500 ${path}`] })
      let fails = true
      await page.route(`**${path}`, async (route) => {
        if (!fails) return await route.fallback()
        return await route.fulfill({
          status: 500,
          contentType: 'application/problem+json',
          body: JSON.stringify({ title: 'Internal error', status: 500, detail: 'it broke' }),
        })
      })
      await page.goto(`${service.url}/decisions/${id}`)
      await sees(page, 'The explanation is missing: Internal error.')
      await sees(page, 'refund_amount > 500')
      await expectUsable(page)
      fails = false
      await page.getByRole('button', { name: 'Try again' }).click()
      await sees(page, 'Budgets and rates')
    })

    test('because its payload was erased, the page says that, and shows what is left', async () => {
      const { id } = await refund(600)
      const path = `/v1/decisions/${id}/explanation`
      const page = await visitors.open('/', { session: pat, refusals: [`410 ${path}`] })
      await page.route(`**${path}`, async (route) => {
        await route.fulfill({
          status: 410,
          contentType: 'application/problem+json',
          body: JSON.stringify({
            title: 'Erased',
            status: 410,
            detail: `the payload of ${id} has been erased`,
          }),
        })
      })
      await page.goto(`${service.url}/decisions/${id}`)
      await sees(page, 'has been erased, so it can’t be explained part by part')
      await sees(page, 'refund_amount > 500')
      expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0)
      await expectUsable(page)
    })
  })

  test('a decision whose payload is sealed, without the key here, says that it is sealed and not erased', async () => {
    const { id } = await refund(600)
    const page = await visitors.open('/', { session: pat })
    await page.route(`**/v1/decisions/${id}`, async (route) => {
      const response = await route.fetch()
      const answer = (await response.json()) as object
      await route.fulfill({ response, json: { ...answer, params: null, context: null, sealed: true } })
    })
    await page.goto(`${service.url}/decisions/${id}`)
    await sees(page, 'Sealed, and the service cannot open it')
    expect(await page.getByText('Erased.').count()).toBe(0)
    await expectUsable(page)
  })

  test('a decision that does not come out as it was recorded says so before anything else', async () => {
    const { id } = await refund(600)
    const path = `/v1/decisions/${id}/explanation`
    const page = await visitors.open('/', { session: pat })
    await page.route(`**${path}`, async (route) => {
      const response = await route.fetch()
      const answer = (await response.json()) as object
      await route.fulfill({ response, json: { ...answer, same: false, differences: ['reasons'] } })
    })
    await page.goto(`${service.url}/decisions/${id}`)
    await sees(page, 'comes out otherwise than it was recorded, in its reasons')
    await expectUsable(page)
  })
})

async function expectUsable(page: Page): Promise<void> {
  expect((await controlsOf(page)).filter(({ name }) => name === '')).toEqual([])
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    expect(await paleTexts(page), colorScheme).toEqual([])
  }
}
