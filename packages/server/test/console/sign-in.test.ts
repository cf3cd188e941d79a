import { beforeAll, describe, expect, test } from 'vitest'
import { totpCode, totpStep } from '../../src/identity/totp.ts'
import { VirtualAuthenticator } from './authenticator.ts'
import { violationsOf } from './axe.ts'
import { describeConsole } from './describe-console.ts'
import type { ConsoleService } from './console-service.ts'
import { addressOf, overflowOf, sees } from './pages.ts'
import type { Visitors } from './visitors.ts'

const password = 'correct horse battery staple'
const wrong = ['401 /v1/session/password']

describeConsole(
  'signing in at the console',
  (setting) => {
    let service: ConsoleService
    let visitors: Visitors
    beforeAll(() => {
      ;({ service, visitors } = setting())
    })

    /** The code that an app shows for a secret as it stands on the page. */
    function codeOf(secret: string, steps = 0): string {
      const bits = Array.from(secret.replaceAll(' ', ''))
        .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
        .join('')
      const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))
      return totpCode(Buffer.from(bytes), totpStep(Date.now()) + steps)
    }

    describe('a person who came by a link', () => {
      test('sets a password and an app, and signs in with both, then with a recovery code, by keys alone', async () => {
        const session = await service.sessionOf('means@example.com')
        const page = await visitors.open('/account', { session, refusals: ['401 /v1/session', ...wrong] })
        await page.getByLabel('New password').fill(password)
        await page.getByRole('button', { name: 'Set password' }).click()
        await sees(page, 'Your password is set.')
        expect(await service.statusFor(session), 'the session of before').toBe(401)

        await page.getByRole('button', { name: 'Set up an app' }).click()
        const secret = (await page.locator('.means code').textContent()) ?? ''
        await page.getByLabel('Code').fill(codeOf(secret, -1))
        await page.getByRole('button', { name: 'Use this app' }).click()
        await sees(page, 'Keep these codes.')
        const [recovery = ''] = await page.locator('.recovery-codes code').allTextContents()
        await page.getByRole('button', { name: 'Sign out' }).click()

        await page.getByLabel('E-mail address').fill('means@example.com')
        await page.keyboard.press('Tab')
        await page.keyboard.type('not the password')
        await page.keyboard.press('Enter')
        await sees(page, 'The address or the password is wrong')
        await page.getByLabel('Password').fill(password)
        await page.keyboard.press('Enter')
        await page.getByLabel('Code of your authenticator app').fill(codeOf(secret))
        await page.keyboard.press('Enter')
        await page.getByRole('button', { name: 'Sign out' }).click()

        await page.getByLabel('E-mail address').fill('means@example.com')
        await page.getByLabel('Password').fill(password)
        await page.keyboard.press('Enter')
        await page.getByRole('button', { name: 'Use a recovery code instead' }).press('Enter')
        await page.getByLabel('Recovery code').fill(recovery)
        await page.keyboard.press('Enter')
        await page.getByRole('heading', { name: 'Approvals', level: 1 }).waitFor()
        await page.goto(`${service.url}/account`)
        await sees(page, '9 recovery codes are left.')
      })
    })

    test('who has a password alone sets up a second factor before anything else, a passkey, and signs in with both from then on', async () => {
      const session = await service.sessionOf('alone@example.com')
      const refusals = ['401 /v1/session', '401 /v1/session/second-factor/passkey']
      const page = await visitors.open('/account', { session, refusals })
      const device = await VirtualAuthenticator.add(page)
      await page.getByLabel('New password').fill(password)
      await page.getByRole('button', { name: 'Set password' }).click()
      await sees(page, 'Your password is set.')
      await page.getByRole('button', { name: 'Sign out' }).click()
      const signIn = async (): Promise<void> => {
        await page.getByLabel('E-mail address').fill('alone@example.com')
        await page.getByLabel('Password').fill(password)
        await page.keyboard.press('Enter')
      }
      await signIn()
      await sees(page, 'A password alone is not enough here')
      await page.goto(`${service.url}/decisions`)
      await sees(page, 'A password alone is not enough here')
      await page.getByRole('button', { name: 'Set up an app' }).waitFor()
      expect(await page.getByRole('button', { name: 'Go on' }).count()).toBe(0)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        expect(await violationsOf(page), colorScheme).toEqual([])
      }
      await page.getByLabel('Name').fill('Laptop')
      await page.getByRole('button', { name: 'Add a passkey' }).click()
      await page.getByRole('button', { name: 'Go on' }).click()
      await page.getByRole('heading', { name: 'Decisions', level: 1 }).waitFor()
      await page.getByRole('button', { name: 'Sign out' }).click()

      await signIn()
      await device.recognises(false)
      await page.getByRole('button', { name: 'Confirm with your passkey' }).click()
      await sees(page, 'The device did not confirm that it is you')
      expect(await page.getByLabel('Code of your authenticator app').count()).toBe(0)
      await device.recognises(true)
      await page.getByRole('button', { name: 'Confirm with your passkey' }).click()
      await page.getByRole('heading', { name: 'Approvals', level: 1 }).waitFor()
      await page.goto(`${service.url}/account`)
      await sees(page, /signed in by password\+passkey/)
    })

    test('a link to another site is not followed after signing in', async () => {
      const link = await service.linkFor('means2@example.com')
      const page = await visitors.open('/sign-in?returnTo=https://evil.example')
      await page.evaluate("sessionStorage.setItem('bailiwick:return-to', '//evil.example/approvals')")
      await page.goto(link)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('heading', { name: 'Approvals', level: 1 }).waitFor()
      expect(new URL(page.url()).origin).toBe(service.url)
    })

    test('the page says nothing that its address tells it to say', async () => {
      const page = await visitors.open(`/sign-in#refused=${encodeURIComponent('call 555-0100 <b>now</b>')}`)
      await sees(page, 'You were not signed in')
      expect(await page.locator('body').textContent()).not.toContain('555')
      expect(addressOf(page)).toBe('/sign-in')
      expect(page.url()).not.toContain('refused')
    })

    test('everybody can use the page: axe finds nothing, in light and in dark, and it fits a telephone', async () => {
      const page = await visitors.openOnPhone('/sign-in')
      await page.getByLabel('E-mail address').waitFor()
      expect(await overflowOf(page)).toBe(0)
      const account = await visitors.openOnPhone('/account', {
        session: await service.sessionOf('pat@example.com'),
      })
      await account.getByRole('button', { name: 'Set up an app' }).waitFor()
      expect(await overflowOf(account)).toBe(0)
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const each of [page, account]) {
          await each.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
          expect(await violationsOf(each), `${addressOf(each)}, ${colorScheme}`).toEqual([])
        }
      }
    })
  },
  { BAILIWICK_SECOND_FACTOR: 'required' },
)
