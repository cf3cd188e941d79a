import { beforeAll, describe, expect, test } from 'vitest'
import type { ConsoleService, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import { giveAnswer, isThere, sees, tabTo } from './pages.ts'
import { expectUsable } from './usable.ts'
import type { Visitors } from './visitors.ts'

/** An instant as a field for local time takes it. */
function localMinute(at: number): string {
  const date = new Date(at)
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

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
      await isThere(page.getByRole('dialog', { name: 'Suspend support?' }))
      await page.keyboard.type('Sends too many coupons')
      await tabTo(page, 'Suspend')
      await page.keyboard.press('Enter')
      await sees(page, 'Sends too many coupons')
      await isThere(page.getByRole('button', { name: 'Resume support' }))
      const denied = await support.check('apply_discount', { percent: 10 })
      expect(denied.effect).toBe('deny')
      expect(denied.reasons.join(' ')).toContain('Sends too many coupons')

      await tabTo(page, 'Resume support')
      await page.keyboard.press('Enter')
      await page.keyboard.type('Mended')
      await tabTo(page, 'Resume')
      await page.keyboard.press('Enter')
      await isThere(page.getByRole('button', { name: 'Suspend support' }))
      expect((await support.check('apply_discount', { percent: 10 })).effect).toBe('allow')
    })

    test('are suspended and resumed with the mouse, one of them, and the others go on', async () => {
      const routine = service.clientOf('routine')
      const page = await visitors.open('/agents', { session: olga })
      await page.getByRole('button', { name: 'Suspend routine' }).click()
      await page.getByLabel('Why, told to the agent').click()
      await page.keyboard.type('Too generous')
      await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click()
      await isThere(page.getByRole('button', { name: 'Resume routine' }))
      const card = page.getByRole('listitem').filter({ hasText: 'Too generous' })
      await isThere(card.getByText('Suspended', { exact: true }))
      await isThere(card.getByText(/by olga@example\.com/))
      await expectUsable(page, 'agents, one of them suspended')
      expect((await routine.check('apply_discount', {})).effect).toBe('deny')
      expect((await service.clientOf('support').check('apply_discount', {})).effect).toBe('allow')

      await page.getByRole('button', { name: 'Resume routine' }).click()
      await page.getByLabel('Why it may act again').click()
      await page.keyboard.type('Talked to')
      await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click()
      await isThere(page.getByRole('button', { name: 'Suspend routine' }))
      expect((await routine.check('apply_discount', {})).effect).toBe('allow')
    })

    test('are not suspended by a mere press, without a reason, or by who only answers approvals', async () => {
      const page = await visitors.open('/agents', { session: olga })
      await page.getByRole('button', { name: 'Suspend guarded' }).click()
      await page.getByRole('button', { name: 'Suspend', exact: true }).last().click()
      await page.keyboard.press('Escape')
      await isThere(page.getByRole('dialog'), 'detached')
      expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe('Suspend guarded')
      expect(await page.getByText('Suspended').count()).toBe(0)

      const other = await visitors.open('/agents', { session: pat })
      await isThere(other.getByRole('link', { name: 'guarded' }).first())
      expect(await other.getByRole('button', { name: /^Suspend/ }).count()).toBe(0)
    })

    test('are all suspended at once, and every page of theirs says so', async () => {
      const page = await visitors.open('/agents', { session: olga })
      await page.getByRole('button', { name: 'Suspend all agents' }).click()
      await page.getByLabel('Why, told to the agent').fill('Incident 7')
      await page.getByRole('button', { name: 'Suspend', exact: true }).last().click()
      await sees(page, 'All agents are suspended')
      await sees(page, 'Suspended with all')
      expect(await page.getByText('Active', { exact: true }).count()).toBe(0)
      await expectUsable(page, 'agents, all of them suspended')
      expect((await service.clientOf('guarded').check('export', {})).effect).toBe('deny')
      await page.getByRole('button', { name: 'Resume all agents' }).click()
      await page.getByLabel('Why it may act again').fill('Over')
      await page.getByRole('button', { name: 'Resume', exact: true }).last().click()
      await isThere(page.getByText('All agents are suspended'), 'detached')
    })
  })

  test('an approval is withdrawn from its page by keyboard alone, for a reason, and lets nothing through any more', async () => {
    const { id } = await service.refund('support', { amount: 640 })
    await service.vote(pat, id, 'approve')
    const page = await visitors.open(`/approvals/${id}`, { session: olga })
    await tabTo(page, 'Withdraw…')
    await page.keyboard.press('Enter')
    await isThere(page.getByRole('dialog', { name: `Withdraw ${id}?` }))
    await sees(page, 'This can’t be undone')
    await page.keyboard.type('The order was a mistake.')
    await tabTo(page, 'Withdraw it')
    await page.keyboard.press('Enter')
    await sees(page, /olga@example.com withdrew it/)
    await sees(page, 'The call is denied, and nothing has run. The agent may ask again, which is a new call.')
    await sees(page, 'The order was a mistake.')
    expect(await page.getByRole('button', { name: 'Withdraw…' }).count()).toBe(0)
    const claim = { action: 'issue_refund', params: { amount: 640 }, approvalId: id }
    expect(await service.decide('support', claim)).toMatchObject({ effect: 'deny' })

    const other = await visitors.open(`/approvals/${(await service.refund('support', { amount: 641 })).id}`, {
      session: pat,
    })
    await sees(other, 'Nothing is chosen yet')
    expect(await other.getByRole('button', { name: 'Withdraw…' }).count()).toBe(0)
  })

  describe('voting in somebody else’s stead', () => {
    test('is given with dates, asked about where it is not clear for whom, recorded with both names, and taken back', async () => {
      const pia = await service.sessionOf('pia@example.com')
      const dora = await service.sessionOf('dora@example.com', 'clerk')
      const page = await visitors.open('/delegations', {
        session: pat,
        refusals: ['400 /v1/delegations'],
      })
      await sees(page, 'Nobody votes in your stead.')
      await page.getByRole('button', { name: 'Let somebody vote' }).click()
      await page.getByLabel('Who casts them').fill('dora@example.com')
      await page.getByLabel('Until').fill('2020-01-01T12:00')
      await page.getByLabel('Why').fill('On leave')
      await page.getByRole('button', { name: 'Let them vote' }).click()
      await sees(page, /must lie after/)
      await page.getByLabel('Until').fill(localMinute(Date.now() + 86_400_000))
      await page.getByRole('button', { name: 'Let them vote' }).click()
      const given = page.getByRole('listitem').filter({ hasText: 'dora@example.com' })
      await isThere(given.getByText('In force'))

      // One name only: said, and no question.
      const first = await service.refund('support', { amount: 642 })
      const theirs = await visitors.open('/', { session: dora })
      await isThere(
        theirs.getByRole('listitem').filter({ hasText: 'In the stead of pat@example.com' }).first(),
      )
      await theirs.goto(`${service.url}/approvals/${first.id}`)
      await giveAnswer(theirs, 'approve')
      await sees(theirs, 'You approved this call, in the stead of pat@example.com')
      await sees(theirs, 'approved in the stead of pat@example.com')

      await service.delegate(pia, 'dora@example.com')
      const second = await service.refund('support', { amount: 643 })
      await theirs.goto(`${service.url}/approvals/${second.id}`)
      await theirs.getByRole('radio', { name: /^Reject/ }).check()
      const names = theirs.getByRole('group', { name: 'In whose name?' })
      await isThere(names)
      expect(await names.getByRole('radio', { checked: true }).count()).toBe(0)
      expect(await theirs.getByRole('button', { name: 'Reject this call' }).isDisabled()).toBe(true)
      await names.getByRole('radio', { name: 'In the stead of pia@example.com' }).check()
      await theirs.getByRole('button', { name: 'Reject this call' }).click()
      await sees(theirs, 'You rejected this call, in the stead of pia@example.com')

      await given.getByRole('button', { name: /^Revoke/ }).click()
      await page.getByLabel('Why, recorded with it').fill('Back again')
      await page.getByRole('button', { name: 'Revoke it' }).click()
      await isThere(given, 'detached')
      const third = await service.refund('finance', { amount: 644 })
      await theirs.goto(`${service.url}/approvals/${third.id}`)
      await sees(theirs, 'You can’t answer this one')
    })

    test('is given by administrators for others, whose delegations they see', async () => {
      for (const person of ['pia@example.com', 'sue@example.com']) await service.sessionOf(person)
      const page = await visitors.open('/delegations', { session: root })
      await page.getByRole('button', { name: 'Let somebody vote' }).click()
      await page.getByLabel('Whose votes').fill('pia@example.com')
      await page.getByLabel('Who casts them').fill('sue@example.com')
      await page.getByLabel('Until').fill(localMinute(Date.now() + 86_400_000))
      await page.getByLabel('Why').fill('Ill')
      await page.getByRole('button', { name: 'Let them vote' }).click()
      await sees(page, 'sue@example.com for pia@example.com')
      const other = await visitors.open('/delegations', { session: olga })
      await sees(other, 'Nobody votes in your stead.')
      expect(await other.getByText('pia@example.com').count()).toBe(0)
    })
  })

  test('the glass is broken by two, each for a reason, apart from the answer, and it is marked wherever it shows', async () => {
    const { id } = await service.refund('fragile', { amount: 645 })
    const page = await visitors.open(`/approvals/${id}`, { session: pat })
    await sees(page, 'You can’t answer this one')
    await sees(page, '0 of 2 have broken the glass')
    await page.getByRole('button', { name: 'Break the glass…' }).click()
    await sees(page, /told at once/)
    await isThere(page.getByRole('dialog').getByText('USD 645.00'))
    await page.getByRole('button', { name: 'Break the glass', exact: true }).click()
    expect(await service.votesOn(pat, id)).toEqual([])
    await page.getByLabel('Why it can’t wait').fill('The warehouse burns.')
    await page.getByRole('button', { name: 'Break the glass', exact: true }).click()
    await sees(page, 'You broke the glass for this call')
    await sees(page, '1 more person has to do the same before the deadline')

    const sam = await service.sessionOf('sam@example.com')
    const other = await visitors.open('/', { session: sam })
    await other.getByRole('listitem').filter({ hasText: 'Glass broken' }).getByRole('link').click()
    await other.getByRole('button', { name: 'Break the glass…' }).click()
    await sees(other, 'Yours is the last that is needed')
    await other.getByLabel('Why it can’t wait').fill('I see the smoke.')
    await other.getByRole('button', { name: 'Break the glass', exact: true }).click()
    await sees(other, 'It was let through in an emergency')
    await other.goto(`${service.url}/approvals?status=approved`)
    await isThere(other.getByRole('listitem').filter({ hasText: 'fragile' }).getByText('Glass broken'))

    // Whom the policy does not name for that is not offered it.
    const next = await service.refund('fragile', { amount: 646 })
    const theirs = await visitors.open(`/approvals/${next.id}`, { session: olga })
    await sees(theirs, 'You can’t answer this one')
    expect(await theirs.getByRole('button', { name: /Break the glass/ }).count()).toBe(0)
  })

  test('a yes is for one call, unless the person says for how many more like it and until when; and that is taken back', async () => {
    const ask = (params: object) =>
      service.decide('routine', { action: 'issue_refund', params: { ...params } })
    const { id } = await service.refund('routine', { amount: 700, order: 'A-1' })
    const page = await visitors.open(`/approvals/${id}`, { session: pat })
    await page.getByRole('radio', { name: /^Approve/ }).check()
    const more = page.getByRole('checkbox', { name: 'Also let more calls like it run' })
    expect(await more.isChecked()).toBe(false)
    await more.check()
    await sees(page, 'Amount (up to USD 700.00), Order (any)')
    const confirm = page.getByRole('button', { name: 'I agree to this' })
    const saysMissing = async (text: string): Promise<void> => {
      await sees(page, text)
      expect(await page.locator('#missing').textContent()).toBe(text)
      expect(await confirm.getAttribute('aria-describedby')).toBe('missing')
      expect(await confirm.isDisabled()).toBe(true)
    }
    await saysMissing('Say how many more calls may run, and until when.')
    await page.getByLabel(/^How many/).fill('4')
    await page.getByLabel('Until').selectOption({ index: 2 })
    await saysMissing('Say how many more calls may run: a whole number, at most 3.')
    await page.getByLabel(/^How many/).fill('')
    await saysMissing('Say how many more calls may run.')
    await page.getByLabel(/^How many/).fill('2')
    await page.getByLabel('Until').selectOption('')
    await saysMissing('Say until when more calls may run.')
    await page.getByLabel('Until').selectOption({ index: 2 })
    expect(await page.locator('#missing').count()).toBe(0)
    expect(await confirm.isEnabled()).toBe(true)
    await confirm.click()
    await sees(page, 'You approved this call')
    await sees(page, /and up to 2 more like it, until/)

    const allowed = await ask({ amount: 650, order: 'A-2' })
    expect(allowed.effect).toBe('allow')
    await page.goto(`${service.url}/decisions/${allowed.id}`)
    await sees(page, /use 1 of 2/)
    expect((await ask({ amount: 701, order: 'A-3' })).effect).toBe('escalate')

    await page.goto(`${service.url}/approvals`)
    await page.getByRole('link', { name: 'Standing grants' }).click()
    const listed = page.getByRole('listitem').filter({ hasText: 'routine' })
    await isThere(listed.getByText('1 left'))
    await isThere(listed.getByText('Amount (up to USD 700.00), Order (any)'))
    await tabTo(page, /^Revoke grt_/)
    await page.keyboard.press('Enter')
    await page.keyboard.type('That will do.')
    await tabTo(page, 'Revoke it')
    await page.keyboard.press('Enter')
    await sees(page, 'No grant is live')
    expect((await ask({ amount: 650, order: 'A-4' })).effect).toBe('escalate')

    // Without a word it is one call; and where the policy does not let people grant more, it is not offered.
    const one = await service.refund('routine', { amount: 710, order: 'A-5' })
    await page.goto(`${service.url}/approvals/${one.id}`)
    await giveAnswer(page, 'approve')
    await sees(page, 'You approved this call')
    expect((await ask({ amount: 700, order: 'A-6' })).effect).toBe('escalate')
    await page.goto(`${service.url}/approvals/${(await service.refund('support', { amount: 647 })).id}`)
    await page.getByRole('radio', { name: /^Approve/ }).check()
    await isThere(confirm)
    expect(await more.count()).toBe(0)
  })

  test('a policy is shown with the lines that rules are named by, as text whatever is in it', async () => {
    const page = await visitors.open('/policies', { session: pat })
    await page.getByRole('link', { name: 'payer', exact: true }).click()
    const source = page.getByRole('region', { name: 'Source of payer' })
    await isThere(source.getByText('# Above this, somebody looks at the account.'))
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
      await isThere(row.getByText('approver'))

      await page.getByRole('button', { name: 'Roles: new@example.com' }).click()
      await page.getByLabel(/^auditor/).check()
      await page.getByRole('button', { name: 'Change' }).click()
      await isThere(row.getByText('auditor'))

      await page.getByRole('button', { name: 'Sign-in link: new@example.com' }).click()
      await page.getByRole('button', { name: 'Make the link' }).click()
      // The service may name itself by another name than the browser does.
      const { pathname, hash } = new URL(await page.getByLabel('Shown this once').inputValue())
      await page.getByRole('button', { name: 'Done' }).click()
      // Once they are removed, their page is told so.
      const theirs = await visitors.open(pathname + hash, { refusals: ['401 /v1/approvals'] })
      await theirs.getByRole('button', { name: 'Sign in' }).click()
      await isThere(theirs.getByRole('heading', { name: 'Approvals', level: 1 }))

      await page.getByRole('button', { name: 'Remove: new@example.com' }).click()
      await page.getByRole('button', { name: 'Remove', exact: true }).last().click()
      await isThere(row, 'detached')
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
    await isThere(page.getByRole('button', { name: /^End the session/ }), 'detached')
    expect(await service.statusFor(there)).toBe(401)
    expect(await service.statusFor(here)).toBe(200)
  })
})
