import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { ConsoleService, Refund, Session } from './console-service.ts'
import { describeConsole } from './describe-console.ts'
import {
  addressOf,
  enter,
  focusedText,
  giveAnswer,
  isLive,
  isThere,
  offersAnswer,
  overflowOf,
  sees,
  tabTo,
} from './pages.ts'
import { expectUsable } from './usable.ts'
import type { Visitors } from './visitors.ts'

const iban = 'DE89370400440532013000'

/** Until the page has followed. */
const soon = { timeout: 10_000 }

describeConsole('the inbox', (setting) => {
  let service: ConsoleService
  let visitors: Visitors
  let pat: Session
  beforeAll(() => {
    ;({ service, visitors, pat } = setting())
  })

  const pay = async (params: object): Promise<Refund> => {
    const callId = crypto.randomUUID()
    const answer = await service.decide('payer', { action: 'pay', params: { ...params }, callId })
    return { callId, decision: answer.id, id: answer.approval?.id ?? '' }
  }

  describe('by keys', () => {
    test('j and k move, Enter opens, Escape goes back to the same row', async () => {
      const one = await service.refund('support', { amount: 701 })
      const two = await service.refund('support', { amount: 702 })
      const page = await visitors.open('/', { session: pat })
      await isThere(page.locator(`a[href="/approvals/${two.id}"]`))
      await page.keyboard.press('j')
      await page.keyboard.press('j')
      const second = await focusedAddress(page)
      await page.keyboard.press('Enter')
      await offersAnswer(page)
      expect(addressOf(page)).toBe(second)
      await page.keyboard.press('Escape')
      await isThere(page.getByRole('heading', { name: 'Approvals', level: 1 }))
      await expect.poll(() => focusedAddress(page), soon).toBe(second)
      await service.vote(pat, one.id, 'reject')
      await service.vote(pat, two.id, 'reject')
    })

    test('a and r open the answer with the choice made, and no key alone votes', async () => {
      const { id } = await service.refund('support', { amount: 703 })
      const page = await visitors.open('/', { session: pat })
      const row = page.locator(`a[href="/approvals/${id}"]`)
      await row.focus()
      await page.keyboard.press('r')
      await isThere(page.getByRole('button', { name: 'Reject this call' }))
      expect(addressOf(page)).toBe(`/approvals/${id}`)
      expect(await focusedTag(page)).toBe('TEXTAREA')

      // What is typed is a comment, whatever the letters.
      await page.keyboard.type('ar?')
      expect(await page.getByLabel('Comment').inputValue()).toBe('ar?')
      await page.keyboard.press('Escape')
      await sees(page, 'Nothing is chosen yet')
      expect(await page.getByRole('radio', { checked: true }).count()).toBe(0)
      await page.keyboard.press('a')
      await isThere(page.getByRole('button', { name: 'I agree to this' }))
      expect(await service.votesOn(pat, id)).toEqual([])

      await tabTo(page, 'I agree to this')
      await page.keyboard.press('Enter')
      await sees(page, 'You approved this call')
      expect(await service.votesOn(pat, id)).toEqual(['approve'])
    })

    test('a call is found with j and k, rejected with r, a reason and the button, and never runs', async () => {
      const run = vi.fn<() => void>()
      const others = [
        await service.refund('support', { amount: 713 }),
        await service.refund('support', { amount: 714 }),
      ]
      const { id, callId } = await service.refund('support', { amount: 715 })
      const governed = service.clientOf('support').govern('issue_refund', { amount: 715 }, run, { callId })
      const page = await visitors.open('/', { session: pat })
      await isThere(page.locator(`a[href="/approvals/${id}"]`))
      const wanted = `/approvals/${id}`
      // One row too far, and back.
      for (let rows = 0; rows < 5 && (await focusedAddress(page)) !== wanted; rows++)
        await page.keyboard.press('j')
      await page.keyboard.press('k')
      expect(await focusedAddress(page)).not.toBe(wanted)
      await page.keyboard.press('j')
      expect(await focusedAddress(page)).toBe(wanted)

      await page.keyboard.press('r')
      await isThere(page.getByRole('button', { name: 'Reject this call' }))
      await page.keyboard.type('The receipt is of another shop.')
      expect(await service.votesOn(pat, id)).toEqual([])
      await enter(page, 'Reject this call')

      expect(await governed).toMatchObject({ kind: 'withheld', approval: 'rejected' })
      expect(run).not.toHaveBeenCalled()
      await sees(page, 'You rejected this call')
      await sees(page, 'The receipt is of another shop.')
      expect(await focusedText(page)).toContain('You rejected this call')
      expect(await service.votesOn(pat, id)).toEqual(['reject'])
      for (const other of others) await service.vote(pat, other.id, 'reject')
    })

    test('on a call, j and k go to the next and the previous one that waits', async () => {
      const one = await service.refund('support', { amount: 704 })
      const two = await service.refund('support', { amount: 705 })
      const page = await visitors.open(`/approvals/${one.id}`, { session: pat })
      await sees(page, /1 of 2 waiting/)
      await page.keyboard.press('j')
      await sees(page, /2 of 2 waiting/)
      expect(addressOf(page)).toBe(`/approvals/${two.id}`)
      await page.keyboard.press('k')
      await sees(page, /1 of 2 waiting/)
      await service.vote(pat, one.id, 'reject')
      await service.vote(pat, two.id, 'reject')
    })

    test('? shows the keys, and they can be turned off for good', async () => {
      const { id } = await service.refund('support', { amount: 706 })
      const page = await visitors.open('/', { session: pat })
      await isThere(page.locator(`a[href="/approvals/${id}"]`))
      await page.keyboard.press('?')
      await isThere(page.getByRole('dialog', { name: 'Keys' }))
      await page.getByLabel('Shortcuts of one letter').uncheck()
      await page.keyboard.press('Escape')
      await isThere(page.getByRole('dialog'), 'detached')
      await page.keyboard.press('?')
      await page.keyboard.press('j')
      expect(await page.getByRole('dialog').count()).toBe(0)
      expect(await focusedAddress(page)).toBeNull()
      await page.reload()
      await isThere(page.locator(`a[href="/approvals/${id}"]`))
      await page.keyboard.press('j')
      expect(await focusedAddress(page)).toBeNull()
      await service.vote(pat, id, 'reject')
    })
  })

  test('nothing is chosen beforehand, also not by a link or a reload, and that there is no way back is said before', async () => {
    const { id } = await service.refund('support', { amount: 707 })
    const page = await visitors.open(`/approvals/${id}`, { session: pat })
    await sees(page, 'An answer can’t be undone')
    expect(await page.getByRole('radio', { checked: true }).count()).toBe(0)
    expect(await page.getByRole('button', { name: 'I agree to this' }).count()).toBe(0)

    await page.goto(`${service.url}/approvals/${id}?answer=yes`)
    await isThere(page.getByRole('button', { name: 'I agree to this' }))
    expect(addressOf(page)).toBe(`/approvals/${id}`)
    await sees(page, /cannot be undone or changed/)
    await page.reload()
    await sees(page, 'Nothing is chosen yet')
    expect(await page.getByRole('radio', { checked: true }).count()).toBe(0)
    await service.vote(pat, id, 'reject')
  })

  test('to have looked is not to agree: the words differ, and so does what is recorded', async () => {
    const asked = { action: 'publish', params: { audience: 5000 }, callId: 'post-1' }
    const { approval } = await service.decide('reviewed', asked)
    const page = await visitors.open(`/approvals/${approval?.id}`, { session: pat })
    await sees(page, '0 of 1 have looked')
    await sees(page, 'That people have looked at it')
    await page.keyboard.press('a')
    await isThere(page.getByRole('button', { name: 'I have looked at this' }))
    expect(await page.getByRole('button', { name: 'I agree to this' }).count()).toBe(0)
    await giveAnswer(page, 'acknowledge')
    await sees(page, 'You looked at this call')
    expect(await service.votesOn(pat, approval?.id ?? '')).toEqual(['acknowledge'])
  })

  describe('what is void, as the policy has changed since,', () => {
    test('has no form and no countdown, says why, and is not the reader’s to answer', async () => {
      const good = await service.refund('support', { amount: 716 })
      const { id } = await service.refundUnderEarlierPolicy('support', { amount: 717 })
      const page = await visitors.open('/', { session: pat })
      const card = page.locator('li').filter({ has: page.locator(`a[href="/approvals/${id}"]`) })
      await isThere(card.getByText('Void: policy changed'))
      expect(await card.getByText('Review', { exact: true }).count()).toBe(0)
      expect(await card.getByRole('timer').count()).toBe(0)
      expect(await card.getByRole('checkbox').count()).toBe(0)
      const answerable = page.locator('[data-answerable]')
      expect(await answerable.count()).toBe(1)
      expect(await answerable.getAttribute('href')).toBe(`/approvals/${good.id}`)

      await page.goto(`${service.url}/approvals/${id}?answer=yes`)
      await sees(page, 'The policy of support has changed since this was asked.')
      await sees(
        page,
        'Whatever is answered, the call is denied; the agent has to ask again. Nothing has run.',
      )
      await page.keyboard.press('a')
      await offersAnswer(page, false)
      expect(await page.getByRole('timer').count()).toBe(0)
      await expectUsable(page, 'a void approval')
      await service.vote(pat, good.id, 'reject')
      await service.vote(pat, id, 'reject')
    })

    test('is not said to let a call run where it was approved, and one under the policy in force is', async () => {
      const good = await service.refund('support', { amount: 718 })
      const { id } = await service.refundUnderEarlierPolicy('support', { amount: 719 })
      for (const each of [good.id, id]) await service.vote(pat, each, 'approve')
      const page = await visitors.open('/approvals?status=approved', { session: pat })
      const row = page.locator('li').filter({ has: page.locator(`a[href="/approvals/${id}"]`) })
      await isThere(row.getByText('Void: policy changed'))
      await page.goto(`${service.url}/approvals/${id}`)
      await sees(page, 'The call is denied all the same; the agent has to ask again. Nothing has run.')
      expect(await page.getByText('may run this call once').count()).toBe(0)
      await page.goto(`${service.url}/approvals/${good.id}`)
      await sees(page, /may run this call once/)
      expect(await page.getByText('nothing has run').count()).toBe(0)
    })
  })

  test('parameters are shown as people read them, with the rule in words and beside the last such call', async () => {
    await service.decide('payer', {
      action: 'pay',
      params: { amount: 40, iban, due: '2026-11-01', city: 'Lyon' },
    })
    const { id } = await pay({
      amount: 6000,
      iban,
      due: '2026-12-01',
      city: 'Lyon',
      tags: ['urgent', 'abroad'],
      note: `${'please '.repeat(60)}hurry`,
    })
    const page = await visitors.open('/', { session: pat })
    await isThere(page.getByRole('listitem').filter({ hasText: 'EUR 6,000.00' }))
    await page.goto(`${service.url}/approvals/${id}`)
    await sees(page, 'EUR 6,000.00')
    await sees(page, /1 December 2026/)
    await sees(page, 'Payments above 500 need a person')
    await page.getByText('As the policy says it').click()
    await sees(page, '# Above this, somebody looks at the account.')
    await isThere(page.getByRole('link', { name: 'Why this rule is there' }))

    const table = page.getByRole('table')
    await isThere(table.getByRole('row').filter({ hasText: 'Amount' }).getByText('EUR 40.00'))
    expect(await table.getByRole('row').filter({ hasText: 'City' }).count()).toBe(0)
    await sees(page, /1 hidden, and not compared/)
    await sees(page, /of the last \d+/)

    expect(await page.getByText('hurry').filter({ visible: true }).count()).toBe(0)
    await page.getByText(/characters: show all of it/).click()
    await sees(page, /hurry/)
    await service.vote(pat, id, 'reject')
  })

  test('the terms say in words in which hours time runs, and who is asked as well, from when on', async () => {
    const { id } = await service.refund('patient', { amount: 605 })
    const page = await visitors.open(`/approvals/${id}`, { session: pat })
    await sees(page, 'Monday to Friday, 09:00 to 17:00 by the clocks of Europe/Berlin')
    await sees(page, '8 hours within the hours')
    const later = page.getByRole('listitem').filter({ hasText: 'people with the role cfo' })
    expect(await later.textContent()).toMatch(
      /^people with the role cfo, from \d{1,2} \w+ \d{4}, \d\d:\d\d \S+ on, after 2 hours within the hours$/,
    )
    await service.vote(pat, id, 'reject')
  })

  test('the deadline is told to the minute by the reader’s clocks, and exactly on demand', async () => {
    const { id } = await service.refund('support', { amount: 606 })
    for (const [timezoneId, zone] of [
      ['America/Phoenix', 'GMT-7'],
      ['Asia/Kolkata', 'GMT+5:30'],
    ] as const) {
      const page = await visitors.open(`/approvals/${id}`, { session: pat, timezoneId })
      const deadline = page.getByRole('definition').filter({ hasText: zone }).locator('time')
      await isThere(deadline)
      const told = (await deadline.textContent()) ?? ''
      expect(told).toMatch(/^\d{1,2} \w+ \d{4}, \d\d:\d\d GMT[-+:\d]+$/)
      const [day = ''] = told.split(' GMT')
      const exact = (await deadline.getAttribute('title')) ?? ''
      expect(exact.startsWith(`${day}:`)).toBe(true)
      expect(exact).toMatch(/:\d\d\.\d{3} GMT/)
      expect(await deadline.getAttribute('datetime')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    }
    await service.vote(pat, id, 'reject')
  })

  test('who may answer is shown by name, and so is who has', async () => {
    const sam = await service.sessionOf('sam@example.com')
    const { id } = await service.refund('careful', { amount: 708 })
    await service.vote(sam, id, 'approve')
    const page = await visitors.open(`/approvals/${id}`, { session: pat })
    await sees(page, '1 of 2 approved')
    const voters = page.getByRole('heading', { name: 'Who may answer' }).locator('..')
    await isThere(voters.getByText('pat@example.com (you)'))
    expect(await voters.getByText('sam@example.com').count()).toBe(0)
    expect(await voters.getByText('It takes').count()).toBe(0)
    await service.vote(pat, id, 'reject')
  })

  describe('what is masked', () => {
    test('is revealed by keyboard, for a reason, to who is asked, and forgotten with the page', async () => {
      const { id } = await pay({ amount: 601, iban })
      const page = await visitors.open(`/approvals/${id}`, { session: pat })
      await sees(page, 'Hidden')
      expect(await page.content()).not.toContain(iban)
      await tabTo(page, 'Reveal Iban')
      await page.keyboard.press('Enter')
      await isThere(page.getByRole('dialog', { name: 'Reveal “Iban”?' }))
      await page.keyboard.type('To compare it with the order.')
      await tabTo(page, 'Reveal and record')
      await page.keyboard.press('Enter')
      await sees(page, iban)
      await sees(page, /shown to you, as record \d+ says/)
      expect(await page.evaluate('document.activeElement.textContent')).toContain(iban)
      await page.reload()
      await sees(page, 'Hidden')
      expect(await page.content()).not.toContain(iban)
      await service.vote(pat, id, 'reject')
    })

    test('is not revealed without a reason, and Escape closes the question', async () => {
      const { id, decision } = await pay({ amount: 602, iban })
      const page = await visitors.open(`/approvals/${id}`, { session: pat })
      await page.getByRole('button', { name: 'Reveal Iban' }).click()
      await page.getByRole('button', { name: 'Reveal and record' }).click()
      expect(await page.getByText(iban).count()).toBe(0)
      await page.keyboard.press('Escape')
      await isThere(page.getByRole('dialog'), 'detached')
      expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe('Reveal Iban')

      // Once it no longer waits, it is not theirs to see.
      await giveAnswer(page, 'reject')
      await sees(page, 'You rejected this call')
      await page.goto(`${service.url}/decisions/${decision}`)
      await sees(page, 'for people who are asked about this call, and for auditors')
      expect(await page.getByRole('button', { name: /Reveal/ }).count()).toBe(0)
    })

    test('is revealed to an auditor in a decision that waits for nobody', async () => {
      const { decision } = await pay({ amount: 3, iban })
      const session = await service.sessionOf('audrey@example.com', 'auditor')
      const page = await visitors.open(`/decisions/${decision}`, { session })
      await page.getByRole('button', { name: 'Reveal Iban' }).click()
      await page.getByLabel('Why you need to see it').fill('Yearly audit.')
      await page.getByRole('button', { name: 'Reveal and record' }).click()
      await sees(page, iban)
    })
  })

  describe('news', () => {
    test('makes no sound and no notification unless somebody asked for it', async () => {
      const page = await visitors.open('/', { session: pat, permissions: ['notifications'] })
      await spyOnNotifications(page)
      await isLive(page)
      const { id } = await service.refund('support', { amount: 709 })
      await isThere(page.locator(`a[href="/approvals/${id}"]`))
      expect(await notified(page)).toEqual([])

      await page.getByRole('button', { name: 'Notifications' }).click()
      await isThere(page.getByRole('button', { name: 'Notifications', pressed: true }))
      const next = await service.refund('support', { amount: 710 })
      await isThere(page.locator(`a[href="/approvals/${next.id}"]`))
      await expect.poll(() => notified(page), soon).toEqual(['New approval waits: issue_refund by support'])
      // Not of what is for others to answer.
      const { id: theirs } = await service.refund('finance', { amount: 711 })
      await isThere(page.locator(`a[href="/approvals/${theirs}"]`))
      expect(await notified(page)).toHaveLength(1)
      for (const each of [id, next.id]) await service.vote(pat, each, 'reject')
    })

    test('is heard once for each new approval that is for the reader to answer, where sound is on, and never where it is off', async () => {
      const page = await visitors.open('/', { session: pat })
      await spyOnSound(page)
      await isLive(page)
      const asked: string[] = []
      /** A new call, once the page has told of it. */
      const hears = async (agent: 'support' | 'careful' | 'finance', amount: number): Promise<void> => {
        const { id } = await service.refund(agent, { amount })
        asked.push(id)
        await isThere(page.locator(`a[href="/approvals/${id}"]`))
        await isThere(page.getByRole('status').getByText(`New approval waits: issue_refund by ${agent}`))
      }
      await hears('support', 716)
      expect(await heard(page)).toEqual([])

      const sound = page.getByRole('button', { name: 'Sound' })
      await sound.click()
      await isThere(page.getByRole('button', { name: 'Sound', pressed: true }))
      await expect.poll(() => heard(page), soon).toEqual(['played'])

      await hears('careful', 717)
      await expect.poll(() => heard(page), soon).toEqual(['played', 'played'])
      // What becomes of it is no new approval, and what others answer is none of the reader's.
      await service.vote(await service.sessionOf('sam@example.com'), asked.at(-1) ?? '', 'approve')
      await sees(page, '1 of 2 approved')
      await hears('finance', 718)
      expect(await heard(page)).toEqual(['played', 'played'])

      await sound.click()
      await isThere(page.getByRole('button', { name: 'Sound', pressed: false }))
      await hears('support', 719)
      expect(await heard(page)).toEqual(['played', 'played'])

      // It is chosen for this device: the next page knows it, and what waits there already is not news.
      await sound.click()
      await expect.poll(() => heard(page), soon).toEqual(['played', 'played', 'played'])
      await page.reload()
      await isThere(page.getByRole('button', { name: 'Sound', pressed: true }))
      await isThere(page.locator(`a[href="/approvals/${asked[0]}"]`))
      expect(await heard(page)).toEqual([])
      await hears('support', 720)
      await expect.poll(() => heard(page), soon).toEqual(['played'])
      for (const id of asked) if (id !== asked[2]) await service.vote(pat, id, 'reject')
    })
  })

  test('on a phone the last step says once more who asks for what, with the amount, and an amount stays on its line', async () => {
    await pay({ amount: 640, iban, city: 'Lyon' })
    const { id } = await pay({ amount: 1234567.89, iban, city: 'Rome', a: 1, b: 2, c: 3 })
    const page = await visitors.openOnPhone(`/approvals/${id}`, { session: pat })
    const table = page.getByRole('table')
    await isThere(table.getByText('EUR 1,234,567.89'))
    expect(await table.locator('span.number').count()).toBe(5)
    expect(await brokenNumbers(page)).toEqual([])
    const inShort = page.getByRole('group', { name: 'What you answer' })
    expect(await inShort.count()).toBe(0)
    await page.getByRole('button', { name: 'Approve…' }).tap()
    await isThere(inShort.getByText('payer asks to run pay'))
    await isThere(inShort.getByText('EUR 1,234,567.89'))
    await sees(page, 'and 2 more parameters, under Parameters')
    expect(await inShort.textContent()).not.toContain(iban)
    // It is in sight together with the button.
    const [box, confirm] = [
      await inShort.boundingBox(),
      await page.getByRole('button', { name: 'I agree to this' }).boundingBox(),
    ]
    expect((confirm?.y ?? 0) + (confirm?.height ?? 0) - (box?.y ?? 0)).toBeLessThan(700)
    expect(await brokenNumbers(page)).toEqual([])
    await expectUsable(page, 'the last step before an answer')
    await service.vote(pat, id, 'reject')
  })

  test('on a phone the way to the answer is in reach, opens it, and covers nothing that is needed', async () => {
    const { id } = await service.refund('support', { amount: 712 })
    const page = await visitors.openOnPhone(`/approvals/${id}`, { session: pat })
    await page.getByRole('button', { name: 'Approve…' }).tap()
    const confirm = page.getByRole('button', { name: 'I agree to this' })
    await isThere(confirm)
    expect(await page.getByRole('button', { name: 'Approve…' }).count()).toBe(0)
    expect(await overflowOf(page)).toBe(0)
    // A field with the focus would bring up a keyboard, over what is agreed to.
    expect(await focusedTag(page)).toBe('DIV')
    expect(await focusedText(page)).toContain('712.00')
    await confirm.tap()
    await sees(page, 'You approved this call')
    await isThere(page.getByRole('link', { name: 'Decisions' }).first())
  })
})

/** Numbers that begin on one line and end on another. */
function brokenNumbers(page: Page): Promise<readonly string[]> {
  return page.evaluate<string[]>(`[...document.querySelectorAll('span.number')]
    .filter((number) => number.getClientRects().length > 1)
    .map((number) => number.textContent)`)
}

function focusedAddress(page: Page): Promise<string | null> {
  return page.evaluate<string | null>('document.activeElement.getAttribute("href")')
}

function focusedTag(page: Page): Promise<string> {
  return page.evaluate<string>('document.activeElement.tagName')
}

/**
 * Keeps what the page asks the system to show; the system itself, and that it was allowed to, is the edge of what can be tested
 * here: a browser without windows allows nothing.
 */
async function spyOnNotifications(page: Page): Promise<void> {
  await page.addInitScript(`
    window.notified = []
    const Original = window.Notification
    window.Notification = class extends Original {
      static get permission() { return 'granted' }
      constructor(title, options) { super(title, options); window.notified.push(title) }
    }
  `)
  await page.reload()
}

function notified(page: Page): Promise<readonly string[]> {
  return page.evaluate<string[]>('window.notified')
}

/**
 * Keeps what the page has played: `played` once all of a sound has been heard, by the clock of the browser's audio, and
 * `begun` until then. The loudspeaker is the edge of what can be tested here.
 */
async function spyOnSound(page: Page): Promise<void> {
  await page.addInitScript(`
    window.heard = []
    window.AudioContext = class extends window.AudioContext {
      constructor(...options) {
        super(...options)
        const at = window.heard.push('silent') - 1
        let tones = 0
        const create = this.createOscillator.bind(this)
        this.createOscillator = () => {
          const tone = create()
          const start = tone.start.bind(tone)
          tone.start = (...when) => {
            tones += 1
            window.heard[at] = 'begun'
            start(...when)
          }
          tone.addEventListener('ended', () => { if ((tones -= 1) === 0) window.heard[at] = 'played' })
          return tone
        }
      }
    }
    const play = HTMLMediaElement.prototype.play
    HTMLMediaElement.prototype.play = function () {
      window.heard.push('media')
      return play.call(this)
    }
  `)
  await page.reload()
}

function heard(page: Page): Promise<readonly string[]> {
  return page.evaluate<string[]>('window.heard')
}
