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
 *
 * @param env what the service finds in its environment
 */
export function describeConsole(
  name: string,
  suite: (setting: () => ConsoleSetting) => void,
  env: NodeJS.ProcessEnv = {},
): void {
  const executable = findChromium()
  describe.skipIf(executable === undefined)(name, () => {
    // Whatever has started is ended, also where what comes after it fails.
    const ends: (() => Promise<void>)[] = []
    let setting: ConsoleSetting

    beforeAll(async () => {
      const service = await startConsoleService(env)
      ends.push(() => service.stop())
      const browser = await launchChromium(executable ?? '')
      ends.push(() => browser.close())
      const pat = await service.sessionOf('pat@example.com')
      setting = { service, visitors: new Visitors(browser, service), pat }
    })

    afterEach(async () => {
      expect(await setting.visitors.leave(), 'what went wrong on the pages').toEqual([])
    })

    afterAll(async () => {
      for (const end of ends.reverse()) await end()
    })

    suite(() => setting)
  })
}
