import { randomBytes } from 'node:crypto'
import { verifierKey } from '@bailiwick/core'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ConsoleService, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import { addressOf, isLive, isThere, sees, tabTo } from './pages.ts'
import type { Visitors } from './visitors.ts'

/** Until the page has followed. */
const soon = { timeout: 10_000 }

describeConsole('the explorer of decisions', (setting) => {
  let service: ConsoleService
  let visitors: Visitors
  let pat: Session
  let refund: string

  beforeAll(async () => {
    ;({ service, visitors, pat } = setting())
    const support = service.clientOf('support')
    await support.check('apply_discount', { percent: 10 })
    await support.check('delete_account', {})
    ;({ id: refund } = await support.check('issue_refund', { amount: 5, order: 'A-77' }))
    await service.decide('guarded', { action: 'export', params: {}, supports: ['redact'] })
  })

  const actions = (page: Page): Promise<readonly string[]> =>
    page.locator('.decisions [data-row]').allTextContents()

  describe('filters', () => {
    test('are in the address, so that what one sees can be sent to others, and come back with the browser’s way back', async () => {
      const page = await visitors.open('/decisions', { session: pat })
      await page.getByRole('button', { name: 'Denied' }).click()
      await expect.poll(() => actions(page), soon).toEqual(['delete_account'])
      expect(addressOf(page)).toBe('/decisions?effect=deny')
      await page.getByRole('button', { name: 'All', exact: true }).click()
      await page.getByRole('button', { name: 'More filters' }).click()
      await page.getByLabel('Agent').fill('guarded')
      await expect.poll(() => actions(page), soon).toEqual(['export'])
      await page.getByLabel('Time').selectOption('Last hour')
      await expect.poll(() => addressOf(page), soon).toBe('/decisions?agent=guarded&last=1h')
      await expect.poll(() => actions(page), soon).toEqual(['export'])

      const other = await visitors.open(addressOf(page), { session: pat })
      await expect.poll(() => actions(other), soon).toEqual(['export'])
      expect(await other.getByLabel('Agent').inputValue()).toBe('guarded')
      await other.getByRole('link', { name: 'export' }).click()
      await isThere(other.getByRole('heading', { name: 'export', level: 1 }))
      await other.goBack()
      await expect.poll(() => actions(other), soon).toEqual(['export'])
    })

    test('find by text, by policy and by time, and say where nothing is found', async () => {
      const page = await visitors.open('/decisions', { session: pat })
      await page.getByLabel('Search').fill('FORBIDDEN by')
      await expect.poll(() => actions(page), soon).toEqual(['delete_account'])
      await page.getByLabel('Search').fill('A-77')
      await sees(page, 'No decision passes this filter')
      await page.getByRole('link', { name: 'Show all decisions' }).click()
      await expect.poll(async () => (await actions(page)).length, soon).toBeGreaterThan(3)
      await page.goto(`${service.url}/decisions?policy=guarded`)
      await expect.poll(() => actions(page), soon).toEqual(['export'])
      await page.goto(`${service.url}/decisions?until=2001-01-01T00:00:00.000Z`)
      await sees(page, 'No decision passes this filter')
      expect(await page.getByRole('textbox', { name: 'To', exact: true }).inputValue()).toMatch(/^200[01]-/)
    })

    test('by keyboard alone', async () => {
      const page = await visitors.open('/decisions', { session: pat })
      await isLive(page)
      await tabTo(page, 'Search')
      await page.keyboard.type('discount')
      await expect.poll(() => actions(page), soon).toEqual(['apply_discount'])
      await tabTo(page, 'Allowed')
      await page.keyboard.press('Space')
      await expect.poll(() => addressOf(page), soon).toBe('/decisions?text=discount&effect=allow')
      await expect
        .poll(async () => {
          await page.keyboard.press('j')
          return await page.evaluate('document.activeElement.getAttribute("href")')
        }, soon)
        .toMatch(/^\/decisions\/dec_/)
      await page.keyboard.press('Enter')
      await isThere(page.getByRole('heading', { name: 'apply_discount', level: 1 }))
    })
  })

  describe('the page of a decision', () => {
    test('proves in this browser that the record is in the log, and with the log’s key that it is the log', async () => {
      const page = await visitors.open(`/decisions/${refund}`, {
        session: pat,
        refusals: [`404 /v1/log/proof/${refund}`],
      })
      await isThere(
        page
          .getByRole('button', { name: 'Check the proof here' })
          .or(page.getByRole('button', { name: 'Try again' }))
          .first(),
      )
      await expect
        .poll(async () => {
          const again = page.getByRole('button', { name: 'Try again' }).first()
          if ((await again.count()) > 0) await again.click()
          return page.getByRole('button', { name: 'Check the proof here' }).count()
        }, soon)
        .toBe(1)
      await page.getByRole('button', { name: 'Check the proof here' }).click()
      await sees(page, 'It holds together')
      await sees(page, 'The record is well formed')

      const response = await fetch(`${service.url}/v1/log/proof/${refund}`, {
        headers: { cookie: `${pat.name}=${pat.value}` },
      })
      const { verifierKeys } = (await response.json()) as { verifierKeys: readonly string[] }
      await page.getByLabel('Key of the log').fill(verifierKeys[0] ?? '')
      await page.getByRole('button', { name: 'Check the proof here' }).click()
      await sees(page, 'Proven')
      const [name = ''] = (verifierKeys[0] ?? '').split('+')
      await page.getByLabel('Key of the log').fill(verifierKey(name, randomBytes(32)))
      await page.getByRole('button', { name: 'Check the proof here' }).click()
      await sees(page, 'Not proven')
      await page.getByLabel('Key of the log').fill(`other+${verifierKeys[0] ?? ''}`)
      await page.getByRole('button', { name: 'Check the proof here' }).click()
      await sees(page, 'Not checked')
    })

    test('shows the record as it was hashed, and links lead to its parts', async () => {
      const page = await visitors.open(`/decisions/${refund}`, { session: pat })
      await page.getByRole('link', { name: 'Raw record' }).click()
      const record = page.getByRole('region', { name: 'The record, laid out' })
      await isThere(record.getByText(`"id": "${refund}"`))
      expect(await record.textContent()).not.toContain('A-77')
      expect(await page.evaluate('document.activeElement.id')).toBe('record')
    })
  })
})
