import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { variablesIn } from './environment-variables.ts'
import { ROOT, workspacePackages } from './workspace.ts'

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8')

/** What the sources of all packages read. */
function variablesRead(): ReadonlySet<string> {
  const files = workspacePackages().flatMap(({ folder }) =>
    readdirSync(path.join(ROOT, folder, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file))
      .map((file) => path.join(folder, 'src', file)),
  )
  return new Set(files.flatMap((file) => variablesIn(read(file))))
}

test('every environment variable that code reads stands in the manual of the command line, and no other', () => {
  const variables = variablesRead()
  expect(variables.size).toBeGreaterThan(60)
  const manual = new Set(variablesIn(read('docs/CLI.md')))
  expect([...variables].filter((name) => !manual.has(name))).toEqual([])
  expect([...manual].filter((name) => !variables.has(name))).toEqual([])
})

test('a variable is found however its name is put together', () => {
  expect(variablesIn("env['BAILIWICK_PORT'] ?? env.BAILIWICK_DATA")).toEqual([
    'BAILIWICK_DATA',
    'BAILIWICK_PORT',
  ])
  // Of a family that has no end, such as sources, what its names begin with.
  expect(variablesIn('`BAILIWICK_SOURCE_${key}`, such as BAILIWICK_SOURCE_ORDERS')).toEqual([
    'BAILIWICK_SOURCE_',
  ])
  const joined = "const read = (name) => env[`BAILIWICK_OIDC_${name}`]\nread('NAME') ?? read('SCOPE')"
  expect(variablesIn(joined)).toEqual(['BAILIWICK_OIDC_NAME', 'BAILIWICK_OIDC_SCOPE'])
})
