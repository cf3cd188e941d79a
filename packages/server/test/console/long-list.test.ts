import type { DecisionRequest } from '@bailiwick/core'
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import type { ConsoleService, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import { isThere, sees } from './pages.ts'
import type { Visitors } from './visitors.ts'

const many = 100_000
const perRequest = 64
const atOnce = 6
/** What one screen holds, with some to spare above and below. */
const rowsMax = 80
const nodesMax = 3000
/** As many decisions as the page asks for at once. */
const pageSize = 1000

/** What was seen of a scroll, frame by frame. */
interface Scrolled {
  readonly frames: number
  /** The most rows that were in the page in any frame. */
  readonly rows: number
  /** The most elements. */
  readonly nodes: number
  /** Frames in which a stretch of the screen had no rows. */
  readonly blank: readonly string[]
}

describeConsole('a list of 100,000 decisions', (setting) => {
  let service: ConsoleService
  let visitors: Visitors
  let pat: Session
  let asked: URL[] = []

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

  /** Scrolls as fast as the page loads, until it has reached the oldest decision. */
  const toTheEnd = async (page: Page): Promise<number> => {
    const rows = page.locator('.decisions-body [role=row]')
    await isThere(rows.first())
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
    return most
  }

  test('is scrolled to its end and all over, each frame with its rows on screen, while the page holds only what is near the screen and asks for each decision once', async () => {
    const page = await visitors.open('/decisions', { session: pat })
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (url.pathname === '/v1/decisions') asked.push(url)
    })
    expect(await toTheEnd(page)).toBeLessThan(rowsMax)
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe(String(many + 1))
    // Where each page of older ones begins: none is asked for twice.
    const older = asked.filter(({ searchParams }) => searchParams.get('limit') === String(pageSize))
    const begins = older.map(({ searchParams }) => searchParams.get('before'))
    expect(new Set(begins).size).toBe(begins.length)
    expect(begins.length).toBeLessThanOrEqual(many / pageSize)
    // Beside them there are looks at what became of the decisions on screen, where the scroll rests; all in all fewer
    // requests than one for a hundred rows, however slow the machine.
    expect(asked.length).toBeLessThan(many / 100)

    asked = []
    await page.evaluate(await readFile(new URL('./scroll-over.js', import.meta.url), 'utf8'))
    const seen = await page.evaluate<Scrolled>('scrollOver()')
    expect(seen.frames).toBeGreaterThan(250)
    expect(seen.blank).toEqual([])
    expect(seen.rows).toBeLessThan(rowsMax)
    expect(seen.nodes).toBeLessThan(nodesMax)
    // All of it is there already.
    expect(asked.filter(({ searchParams }) => searchParams.get('limit') === String(pageSize))).toEqual([])
    expect(asked.length).toBeLessThan(seen.frames / 2)

    // What comes meanwhile moves nothing under the reader's eyes, and is one press away.
    const rows = page.locator('.decisions-body [role=row]')
    await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)')
    await expect.poll(() => rows.first().getAttribute('aria-rowindex'), { timeout: 10_000 }).not.toBe('2')
    const place = await rows.first().boundingBox()
    const { id } = await service.clientOf('support').check('apply_discount', { percent: 2 })
    await isThere(page.getByRole('button', { name: '1 new decision' }))
    expect(await rows.first().boundingBox()).toEqual(place)
    await page.getByRole('button', { name: '1 new decision' }).click()
    await isThere(page.locator(`a[href="/decisions/${id}"]`))
    expect(await page.evaluate('document.activeElement.getAttribute("role")')).toBe('table')
    await sees(page, 'Today')
    // A row that has the focus keeps it, however far the page is scrolled.
    await page.keyboard.press('j')
    const focused = await page.evaluate<string>('document.activeElement.getAttribute("href")')
    await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight / 2)')
    await expect.poll(() => rows.first().getAttribute('aria-rowindex'), { timeout: 10_000 }).toBe('2')
    expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe(focused)
  }, 580_000)
})
