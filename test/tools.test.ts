import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { isLeftOut } from './tools.ts'
import { ROOT } from './workspace.ts'

afterEach(() => vi.restoreAllMocks())

describe('tests that need a tool of the machine', () => {
  test('run where it is, in CI and elsewhere', () => {
    for (const env of [{}, { CI: 'true' }]) expect(isLeftOut('Go', true, env)).toBe(false)
  })

  test('are left out where it is not, and that is said loudly', () => {
    const said = vi.spyOn(console, 'error').mockReturnValue()
    for (const env of [{}, { CI: '' }, { CI: 'false' }]) expect(isLeftOut('Go', false, env)).toBe(true)
    expect(said.mock.calls.flat().join()).toContain('*** NOT TESTED: what needs Go, which is not here ***')
  })

  test('fail in CI where it is not', () => {
    const said = vi.spyOn(console, 'error').mockReturnValue()
    expect(() => isLeftOut('Go', false, { CI: 'true' })).toThrow('Go is missing, and with CI=true nothing')
    expect(said).not.toHaveBeenCalled()
  })

  test('run in CI as .ci/run sets it', async () => {
    expect(await readFile(join(ROOT, '.ci/run'), 'utf8')).toMatch(/^export CI=true /m)
  })
})
