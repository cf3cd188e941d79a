import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import type { ConsoleService, Refund, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import { isLive, isThere, sees } from './pages.ts'
import { sizes } from './usable.ts'
import type { Visitors } from './visitors.ts'

/** Beyond so many there are only more rows of the same kind. */
const stopsMax = 60

/** Goes once around the page with the key and returns how many stops there were, and those that are covered. */
async function around(page: Page, key: 'Tab' | 'Shift+Tab') {
  await page.evaluate(await readFile(new URL('./covered-focus.js', import.meta.url), 'utf8'))
  await page.evaluate('window.tabStops = new Set()')
  const covered: string[] = []
  for (let stops = 0; stops < stopsMax; stops++) {
    await page.keyboard.press(key)
    const stop = await page.evaluate<{ name: string; hidden: readonly string[] } | null>('coveredFocus()')
    if (stop === null) return { stops, covered }
    if (stop.hidden.length > 0) covered.push(`${stop.name} at ${stop.hidden.join(' ')}`)
  }
  return { stops: stopsMax, covered }
}

describeConsole('what has the focus is never behind what stands over the page', (setting) => {
  let service: ConsoleService
  let visitors: Visitors
  let pat: Session
  let refunds: readonly Refund[]

  beforeAll(async () => {
    ;({ service, visitors, pat } = setting())
    const amounts = Array.from({ length: 12 }, (_, at) => 600 + at)
    refunds = await Promise.all(
      amounts.map((amount) => service.refund('support', { amount, note: 'A note. '.repeat(60) })),
    )
    const calls = Array.from({ length: 40 }, (_, at) => ({ action: 'apply_discount', params: { at } }))
    await service.decideAll('support', calls)
  })

  const views: readonly (readonly [name: string, stops: number, open: () => Promise<Page>])[] = [
    [
      'the inbox',
      30,
      async () => {
        const page = await visitors.open('/', { session: pat })
        await isThere(page.locator(`a[href="/approvals/${refunds[0]?.id}"]`))
        return page
      },
    ],
    [
      'the inbox with calls selected',
      30,
      async () => {
        const page = await visitors.open('/', { session: pat })
        for (const { id } of refunds.slice(0, 2))
          await page.getByRole('checkbox', { name: `Select ${id},` }).check()
        await sees(page, '2 calls selected')
        return page
      },
    ],
    [
      'a call that waits',
      12,
      async () => {
        const page = await visitors.open(`/approvals/${refunds[3]?.id}`, { session: pat })
        await sees(page, 'Who may answer')
        return page
      },
    ],
    [
      'an answer that is about to be given',
      14,
      async () => {
        const session = await service.sessionOf('olga@example.com', 'operator', 'approver')
        const { id } = await service.refund('routine', { amount: 700, order: 'A-1' })
        const page = await visitors.open(`/approvals/${id}?answer=yes`, { session })
        await page.getByRole('checkbox', { name: 'Also let more calls like it run' }).check()
        await isThere(page.getByRole('button', { name: 'Withdraw…' }))
        return page
      },
    ],
    [
      'the list of decisions',
      40,
      async () => {
        const page = await visitors.open('/decisions', { session: pat })
        await isLive(page)
        await isThere(page.locator('.decisions [data-row]').nth(5))
        return page
      },
    ],
    [
      'the list of decisions when there are new ones',
      40,
      async () => {
        const page = await visitors.open('/decisions', { session: pat })
        await isLive(page)
        await isThere(page.locator('.decisions [data-row]').nth(5))
        await page.evaluate('window.scrollTo(0, 1500)')
        await expect
          .poll(() => page.locator('.decisions-body [role=row]').first().getAttribute('aria-rowindex'))
          .not.toBe('2')
        await service.clientOf('support').check('apply_discount', {})
        await isThere(page.getByRole('button', { name: /new decision/ }))
        return page
      },
    ],
  ]

  test.each(views)(
    'in %s, forwards and backwards, on a telephone and on a desk',
    async (_name, stopsMin, open) => {
      const aroundAt = async (page: Page, size: (typeof sizes)[number]) => {
        await page.setViewportSize(size)
        for (const key of ['Tab', 'Shift+Tab'] as const) {
          const where = `${size.width} pixels wide, ${key}`
          const { stops, covered } = await around(page, key)
          expect(covered, where).toEqual([])
          expect(stops, where).toBeGreaterThan(stopsMin)
        }
      }
      // Most of it is waiting until a page is painted, so that both are gone around at once.
      const [phone, desk] = sizes
      const onPhone = await open()
      const onDesk = await open()
      await Promise.all([aroundAt(onPhone, phone), aroundAt(onDesk, desk)])
    },
  )
})
