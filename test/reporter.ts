import type { Reporter, TestModule } from 'vitest/node'

/** How many tests ended how. What kept tests from running counts as failed. */
export interface Tally {
  passed: number
  failed: number
  skipped: number
}

/**
 * Prints the whole run as one last line, `N passed, N failed, N skipped`, for programs that read the output.
 *
 * It is written as the process ends, so that nothing of the runner's own comes after it.
 */
export class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tally = tallyOf(modules, unhandled)
    process.once('exit', () => process.stdout.write(`${tallyLine(tally)}\n`))
  }
}

/** The last line, without its line break. */
export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** Counts tests, and besides them what stops tests: a file or a suite that broke, an error nobody caught. */
export function tallyOf(modules: readonly TallyModule[], unhandled: readonly unknown[]): Tally {
  const tally: Tally = { passed: 0, failed: unhandled.length, skipped: 0 }
  for (const module of modules) {
    if (module.errors().length > 0) tally.failed += 1
    for (const suite of module.children.allSuites()) if (suite.errors().length > 0) tally.failed += 1
    for (const test of module.children.allTests()) tally[bucketOf(test.result().state)] += 1
  }
  return tally
}

/** The part of the runner's modules that counting reads. */
export interface TallyModule {
  errors(): readonly unknown[]
  readonly children: {
    allSuites(): Iterable<{ errors(): readonly unknown[] }>
    allTests(): Iterable<{ result(): { readonly state: string } }>
  }
}

function bucketOf(state: string): keyof Tally {
  if (state === 'passed' || state === 'skipped') return state
  // A test that is still pending when the run ends was cut off; nothing shows that it would have passed.
  return 'failed'
}
