import { readFile } from 'node:fs/promises'
import { errors, type CDPSession, type Locator, type Page, type Request } from 'playwright-core'

/** Waits until the page shows the text. */
export async function sees(page: Page, text: string | RegExp): Promise<void> {
  await isThere(page.getByText(text).filter({ visible: true }).first())
}

/** Waits until the service tells the page of its news by itself. */
export async function isLive(page: Page): Promise<void> {
  await isThere(page.getByText('Live', { exact: true }))
}

type State = 'attached' | 'visible' | 'detached' | 'hidden'

/** Waits until nothing of the page is being loaded. */
export async function isLoaded(page: Page): Promise<void> {
  await isThere(page.getByText('Loading', { exact: true }).first(), 'detached')
}

/**
 * Waits for what is looked for, as `waitFor` does, for a quarter of a minute. Whoever gives `waitFor` that long has it look
 * twice in a second, which most of the tests' time would go by with; whoever gives it less, ten times.
 */
export async function isThere(locator: Locator, state: State = 'visible'): Promise<void> {
  for (let tries = 6; ; tries -= 1) {
    try {
      await locator.waitFor({ state, timeout: 2_400 })
      return
    } catch (error) {
      if (!(error instanceof errors.TimeoutError) || tries === 1) throw error
    }
  }
}

/** The words with which an answer is chosen, and those with which it is given. */
const answers = {
  approve: { option: /^Approve/, button: 'I agree to this' },
  acknowledge: { option: /^Acknowledge/, button: 'I have looked at this' },
  reject: { option: /^Reject/, button: 'Reject this call' },
} as const

/** Answers the approval on the page: chooses, writes the comment if there is one, and confirms. */
export async function giveAnswer(page: Page, choice: keyof typeof answers, comment?: string): Promise<void> {
  const { option, button } = answers[choice]
  await page.getByRole('radio', { name: option }).check()
  if (comment !== undefined) await page.getByLabel('Comment').fill(comment)
  await page.getByRole('button', { name: button }).click()
}

/** Waits until the page offers an answer, or, with false, until it does not any more. */
export async function offersAnswer(page: Page, offers = true): Promise<void> {
  await isThere(page.getByRole('radio', { name: /^Reject/ }), offers ? 'visible' : 'detached')
}

/** Leaves a mark that a reload would wipe away. */
export async function markLoaded(page: Page): Promise<void> {
  await page.evaluate('window.loadedOnce = true')
}

/** Whether the page is still the one that was marked. */
export function isStillLoaded(page: Page): Promise<boolean> {
  return page.evaluate<boolean>('window.loadedOnce === true')
}

/** The path that the address bar shows, with whatever follows it. */
export function addressOf(page: Page): string {
  const { pathname, search, hash } = new URL(page.url())
  return pathname + search + hash
}

/** Goes to a path of the console as its links do: without loading the page anew. */
export async function goTo(page: Page, address: string): Promise<void> {
  await page.evaluate(`history.pushState(null, '', ${JSON.stringify(address)})
    dispatchEvent(new PopStateEvent('popstate'))
    new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))`)
}

/** Waits until the page has been painted anew. */
export async function frames(page: Page): Promise<void> {
  await page.evaluate('new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))')
}

/** How many pixels of the page lie beyond the right edge. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}

/** Holds back requests that match, until they are let go. */
export async function holdRequests(
  page: Page,
  matches: (request: Request) => boolean,
): Promise<{ readonly arrived: Promise<void>; release(): void }> {
  const arrived = signal()
  const released = signal()
  await page.route('**/*', async (route) => {
    if (!matches(route.request())) return await route.fallback()
    arrived.give()
    await released.given
    return await route.continue()
  })
  return { arrived: arrived.given, release: released.give }
}

function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = (): void => undefined
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give }
}

const tabsMax = 60

/** Goes to the element by Tab and presses Enter there. */
export async function enter(page: Page, target: string | RegExp): Promise<void> {
  await tabTo(page, target)
  await page.keyboard.press('Enter')
}

/** Goes to the field by Tab, types the text in the place of what stands there, and presses Enter. */
export async function typeInto(page: Page, field: string | RegExp, text: string): Promise<void> {
  await tabTo(page, field)
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type(text)
  await page.keyboard.press('Enter')
}

/** The text of what has the focus. */
export function focusedText(page: Page): Promise<string> {
  return page.evaluate<string>("document.activeElement.textContent ?? ''")
}

/**
 * Presses Tab until the element of this name, or the link to this address, has the focus.
 *
 * @throws where Tab never gets there, or nobody could see that it has
 */
export async function tabTo(page: Page, target: string | RegExp): Promise<void> {
  const passed: string[] = []
  for (let tabs = 0; tabs < tabsMax; tabs++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate<{ name: string; href: string | null; isSeen: boolean }>(
      focusedElement,
    )
    const isTarget = typeof target === 'string' ? focused.name === target : target.test(focused.name)
    if (isTarget || focused.href === target) {
      if (!focused.isSeen) throw new Error(`the focus on \`${String(target)}\` cannot be seen`)
      return
    }
    passed.push(focused.name)
  }
  throw new Error(`Tab never reaches \`${String(target)}\`, only: ${passed.join(' | ')}`)
}

// The outline may be drawn around the row that the link stands for.
const focusedElement = `(() => {
  const element = document.activeElement
  let isSeen = false
  for (let shown = element; shown !== null && !isSeen; shown = shown.parentElement) {
    const { outlineStyle, outlineWidth } = getComputedStyle(shown)
    isSeen = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2
  }
  const label = element.closest('label') ?? element
  const name = (element.getAttribute('aria-label') ?? label.textContent ?? '').trim()
  return { name, href: element.getAttribute('href'), isSeen }
})()`

// What can be used, and the parts of a page that people jump to.
const controlRoles = new Set([
  'button',
  'link',
  'textbox',
  'searchbox',
  'combobox',
  'checkbox',
  'radio',
  'switch',
  'tab',
  'menuitem',
  'DisclosureTriangle',
  'region',
  'navigation',
])

/** Kept open: where any session ends, Chromium takes the page's authenticators away. */
const sessions = new WeakMap<Page, Promise<CDPSession>>()

/** What Chromium tells screen readers of each control: its role and its name. */
export async function controlsOf(page: Page): Promise<readonly { role: string; name: string }[]> {
  const opening = sessions.get(page) ?? page.context().newCDPSession(page)
  sessions.set(page, opening)
  const { nodes } = await (await opening).send('Accessibility.getFullAXTree')
  return nodes
    .filter(({ ignored, role }) => !ignored && controlRoles.has(String(role?.value)))
    .map(({ role, name }) => ({ role: String(role?.value), name: String(name?.value ?? '').trim() }))
}

/** Texts whose contrast with what is behind them is below what WCAG 2.2 AA asks. */
export async function paleTexts(page: Page): Promise<readonly string[]> {
  return page.evaluate<string[]>(await readFile(new URL('./pale-texts.js', import.meta.url), 'utf8'))
}

/**
 * The controls that take a press on fewer pixels in height than asked for, or on fewer than 24 in width, labels and whole
 * rows counted in; and how many were measured. What stands inside of a sentence is left out.
 */
export async function smallTargets(
  page: Page,
  least: number,
): Promise<{ readonly measured: number; readonly small: readonly string[] }> {
  await page.evaluate(await readFile(new URL('./small-targets.js', import.meta.url), 'utf8'))
  return await page.evaluate<{ measured: number; small: string[] }>(`smallTargets(${least})`)
}
