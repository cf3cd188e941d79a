import { beforeAll, describe, expect, test } from 'vitest'
import type { ConsoleService, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import { sees, tabTo } from './pages.ts'
import type { Visitors } from './visitors.ts'

describeConsole('operating', (setting) => {
  let service: ConsoleService
  let visitors: Visitors
  let pat: Session
  let olga: Session
  let root: Session
  beforeAll(async () => {
    ;({ service, visitors, pat } = setting())
    olga = await service.sessionOf('olga@example.com', 'operator')
    root = await service.sessionOf('root@example.com', 'administrator')
  })

  describe('agents', () => {
    test('are suspended and resumed by keyboard alone, for a reason, and that holds from the next call on', async () => {
      const support = service.clientOf('support')
      await support.check('apply_discount', { percent: 10 })
      const page = await visitors.open('/agents', { session: olga })
      await sees(page, /1 allowed/)
      await tabTo(page, 'Suspend support')
      await page.keyboard.press('Enter')
      await page.getByRole('dialog', { name: 'Suspend support?' }).waitFor()
      await page.keyboard.type('Sends too many coupons')
      await tabTo(page, 'Suspend')
      await page.keyboard.press('Enter')
      await sees(page, 'Sends too many coupons')
      await page.getByRole('button', { name: 'Resume support' }).waitFor()
      const denied = await support.check('apply_discount', { percent: 10 })
      expect(denied.effect).toBe('deny')
      expect(denied.reasons.join(' ')).toContain('Sends too many coupons')

      await tabTo(page, 'Resume support')
      await page.keyboard.press('Enter')
      await page.keyboard.type('Mended')
      await tabTo(page, 'Resume')
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: 'Suspend support' }).waitFor()
      expect((await support.check('apply_discount', { percent: 10 })).effect).toBe('allow')
    })

    test('are not suspended by a mere press, without a reason, or by who only answers approvals', async () => {
      const page = await visitors.open('/agents', { session: olga })
      await page.getByRole('button', { name: 'Suspend guarded' }).click()
      await page.getByRole('button', { name: 'Suspend', exact: true }).last().click()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe('Suspend guarded')
      expect(await page.getByText('Suspended').count()).toBe(0)

      const other = await visitors.open('/agents', { session: pat })
      await other.getByRole('link', { name: 'guarded' }).first().waitFor()
      expect(await other.getByRole('button', { name: /^Suspend/ }).count()).toBe(0)
    })

    test('are all suspended at once, and every page of theirs says so', async () => {
      const page = await visitors.open('/agents', { session: olga })
      await page.getByRole('button', { name: 'Suspend all agents' }).click()
      await page.getByLabel('Why, told to the agent').fill('Incident 7')
      await page.getByRole('button', { name: 'Suspend', exact: true }).last().click()
      await sees(page, 'All agents are suspended')
      expect((await service.clientOf('guarded').check('export', {})).effect).toBe('deny')
      await page.getByRole('button', { name: 'Resume all agents' }).click()
      await page.getByLabel('Why it may act again').fill('Over')
      await page.getByRole('button', { name: 'Resume', exact: true }).last().click()
      await page.getByText('All agents are suspended').waitFor({ state: 'detached' })
    })
  })

  test('a policy is shown with the lines that rules are named by, as text whatever is in it', async () => {
    const page = await visitors.open('/policies', { session: pat })
    await page.getByRole('link', { name: 'payer', exact: true }).click()
    const source = page.getByRole('region', { name: 'Source of payer' })
    await source.getByText('# Above this, somebody looks at the account.').waitFor()
    const lines = await source.getByRole('listitem').allTextContents()
    expect(lines[0]?.trim()).toBe('agent_id: payer')
    await sees(page, 'In force')
    await sees(page, 'Enforced')
  })

  describe('people and keys', () => {
    test('a person is added, given other roles, signed in by a link that is shown once, and removed', async () => {
      const page = await visitors.open('/people', { session: root })
      await page.getByRole('button', { name: 'Add a person' }).click()
      await page.getByLabel('E-mail address').fill('new@example.com')
      await page.getByLabel(/^approver/).check()
      await page.getByRole('button', { name: 'Add', exact: true }).click()
      const row = page.getByRole('listitem').filter({ hasText: 'new@example.com' })
      await row.getByText('approver').waitFor()

      await page.getByRole('button', { name: 'Roles: new@example.com' }).click()
      await page.getByLabel(/^auditor/).check()
      await page.getByRole('button', { name: 'Change' }).click()
      await row.getByText('auditor').waitFor()

      await page.getByRole('button', { name: 'Sign-in link: new@example.com' }).click()
      await page.getByRole('button', { name: 'Make the link' }).click()
      // The service may name itself by another name than the browser does.
      const { pathname, hash } = new URL(await page.getByLabel('Shown this once').inputValue())
      await page.getByRole('button', { name: 'Done' }).click()
      const theirs = await visitors.open(pathname + hash)
      await theirs.getByRole('button', { name: 'Sign in' }).click()
      await theirs.getByRole('heading', { name: 'Approvals', level: 1 }).waitFor()

      await page.getByRole('button', { name: 'Remove: new@example.com' }).click()
      await page.getByRole('button', { name: 'Remove', exact: true }).last().click()
      await row.waitFor({ state: 'detached' })
    })

    test('a key is made and shown once, speaks for its agent, and is revoked', async () => {
      const page = await visitors.open('/people?show=keys', { session: root })
      await page.getByRole('button', { name: 'Make a key' }).click()
      await page.getByLabel('Agent').fill('support')
      await page.getByRole('button', { name: 'Make the key' }).click()
      const key = await page.getByLabel('Shown this once').inputValue()
      await page.getByRole('button', { name: 'Done' }).click()
      const ask = async (): Promise<number> => {
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
        const body = JSON.stringify({ action: 'apply_discount', params: {} })
        return (await fetch(`${service.url}/v1/decisions`, { method: 'POST', headers, body })).status
      }
      expect(await ask()).toBe(200)
      expect(await page.content()).not.toContain(key)
      await page
        .getByRole('button', { name: /^Revoke the key/ })
        .first()
        .click()
      await page.getByRole('button', { name: 'Revoke', exact: true }).last().click()
      await sees(page, 'Revoked')
      expect(await ask()).toBe(401)
    })

    test('are not shown to who may not see them', async () => {
      const page = await visitors.open('/people', { session: pat })
      await sees(page, 'This page is for administrators')
      expect(await page.getByRole('navigation', { name: 'Main' }).getByText('People').count()).toBe(0)
    })
  })

  test('one’s other sessions are ended on the account page', async () => {
    const here = await service.sessionOf('two@example.com')
    const there = await service.sessionOf('two@example.com')
    const page = await visitors.open('/account', { session: here })
    await sees(page, 'This one')
    await page.getByRole('button', { name: /^End the session/ }).click()
    await page.getByRole('button', { name: /^End the session/ }).waitFor({ state: 'detached' })
    expect(await service.statusFor(there)).toBe(401)
    expect(await service.statusFor(here)).toBe(200)
  })
})
