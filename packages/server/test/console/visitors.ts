import type { Browser, BrowserContext, BrowserContextOptions, ConsoleMessage, Page } from 'playwright-core'
import type { ConsoleService, Session } from './console-service.ts'

/** How somebody looks at the console. */
export interface Visiting extends BrowserContextOptions {
  /** Absent: nobody is signed in. */
  readonly session?: Session
  /** Answers that the console is expected to meet, such as `401 /v1/session` or `401 *`; any other refusal is a fault. */
  readonly refusals?: readonly string[]
}

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const

/**
 * The people who look at the console in one test. Each has a browser context of their own, and whatever goes
 * wrong in any of their pages is a fault of the test, whether or not it looked.
 */
export class Visitors {
  readonly #browser: Browser
  readonly #service: ConsoleService
  #contexts: BrowserContext[] = []
  #faults: string[] = []

  constructor(browser: Browser, service: ConsoleService) {
    this.#browser = browser
    this.#service = service
  }

  /** A page at `address`: a path of the console, or a whole link. */
  async open(address: string, { session, refusals = [], ...options }: Visiting = {}): Promise<Page> {
    const { url } = this.#service
    const context = await this.#browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
    this.#contexts.push(context)
    context.setDefaultTimeout(10_000)
    if (session !== undefined) await context.addCookies([{ ...session, url }])
    await this.#watch(context, session === undefined ? ['401 /v1/session', ...refusals] : refusals)
    const page = await context.newPage()
    await page.goto(new URL(address, url).href)
    return page
  }

  /** The same on a telephone. */
  openOnPhone(address: string, visiting: Visiting = {}): Promise<Page> {
    return this.open(address, { ...phone, ...visiting })
  }

  /** Sends everybody away and returns what went wrong on their pages. */
  async leave(): Promise<readonly string[]> {
    const faults = this.#faults
    await Promise.all(this.#contexts.map((context) => context.close()))
    this.#contexts = []
    this.#faults = []
    return faults
  }

  async #watch(context: BrowserContext, refusals: readonly string[]): Promise<void> {
    const report = (fault: string): void => void this.#faults.push(fault)
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
      const fault = faultOf(message, refusals)
      if (fault !== undefined) report(fault)
    })
    context.on('request', (request) => {
      const { origin, protocol } = new URL(request.url())
      if (protocol.startsWith('http') && origin !== this.#service.url) report(`request to ${origin}`)
    })
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
