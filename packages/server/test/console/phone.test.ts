import { beforeAll, expect, test } from 'vitest'
import type { ConsoleService, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import { isLoaded, isThere, overflowOf, sees, smallTargets } from './pages.ts'
import { expectUsable } from './usable.ts'
import type { Visitors } from './visitors.ts'

describeConsole('the console on a phone', (setting) => {
  let service: ConsoleService
  let visitors: Visitors
  let pat: Session
  beforeAll(() => {
    ;({ service, visitors, pat } = setting())
  })

  /** A payment with more parameters than a row has room for, its amount the last of them. */
  const pay = async (amount: number): Promise<string> => {
    const params = {
      city: 'Lyon',
      note: 'an '.repeat(40),
      purpose: 'Freight November',
      due: '2026-12-02',
      amount,
    }
    const { approval } = await service.decide('payer', { action: 'pay', params, callId: crypto.randomUUID() })
    return approval?.id ?? ''
  }

  test('the inbox shows three calls at once, each with its agent, action, amount and the time left', async () => {
    const ids = [await pay(1201), await pay(1202), await pay(1203)]
    const page = await visitors.openOnPhone('/', { session: pat })
    const rows = page.locator('.card')
    await isThere(rows.nth(2))
    const bottom = (await page.locator('.nav').boundingBox())?.y ?? 0
    for (const [nth, id] of ids.entries()) {
      const row = rows.filter({ has: page.locator(`a[href="/approvals/${id}"]`) })
      const box = await row.boundingBox()
      expect(box?.y).toBeGreaterThan(0)
      expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThan(bottom)
      for (const part of [
        row.getByRole('link', { name: 'pay' }),
        row.getByText('payer', { exact: true }),
        row.getByText(`EUR 1,20${nth + 1}.00`),
        row.locator('.countdown-digits'),
      ]) {
        const within = await part.boundingBox()
        expect(within?.y).toBeGreaterThanOrEqual(box?.y ?? 0)
        expect((within?.y ?? 0) + (within?.height ?? 0)).toBeLessThan((box?.y ?? 0) + (box?.height ?? 0))
      }
      expect(await row.getByRole('timer').getAttribute('aria-label')).toMatch(/^Time left: /)
    }
    await expectUsable(page, 'the inbox with three calls')
    for (const id of ids) await service.vote(pat, id, 'reject')
  })

  test('nothing that does harm stands beside the way to a call: Withdraw is on the other side of its card, and on a phone on its page', async () => {
    const olga = await service.sessionOf('olga@example.com', 'operator', 'approver')
    const { id } = await service.refund('support', { amount: 821 })
    const wide = await visitors.open('/', { session: olga })
    const card = wide.locator('.card')
    const withdraw = card.getByRole('button', { name: `Withdraw ${id}` })
    await isThere(withdraw)
    const [harm, way] = [
      await withdraw.boundingBox(),
      await card.getByText('Review', { exact: true }).boundingBox(),
    ]
    expect((way?.x ?? 0) - ((harm?.x ?? 0) + (harm?.width ?? 0))).toBeGreaterThan(200)

    const phone = await visitors.openOnPhone('/', { session: olga })
    await isThere(phone.locator(`a[href="/approvals/${id}"]`))
    expect(await phone.getByRole('button', { name: /^Withdraw/ }).count()).toBe(0)
    await phone.locator(`a[href="/approvals/${id}"]`).tap()
    await sees(phone, 'Takes the question back.')
    await phone.getByRole('button', { name: 'Withdraw…' }).tap()
    await isThere(phone.getByRole('dialog', { name: `Withdraw ${id}?` }))
    await service.vote(olga, id, 'reject')
  })

  test('the terms show the policy and its hash apart from one another, one below the other', async () => {
    const { id } = await service.refund('support', { amount: 822 })
    const page = await visitors.openOnPhone(`/approvals/${id}`, { session: pat })
    const policy = page.locator('.entry').filter({ hasText: 'Policy' }).locator('dd')
    await isThere(policy)
    expect(await policy.textContent()).toMatch(/^support [0-9a-f]{12}…$/)
    const [name, hash] = [
      await policy.getByText('support').boundingBox(),
      await policy.locator('.hash').boundingBox(),
    ]
    expect(hash?.y).toBeGreaterThanOrEqual((name?.y ?? 0) + (name?.height ?? 0))
    expect(hash?.x).toBe(name?.x)
    await service.vote(pat, id, 'reject')
  })

  test('every control of the inbox, of a call and of the decisions has 44 pixels for a finger, and 24 for whatever one points with', async () => {
    const olga = await service.sessionOf('olga@example.com', 'operator', 'approver')
    const first = await pay(1204)
    await service.vote(pat, first, 'approve')
    const params = { amount: 1205, iban: 'DE89370400440532013000', note: 'an '.repeat(80) }
    const asked = { action: 'pay', params, callId: crypto.randomUUID() }
    const id = (await service.decide('payer', asked)).approval?.id ?? ''
    const phone = await visitors.openOnPhone('/', { session: olga })
    const wide = await visitors.open('/', { session: olga })
    for (const [address, text] of [
      ['/', 'Recently closed'],
      [`/approvals/${id}`, 'Beside the last such call'],
      [`/approvals/${id}?answer=yes`, 'cannot be undone'],
      [`/approvals/${first}`, 'Approved, not used yet'],
      ['/decisions', 'Allowed'],
    ] as const) {
      for (const [page, least] of [
        [phone, 44],
        [wide, 24],
      ] as const) {
        await page.goto(service.url + address)
        await sees(page, text)
        await isLoaded(page)
        if (address === '/decisions') await page.getByRole('button', { name: 'More filters' }).click()
        const { measured, small } = await smallTargets(page, least)
        expect(measured).toBeGreaterThan(8)
        expect(small, `${address} with ${least} pixels`).toEqual([])
        expect(await overflowOf(page), address).toBe(0)
      }
    }
    await service.vote(pat, id, 'reject')
  })
})
