import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { violationsOf } from '../console/axe.ts'
import { findChromium, launchChromium } from '../console/chromium.ts'
import { eventually } from '../harness/eventually.ts'
import { impatientClient, ServicePlace } from '../harness/service.ts'
import { linkIn, MailServer } from './mail-server.ts'
import { refundPolicy } from './policy.ts'

const executable = findChromium()

describe.skipIf(executable === undefined)('the page of a link in a browser', () => {
  let place: ServicePlace
  let mail: MailServer
  let browser: Browser
  let url: string
  let key: string

  beforeAll(async () => {
    place = await ServicePlace.onServer({ text: refundPolicy() })
    mail = await new MailServer().listen()
    browser = await launchChromium(executable ?? '')
    const service = await place.start({ env: mail.env })
    url = service.url
    key = await place.createKey()
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await place.remove()
    await mail.close()
  })

  /** A refund that waits, and the address of the page that answers it. */
  async function asked(): Promise<{ readonly id: string; readonly link: string }> {
    const before = mail.mails.length
    const { approval } = await impatientClient(url, key).check('issue_refund', {
      amount: 600,
      iban: 'DE00 1234',
    })
    await eventually('the message', () => mail.mails.length > before)
    return { id: approval?.id ?? '', link: url + linkIn(mail.to('admin@localhost')) }
  }
  const statusOf = (id: string) => place.onLedger(async (ledger) => (await ledger.approval(id, {})).status)

  test('answers on a phone without script: nothing is chosen, a first press asks once more, a second one votes, and the page says so', async () => {
    const { id, link } = await asked()
    const context = await browser.newContext({
      javaScriptEnabled: false,
      viewport: { width: 390, height: 844 },
    })
    const page = await context.newPage()
    await page.goto(link)
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('asks to run issue_refund')
    expect(await page.locator('body').textContent()).not.toContain('DE00')
    const buttons = page.getByRole('button')
    expect(await buttons.allTextContents()).toEqual(['Reject…', 'Approve…'])
    for (const button of await buttons.all()) {
      expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44)
    }
    const width = await page.locator('body').boundingBox()
    expect(width?.width).toBeLessThanOrEqual(390)
    expect(await statusOf(id)).toBe('pending')
    await buttons.first().click()
    expect(await statusOf(id)).toBe('pending')
    expect(await page.locator('form').textContent()).toContain('600')
    await page.getByLabel('Comment (optional)').fill('not this one')
    await page.getByRole('button', { name: 'Reject this call' }).click()
    expect(await page.getByRole('status').textContent()).toContain('Recorded: you rejected it')
    expect(await statusOf(id)).toBe('rejected')
    await page.goto(link)
    expect(await page.getByRole('button').count()).toBe(0)
    await context.close()
  })

  test.each(['light', 'dark'] as const)('has nothing that axe finds wrong, in %s', async (colorScheme) => {
    const { link } = await asked()
    const context = await browser.newContext({ colorScheme, viewport: { width: 390, height: 844 } })
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    await page.goto(link)
    expect(await violationsOf(page)).toEqual([])
    await page.getByRole('button', { name: 'Approve…' }).click()
    expect(await violationsOf(page)).toEqual([])
    await page.getByRole('button', { name: 'I agree to this' }).click()
    expect(await page.getByRole('status').textContent()).toContain('Recorded')
    expect(await violationsOf(page)).toEqual([])
    // Its own style is let through by its own policy.
    expect(complaints.filter((text) => text.includes('Content Security Policy'))).toEqual([])
    await context.close()
  })
})
