import type { DecisionRequest } from '@bailiwick/core'
import { beforeAll, expect, test } from 'vitest'
import type { ConsoleService, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import { sees } from './pages.ts'
import type { Visitors } from './visitors.ts'

const many = 100_000
const perRequest = 64
const atOnce = 6

describeConsole('a list of 100,000 decisions', (setting) => {
  let service: ConsoleService
  let visitors: Visitors
  let pat: Session

  beforeAll(async () => {
    ;({ service, visitors, pat } = setting())
    const calls: DecisionRequest[] = Array.from({ length: perRequest }, () => ({
      action: 'apply_discount',
      params: { percent: 1 },
    }))
    let left = many
    const worker = async (): Promise<void> => {
      while (left > 0) {
        const some = calls.slice(0, left)
        left -= some.length
        await service.decideAll('support', some)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
  }, 300_000)

  test('is scrolled to its end, while the page holds only what is near the screen', async () => {
    const page = await visitors.open('/decisions', { session: pat })
    const rows = page.locator('.decisions-body [role=row]')
    await rows.first().waitFor()
    let most = 0
    await expect
      .poll(
        async () => {
          await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)')
          most = Math.max(most, await rows.count())
          return await page.getByText(`All ${many.toLocaleString('en')} decisions.`).count()
        },
        { timeout: 280_000, interval: 20 },
      )
      .toBe(1)
    expect(most).toBeLessThan(80)
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe(String(many + 1))

    // What comes meanwhile moves nothing under the reader's eyes, and is one press away.
    const { id } = await service.clientOf('support').check('apply_discount', { percent: 2 })
    await page.getByRole('button', { name: '1 new decision' }).click()
    await page.locator(`a[href="/decisions/${id}"]`).waitFor()
    await sees(page, 'Today')
    // A row that has the focus keeps it, however far the page is scrolled.
    await page.keyboard.press('j')
    const focused = await page.evaluate<string>('document.activeElement.getAttribute("href")')
    await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight / 2)')
    await expect.poll(() => rows.first().getAttribute('aria-rowindex'), { timeout: 10_000 }).toBe('2')
    expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe(focused)
  }, 300_000)
})
