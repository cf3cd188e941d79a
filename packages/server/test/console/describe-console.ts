import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest'
import { findChromium, launchChromium } from './chromium.ts'
import { startConsoleService, type ConsoleService, type Session } from './console-service.ts'
import { Visitors } from './visitors.ts'

/** What the tests of a suite share. */
export interface ConsoleSetting {
  readonly service: ConsoleService
  readonly visitors: Visitors
  /** An approver's session: `pat@example.com`. */
  readonly pat: Session
}

/**
 * Describes a suite on the real service in a real browser; where there is none, it is counted as skipped. A
 * test fails for whatever goes wrong on any of its pages, looked for or not.
 */
export function describeConsole(name: string, suite: (setting: () => ConsoleSetting) => void): void {
  const executable = findChromium()
  describe.skipIf(executable === undefined)(name, () => {
    let browser: Browser
    let setting: ConsoleSetting

    beforeAll(async () => {
      const [launched, service] = await Promise.all([launchChromium(executable ?? ''), startConsoleService()])
      browser = launched
      setting = {
        service,
        visitors: new Visitors(launched, service),
        pat: await service.sessionOf('pat@example.com'),
      }
    })

    afterEach(async () => {
      expect(await setting.visitors.leave(), 'what went wrong on the pages').toEqual([])
    })

    afterAll(async () => {
      await browser?.close()
      await setting?.service.stop()
    })

    suite(() => setting)
  })
}
