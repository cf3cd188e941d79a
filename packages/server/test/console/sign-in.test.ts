import { beforeAll, describe, expect, test } from 'vitest'
import { totpCode, totpStep } from '../../src/identity/totp.ts'
import { VirtualAuthenticator } from './authenticator.ts'
import { describeConsole } from './describe-console.ts'
import type { ConsoleService } from './console-service.ts'
import { addressOf, enter, focusedText, isThere, overflowOf, sees, tabTo, typeInto } from './pages.ts'
import { expectUsable } from './usable.ts'
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
      test('sets a password and an app, signs out and in with both, then with a recovery code, by keys alone, and axe finds nothing at any step', async () => {
        const session = await service.sessionOf('means@example.com')
        // What is asked just as the session is replaced is refused, asked again, and signs nobody out.
        const refusals = [
          '401 /v1/session',
          '401 /v1/sessions',
          '401 /v1/account',
          '401 /v1/approvals',
          ...wrong,
        ]
        const page = await visitors.open('/account', { session, refusals })
        await isThere(page.getByLabel('New password'))
        await typeInto(page, /^New password/, password)
        await sees(page, 'Your password is set.')
        expect(await service.statusFor(session), 'the session of before').toBe(401)

        await enter(page, 'Set up an app')
        await expect.poll(() => focusedText(page)).toContain('Add this to the app')
        await isThere(page.getByRole('img', { name: /^QR code for an authenticator app/ }))
        const secret = (await page.locator('.means code').textContent()) ?? ''
        await expectUsable(page, 'an app in the making')
        await tabTo(page, 'Code')
        await page.keyboard.type(codeOf(secret))
        await page.keyboard.press('Enter')
        await expect.poll(() => focusedText(page)).toContain('Keep these codes.')
        const [recovery = ''] = await page.locator('.recovery-codes code').allTextContents()
        await expectUsable(page, 'recovery codes')
        await enter(page, 'Sign out')

        const withPassword = async (given: string): Promise<void> => {
          await tabTo(page, 'E-mail address')
          await page.keyboard.type('means@example.com')
          await typeInto(page, 'Password', given)
        }
        await isThere(page.getByLabel('E-mail address'))
        await withPassword('not the password')
        await sees(page, 'The address or the password is wrong')
        await typeInto(page, 'Password', password)
        await isThere(page.getByLabel('Code of your authenticator app'))
        await expectUsable(page, 'the step that asks for a code')
        // The form before has gone with the focus, so the next one takes it. A code that was used is good no more.
        await page.keyboard.type(codeOf(secret, 1))
        await page.keyboard.press('Enter')
        await isThere(page.getByRole('heading', { name: 'Approvals', level: 1 }))
        await enter(page, 'Sign out')

        await isThere(page.getByLabel('E-mail address'))
        await withPassword(password)
        await isThere(page.getByLabel('Code of your authenticator app'))
        await enter(page, 'Use a recovery code instead')
        await isThere(page.getByLabel('Recovery code'))
        await expectUsable(page, 'the step that asks for a recovery code')
        await page.keyboard.type(recovery)
        await page.keyboard.press('Enter')
        await isThere(page.getByRole('heading', { name: 'Approvals', level: 1 }))
        await enter(page, '/account')
        await sees(page, '9 recovery codes are left.')
      }, 120_000)
    })

    test('an answer of an earlier session, that nobody is signed in, is asked for once more and signs nobody out', async () => {
      const session = await service.sessionOf('twice@example.com')
      const page = await visitors.open('/', { session, refusals: ['401 /v1/sessions', '401 /v1/session'] })
      const refused = (times: number) =>
        page.route('**/v1/sessions', (route) => route.fulfill({ status: 401 }), { times })
      await refused(1)
      await page.goto(`${service.url}/account`)
      await sees(page, 'This one')
      await refused(2)
      await page.goto(`${service.url}/account`)
      await isThere(page.getByLabel('E-mail address'))
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
      await isThere(page.getByRole('button', { name: 'Set up an app' }))
      expect(await page.getByRole('button', { name: 'Go on' }).count()).toBe(0)
      await expectUsable(page, 'the page that sets up a second factor')
      await typeInto(page, /^Name/, 'Laptop')
      await isThere(page.getByRole('button', { name: 'Go on' }))
      await expectUsable(page, 'the second factor is set up')
      await enter(page, 'Go on')
      await isThere(page.getByRole('heading', { name: 'Decisions', level: 1 }))
      await page.getByRole('button', { name: 'Sign out' }).click()

      await signIn()
      await device.recognises(false)
      await isThere(page.getByRole('button', { name: 'Confirm with your passkey' }))
      await expectUsable(page, 'the step that asks for a passkey')
      await page.keyboard.press('Enter')
      await sees(page, 'The device did not confirm that it is you')
      await expectUsable(page, 'a passkey that did not confirm')
      expect(await page.getByLabel('Code of your authenticator app').count()).toBe(0)
      await device.recognises(true)
      await enter(page, 'Confirm with your passkey')
      await isThere(page.getByRole('heading', { name: 'Approvals', level: 1 }))
      await page.goto(`${service.url}/account`)
      await sees(page, /signed in by password and passkey/)
    })

    test('a link to another site is not followed after signing in', async () => {
      const link = await service.linkFor('means2@example.com')
      const page = await visitors.open('/sign-in?returnTo=https://evil.example')
      await page.evaluate("sessionStorage.setItem('bailiwick:return-to', '//evil.example/approvals')")
      await page.goto(link)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await isThere(page.getByRole('heading', { name: 'Approvals', level: 1 }))
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
      await isThere(page.getByLabel('E-mail address'))
      expect(await overflowOf(page)).toBe(0)
      const account = await visitors.openOnPhone('/account', {
        session: await service.sessionOf('pat@example.com'),
      })
      await isThere(account.getByRole('button', { name: 'Set up an app' }))
      expect(await overflowOf(account)).toBe(0)
      for (const each of [page, account]) await expectUsable(each, addressOf(each))
    })
  },
  { BAILIWICK_SECOND_FACTOR: 'required' },
)
