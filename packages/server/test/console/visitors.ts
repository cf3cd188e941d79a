import type { Browser, BrowserContext, BrowserContextOptions, ConsoleMessage, Page } from 'playwright-core'
import type { ConsoleService, Session } from './console-service.ts'

/** How somebody looks at the console. */
export interface Visiting extends BrowserContextOptions {
  /** Absent: nobody is signed in. */
  readonly session?: Session
  /** Answers that the console is expected to meet, such as `401 /v1/session` or `401 *`; any other refusal is a fault. */
  readonly refusals?: readonly string[]
}

const desk = { viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' } as const
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const

/** A look at the console: a page in a browser context of its own. */
interface Visit {
  readonly page: Page
  readonly context: BrowserContext
  /** What the context was made with. */
  readonly options: BrowserContextOptions
  refusals: readonly string[]
  /** Whether what goes wrong is nobody's any more. */
  isOver: boolean
  /** Whether something was done to it that cannot be undone. */
  isMarked: boolean
}

const forgetEverything = 'localStorage.clear(); sessionStorage.clear()'

/**
 * The people who look at the console in one test. Each has a browser context of their own, and whatever goes
 * wrong in any of their pages is a fault of the test, whether or not it looked.
 *
 * Starting a page takes three times as long as loading the console in it. So whoever comes after somebody who has left
 * gets the page of theirs, with nothing in it of what they did, unless something was done that stays.
 */
export class Visitors {
  readonly #browser: Browser
  readonly #service: ConsoleService
  #visits: Visit[] = []
  readonly #left: Visit[] = []
  #faults: string[] = []

  constructor(browser: Browser, service: ConsoleService) {
    this.#browser = browser
    this.#service = service
  }

  /** A page at `address`: a path of the console, or a whole link. */
  async open(address: string, { session, refusals = [], ...options }: Visiting = {}): Promise<Page> {
    const { url } = this.#service
    const visit = this.#takeOver(options) ?? (await this.#begin(options))
    this.#visits.push(visit)
    visit.refusals = session === undefined ? ['401 /v1/session', ...refusals] : refusals
    visit.isOver = false
    if (session !== undefined) await visit.context.addCookies([{ ...session, url }])
    await visit.page.goto(new URL(address, url).href)
    return visit.page
  }

  /** The same on a telephone. */
  openOnPhone(address: string, visiting: Visiting = {}): Promise<Page> {
    return this.open(address, { ...phone, ...visiting })
  }

  /** Sends everybody away and returns what went wrong on their pages. */
  async leave(): Promise<readonly string[]> {
    const visits = this.#visits
    this.#visits = []
    await Promise.all(
      visits.map(async (visit) => {
        if (!visit.isMarked && (await this.#isTidied(visit))) this.#left.push(visit)
        else await visit.context.close()
      }),
    )
    const faults = this.#faults
    this.#faults = []
    return faults
  }

  #takeOver(options: BrowserContextOptions): Visit | undefined {
    const wanted = JSON.stringify(options)
    const at = this.#left.findIndex((visit) => JSON.stringify(visit.options) === wanted)
    return at === -1 ? undefined : this.#left.splice(at, 1)[0]
  }

  async #begin(options: BrowserContextOptions): Promise<Visit> {
    const context = await this.#browser.newContext({ ...desk, ...options })
    context.setDefaultTimeout(10_000)
    const page = await context.newPage()
    const visit: Visit = { page, context, options, refusals: [], isOver: false, isMarked: false }
    await this.#watch(visit)
    markWhatStays(visit)
    return visit
  }

  /** Whether nothing of what was done on the page is left. */
  async #isTidied(visit: Visit): Promise<boolean> {
    const { page, context, options } = visit
    try {
      // Whatever the page said until now has been heard.
      await page.evaluate('0')
      visit.isOver = true
      if (context.pages().length > 1) return false
      await page.unrouteAll({ behavior: 'ignoreErrors' })
      await page.goto(new URL('/healthz', this.#service.url).href)
      await page.evaluate(forgetEverything)
      await context.clearCookies()
      await page.mouse.move(0, 0)
      await page.setViewportSize(options.viewport ?? desk.viewport)
      const { colorScheme = 'light', reducedMotion = desk.reducedMotion, forcedColors = 'none' } = options
      await page.emulateMedia({ media: null, colorScheme, reducedMotion, forcedColors })
      return true
    } catch {
      return false
    }
  }

  async #watch(visit: Visit): Promise<void> {
    const { context } = visit
    const report = (fault: string): void => {
      if (!visit.isOver) this.#faults.push(fault)
    }
    await context.exposeBinding('reportViolation', (_source, violation: string) => {
      report(`content security policy: ${violation}`)
    })
    await context.addInitScript(reportViolations)
    context.on('weberror', (error) => report(`page error: ${error.error().message}`))
    context.on('dialog', (dialog) => {
      report(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    context.on('console', (message) => {
      const fault = faultOf(message, visit.refusals)
      if (fault !== undefined) report(fault)
    })
    context.on('request', (request) => {
      const { origin, protocol } = new URL(request.url())
      if (protocol.startsWith('http') && origin !== this.#service.url) report(`request to ${origin}`)
    })
  }
}

/** What nobody can take back of a page: scripts and listeners of a test, another clock, what DevTools were told. */
function markWhatStays(visit: Visit): void {
  const { page, context } = visit
  const lasting: readonly (readonly [object, readonly string[]])[] = [
    [page, ['addInitScript', 'exposeFunction', 'exposeBinding', 'on', 'setExtraHTTPHeaders']],
    [
      context,
      ['addInitScript', 'newCDPSession', 'grantPermissions', 'setOffline', 'route', 'setGeolocation'],
    ],
    [page.clock, ['install', 'setFixedTime', 'setSystemTime']],
  ]
  for (const [object, names] of lasting) {
    for (const name of names) {
      const does = Reflect.get(object, name) as (...given: readonly unknown[]) => unknown
      Reflect.set(object, name, (...given: readonly unknown[]) => {
        visit.isMarked = true
        return does.apply(object, [...given])
      })
    }
  }
}

const reportViolations = `document.addEventListener('securitypolicyviolation', (event) => {
  reportViolation(event.violatedDirective + ' ' + event.blockedURI)
})`

function faultOf(message: ConsoleMessage, refusals: readonly string[]): string | undefined {
  if (!['error', 'warning', 'assert'].includes(message.type())) return undefined
  const status = /^Failed to load resource: .* status of (\d+)/.exec(message.text())?.[1]
  if (status === undefined) return `console ${message.type()}: ${message.text()}`
  const refusal = `${status} ${new URL(message.location().url).pathname}`
  return refusals.includes(refusal) || refusals.includes(`${status} *`) ? undefined : `answer: ${refusal}`
}
