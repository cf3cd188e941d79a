import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as routes from '../../src/http/routes.ts'
import { findChromium, launchChromium } from '../console/chromium.ts'
import { expectNoViolations, sizes } from '../console/usable.ts'
import { eventually } from '../harness/eventually.ts'
import { impatientClient, ServicePlace } from '../harness/service.ts'
import { FakeSlack } from './fake-slack.ts'
import { linkIn, MailServer } from './mail-server.ts'
import { refundPolicy } from './policy.ts'

/** Every endpoint that is described as answering with a page. */
const served = Object.values(routes)
  .filter((route): route is typeof routes.getMailPage => typeof route === 'object' && 'responses' in route)
  .filter(({ responses: { 200: found } }) => found !== undefined && 'text/html' in (found.content ?? {}))
  .map(({ method, path }) => `${method.toUpperCase()} ${path}`)

const executable = findChromium()

describe.skipIf(executable === undefined)('the pages that the service serves beside the console', () => {
  let place: ServicePlace
  let mail: MailServer
  let slack: FakeSlack
  let browser: Browser
  let url: string
  let key: string
  let signInUrl: string

  beforeAll(async () => {
    place = await ServicePlace.onServer({ text: refundPolicy() })
    mail = await new MailServer().listen()
    slack = await new FakeSlack().listen()
    browser = await launchChromium(executable ?? '')
    const people = { BAILIWICK_SLACK_PEOPLE: 'U0ADMIN=admin@localhost' }
    const service = await place.start({ env: { ...mail.env, ...slack.env, ...people } })
    // Where its links lead, and so its sessions are.
    url = service.url.replace('127.0.0.1', 'localhost')
    signInUrl = service.signInUrl ?? ''
    key = await place.createKey()
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await place.remove()
    await mail.close()
    await slack.close()
  })

  /** A page that answers a refund of its own. */
  async function mailLink(): Promise<string> {
    const before = mail.mails.length
    await impatientClient(url, key).check('issue_refund', { amount: 600, iban: 'DE00 1234' })
    await eventually('the message', () => mail.mails.length > before)
    return url + linkIn(mail.to('admin@localhost'))
  }

  const slackPage = '/v1/channels/slack/accounts/U0ADMIN'
  type Look = (page: Page, what: string) => Promise<void>

  /** How each is come by, and looked at. */
  const visits: Readonly<Record<string, (page: Page, look: Look) => Promise<void>>> = {
    'GET /log/verify.html': async (page, look) => {
      await page.goto(`${url}/log/verify.html`)
      await look(page, 'nothing to check yet')
      await page.fill('#pasted', 'nothing of the kind')
      await page.waitForSelector('.verdict')
      await look(page, 'what is no bundle')
    },
    'GET /v1/channels/email/{token}': async (page, look) => {
      await page.goto(await mailLink())
      await look(page, 'a call that waits')
      await page.getByRole('button', { name: 'Approve…' }).click()
      await page.getByRole('heading', { name: 'You are about to approve' }).waitFor()
      await look(page, 'an answer that is to be confirmed')
      await page.goto(`${url}/v1/channels/email/no-such-token`)
      await look(page, 'a link that is none')
    },
    'POST /v1/channels/email/{token}': async (page, look) => {
      const link = await mailLink()
      await page.goto(link)
      await page.getByRole('button', { name: 'Reject…' }).press('Enter')
      await page.getByRole('button', { name: 'Reject this call' }).press('Enter')
      await page.getByText('Recorded: you rejected it').waitFor()
      await look(page, 'a vote that is recorded')
      await page.goto(link)
      await look(page, 'a call that is closed')
    },
    'GET /v1/channels/slack/accounts/{account}': async (page, look) => {
      await page.goto(url + slackPage)
      await page.getByRole('heading', { name: 'Is this Slack account yours?', level: 1 }).waitFor()
      await look(page, 'the question')
    },
    'POST /v1/channels/slack/accounts/{account}': async (page, look) => {
      await page.goto(url + slackPage)
      await page.getByRole('button', { name: 'Yes, U0ADMIN is mine' }).click()
      await page.getByText('Nobody is signed in in this browser').waitFor()
      await look(page, 'nobody is signed in')
      await page.goto(signInUrl)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('heading', { name: 'Approvals', level: 1 }).waitFor()
      await page.goto(url + slackPage)
      await page.getByRole('button', { name: 'Yes, U0ADMIN is mine' }).press('Enter')
      await page.getByRole('heading', { name: 'Confirmed', level: 1 }).waitFor()
      await look(page, 'the account is confirmed')
    },
  }

  test('are all known here, so that none is served which nobody has looked at', () => {
    expect(served.toSorted()).toEqual(Object.keys(visits).toSorted())
  })

  test.each(served)(
    'have nothing that axe finds wrong, on a phone or a desk, in light or in dark: %s',
    async (route) => {
      const context = await browser.newContext()
      const page = await context.newPage()
      await visits[route]?.(page, async (shown, what) => {
        for (const size of sizes) {
          await shown.setViewportSize(size)
          await expectNoViolations(shown, `${route}, ${what}, ${size.width} pixels wide`)
        }
      })
      await context.close()
    },
  )
})
