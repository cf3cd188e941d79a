import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { VirtualAuthenticator } from './authenticator.ts'
import type { ConsoleService, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import { addressOf, enter, isThere, offersAnswer, sees, tabTo, typeInto } from './pages.ts'
import { expectUsable } from './usable.ts'
import type { Visitors } from './visitors.ts'

describeConsole('passkeys in the console', (setting) => {
  let service: ConsoleService
  let visitors: Visitors

  beforeAll(() => {
    ;({ service, visitors } = setting())
  })

  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })
  let people = 0

  /** A new approver on the page of their passkeys, on a device of their own. */
  const visit = async (refusals: readonly string[] = []) => {
    const session: Session = await service.sessionOf(`key-${(people += 1)}@example.com`)
    const page = await visitors.open('/account', { session, refusals })
    const device = await VirtualAuthenticator.add(page)
    await sees(page, 'Your passkeys')
    return { page, device, person: `key-${people}@example.com` }
  }

  const register = async (page: Page, name: string) => {
    await page.getByLabel('Name').fill(name)
    await button(page, 'Add a passkey').click()
  }

  /** Answers an approval in its two steps. */
  const answer = async (page: Page, choice: 'Approve' | 'Reject') => {
    await page.getByRole('radio', { name: choice }).check()
    await button(page, choice === 'Approve' ? 'I agree to this' : 'Reject this call').click()
  }

  const registered = async (refusals: readonly string[] = []) => {
    const visited = await visit(refusals)
    await register(visited.page, 'Laptop')
    await sees(visited.page, 'The passkey is registered.')
    return visited
  }

  test('a person registers a passkey, sees it in the list, and it is on the device', async () => {
    const { page, device } = await visit()
    await sees(page, 'You have none yet.')
    await register(page, 'Laptop')
    await sees(page, 'The passkey is registered.')
    await isThere(page.getByRole('listitem').filter({ hasText: 'Laptop' }))
    expect(await device.count()).toBe(1)
  })

  test('by keys alone a passkey is registered, signs in and signs a vote, which is verified from the log', async () => {
    const { page, device, person } = await visit(['401 /v1/session'])
    await typeInto(page, /^Name/, 'Laptop')
    await sees(page, 'The passkey is registered.')
    expect(await device.count()).toBe(1)
    expect(await page.evaluate('document.activeElement.tagName'), 'where one goes on').toBe('INPUT')
    await expectUsable(page, 'an account with a passkey')

    await enter(page, 'Sign out')
    await isThere(button(page, 'Sign in with a passkey'))
    await enter(page, 'Sign in with a passkey')
    await isThere(page.getByRole('heading', { name: 'Approvals', level: 1 }))
    await sees(page, person)

    const { id } = await service.refund('sealed', { amount: 606 })
    await isThere(page.locator(`a[href="/approvals/${id}"]`))
    await enter(page, `/approvals/${id}`)
    await offersAnswer(page)
    await page.keyboard.press('a')
    await isThere(page.getByLabel('Comment'))
    await page.keyboard.type('Signed without a mouse.')
    await tabTo(page, 'I agree to this')
    await expectUsable(page, 'a vote that is to be signed')
    await page.keyboard.press('Enter')
    await sees(page, 'You approved this call')
    await sees(page, 'Signed without a mouse.')
    expect(await service.verify()).toMatchObject({ intact: true })
  })

  test('a second one on the same device is refused by the device', async () => {
    const { page, device } = await registered()
    await register(page, 'Again')
    await sees(page, 'This device has a passkey of yours already')
    expect(await device.count()).toBe(1)
  })

  test('nothing is registered where the device does not recognise the person', async () => {
    const { page, device } = await visit()
    await device.recognises(false)
    await register(page, 'Laptop')
    await sees(page, 'Nothing was signed')
    await sees(page, 'You have none yet.')
  })

  test('who has signed out signs in with the passkey, without saying who', async () => {
    const { page, person } = await registered(['401 /v1/session'])
    await button(page, 'Sign out').click()
    await button(page, 'Sign in with a passkey').click()
    await sees(page, person)
    expect(addressOf(page)).toBe('/')
  })

  test('nobody signs in where the device does not recognise the person', async () => {
    const { page, device } = await registered(['401 /v1/session'])
    await button(page, 'Sign out').click()
    await device.recognises(false)
    await button(page, 'Sign in with a passkey').click()
    await sees(page, 'The device did not confirm that it is you')
    expect(addressOf(page)).toBe('/sign-in')
  })

  test('a passkey that was removed is asked about first, and signs nobody in', async () => {
    const { page } = await registered(['401 /v1/session', '401 /v1/session/passkey'])
    await button(page, 'Remove Laptop').click()
    await button(page, 'Keep').click()
    await button(page, 'Remove Laptop').click()
    await sees(page, 'All other sessions of yours end with it')
    await expectUsable(page, 'a passkey that is to be removed')
    await button(page, 'Remove Laptop for good').click()
    await sees(page, 'You have none yet.')
    await button(page, 'Sign out').click()
    await button(page, 'Sign in with a passkey').click()
    await sees(page, 'The passkey does not sign anybody in')
  })

  test('what is told of a passkey is what was done last: registered, removed, registered', async () => {
    const { page, person } = await registered()
    await service.sessionOf(person)
    await page.reload()
    const others = page.getByRole('button', { name: /^End the session of/ })
    await isThere(others.first())
    await register(page, 'Again')
    await sees(page, 'This device has a passkey of yours already')
    await button(page, 'Remove Laptop').click()
    await button(page, 'Remove Laptop for good').click()
    await sees(page, 'The passkey Laptop is removed. All other sessions of yours have ended')
    await isThere(page.getByText('This device has a passkey of yours already'), 'detached')
    await expect
      .poll(() => page.evaluate('document.activeElement.textContent'), { timeout: 10_000 })
      .toContain('Laptop is removed')
    await isThere(others.first(), 'detached')
    await expectUsable(page, 'an account whose passkey was removed')
    await register(page, 'Phone')
    await sees(page, 'The passkey is registered.')
    expect(await page.getByText('Laptop is removed').count()).toBe(0)
    await button(page, 'Remove Phone').click()
    await button(page, 'Remove Phone for good').click()
    await sees(page, 'The passkey Phone is removed.')
    expect(await page.getByText('The passkey is registered.').count()).toBe(0)
  })

  test('an approval that takes signed votes is signed with the passkey, and verified from the log', async () => {
    const { page } = await registered()
    const { id } = await service.refund('sealed', { amount: 600 })
    await page.goto(`${service.url}/approvals/${id}`)
    await sees(page, 'With a vote signed by a passkey')
    expect(await page.getByText('You need a passkey').count()).toBe(0)
    await answer(page, 'Approve')
    await sees(page, 'You approved this call')
    await sees(page, 'signed with a passkey')
    expect(await service.verify()).toMatchObject({ intact: true })
  })

  test('a vote in somebody’s stead is signed with both names, and verified from the log', async () => {
    const { page, person } = await registered()
    await service.delegate(await service.sessionOf('cleo@example.com'), person)
    const { id } = await service.refund('sealed', { amount: 604 })
    await page.goto(`${service.url}/approvals/${id}`)
    await page.getByRole('radio', { name: 'Approve' }).check()
    await page.getByRole('radio', { name: 'In the stead of cleo@example.com' }).check()
    await button(page, 'I agree to this').click()
    await sees(page, 'You approved this call, in the stead of cleo@example.com')
    expect(await service.verify()).toMatchObject({ intact: true })
  })

  test('that more calls like it may run is signed, too', async () => {
    const { page } = await registered()
    const { id } = await service.refund('notarised', { amount: 605 })
    await page.goto(`${service.url}/approvals/${id}`)
    await page.getByRole('radio', { name: 'Approve' }).check()
    await page.getByRole('checkbox', { name: 'Also let more calls like it run' }).check()
    await page.getByLabel(/^How many/).fill('3')
    await page.getByLabel('Until').selectOption({ index: 1 })
    await button(page, 'I agree to this').click()
    await sees(page, /and up to 3 more like it, until/)
    expect(await service.verify()).toMatchObject({ intact: true })
  })

  test('where the device does not recognise the person, nothing is sent, and the person may try again', async () => {
    const { page, device } = await registered()
    const { id } = await service.refund('sealed', { amount: 601 })
    await page.goto(`${service.url}/approvals/${id}`)
    await device.recognises(false)
    await answer(page, 'Approve')
    await sees(page, 'Your vote was not counted')
    await device.recognises(true)
    await answer(page, 'Reject')
    await sees(page, 'You rejected this call')
  })

  test('who has no passkey is sent to register one, and cannot vote until then', async () => {
    const { page } = await visit()
    const { id } = await service.refund('sealed', { amount: 602 })
    await page.goto(`${service.url}/approvals/${id}`)
    await sees(page, 'You need a passkey to answer this call')
    await isThere(page.getByRole('link', { name: 'Register a passkey' }))
    expect(await page.getByRole('radio', { checked: true }).count()).toBe(0)
    await expectUsable(page, 'a call that is to be signed, without a passkey')
    await page.getByRole('radio', { name: 'Approve' }).check()
    await sees(page, 'has to be signed with a passkey, and you have none')
    expect(await button(page, 'I agree to this').isDisabled()).toBe(true)
    await page.getByRole('link', { name: 'Register one' }).click()
    await sees(page, 'You have none yet.')
  })

  test('with a passkey that was removed meanwhile there is nothing to sign with, and no vote', async () => {
    const { page } = await registered(['401 *'])
    const { id } = await service.refund('sealed', { amount: 603 })
    await page.goto(`${service.url}/approvals/${id}`)
    await page.getByRole('radio', { name: 'Approve' }).check()
    await sees(page, 'signed with your passkey')
    await page.evaluate(removeAll)
    // The removal ends every session, also of what is on its way; this page looks again by itself, and has nothing to sign with.
    await sees(page, 'has to be signed with a passkey, and you have none')
    expect(await button(page, 'I agree to this').isDisabled()).toBe(true)
    await sees(page, '0 of 1 approved')
  })
})

/** What another page of the same person does, without a word to this one. */
const removeAll = `(async () => {
  const { passkeys } = await (await fetch('/v1/passkeys')).json()
  for (const { id } of passkeys) await fetch('/v1/passkeys/' + id, { method: 'DELETE' })
})()`
