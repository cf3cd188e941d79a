import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const folder = new URL('../../bundle/', import.meta.url)

const code = readdirSync(folder)
  .filter((name) => name.endsWith('.js'))
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))
  .join('\n')

test('what the code of the command line finds by its own address lies where its bundle looks for it', () => {
  const sought = [...code.matchAll(/new URL\(["']([^"']+)["'], import\.meta\.url\)/g)].map(
    ([, path]) => path ?? '',
  )
  expect(sought.toSorted()).toEqual([
    '../console/',
    '../migrations/',
    '../verify-page/',
    './thread.js',
    './walk-thread.js',
    'archive-thread.js',
  ])
  for (const path of sought) expect(existsSync(new URL(path, folder)), path).toBe(true)
})

test('the bundle imports packages of others, each of which the manifest names, and holds none', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', folder), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>
  }
  const imported = [
    ...code.matchAll(/^import (?:[^'"]* from )?["']((?:@[^/"']+\/)?[^@./"'][^/"']*)[^"']*["'];$/gm),
  ]
    .map(([, name]) => name ?? '')
    .filter((name) => !name.startsWith('node:'))
  const named = Object.keys(manifest.dependencies)
  expect([...new Set(imported)].filter((name) => !named.includes(name))).toEqual([])
  expect(imported).toEqual(expect.arrayContaining(['commander', 'hono', 'pg', 're2js', 'yaml', 'zod']))
})
