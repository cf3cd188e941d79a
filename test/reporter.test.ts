import { expect, test } from 'vitest'
import { tallyLine, tallyOf, type TallyModule } from './reporter.ts'

const moduleOf = (
  states: readonly string[],
  broken: { file?: boolean; suite?: boolean } = {},
): TallyModule => ({
  errors: () => (broken.file === true ? [new Error('the file')] : []),
  children: {
    allSuites: () => [{ errors: () => (broken.suite === true ? [new Error('the suite')] : []) }],
    allTests: () => states.map((state) => ({ result: () => ({ state }) })),
  },
})

test('the last line counts what passed, failed and was skipped over all files', () => {
  const tally = tallyOf([moduleOf(['passed', 'failed']), moduleOf(['passed', 'skipped'])], [])
  expect(tallyLine(tally)).toBe('2 passed, 1 failed, 1 skipped')
})

test('the last line names no skipped tests where there are none', () => {
  expect(tallyLine(tallyOf([moduleOf(['passed'])], []))).toBe('1 passed, 0 failed')
})

test('a file that cannot be loaded, a suite whose set-up breaks and an uncaught error count as failed', () => {
  const modules = [moduleOf([], { file: true }), moduleOf(['skipped'], { suite: true })]
  expect(tallyOf(modules, [new Error('uncaught')])).toEqual({ passed: 0, failed: 3, skipped: 1 })
})

test('a test that was cut off counts as failed', () => {
  expect(tallyOf([moduleOf(['pending'])], []).failed).toBe(1)
})
