import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { permissions } from '../packages/server/src/http/permissions.ts'
import { missingSources, problemOf, rowsOf, titlesIn } from './threat-model.ts'
import { ROOT } from './workspace.ts'

describe('docs/THREAT_MODEL.md', () => {
  const document = readFileSync(path.join(ROOT, 'docs/THREAT_MODEL.md'), 'utf8')
  const rows = rowsOf(document)

  test('has its tables where they can be read', () => {
    expect(rows.length).toBeGreaterThan(150)
  })

  test.each(rows)('line $line, $about, names the tests that show it, or says `no defence:`', (row) => {
    expect(problemOf(row.shownBy)).toBeUndefined()
  })

  test('lists who may do what, a row for each permission', () => {
    const listed = rows.map(({ about }) => /^`([a-z]+(?::[a-z]+)?)`: /.exec(about)?.[1])
    expect(listed.filter((name) => name !== undefined)).toEqual(permissions)
  })

  test('names sources that there are', () => {
    expect(missingSources(document)).toEqual([])
  })
})

describe('a row', () => {
  const table = (header: string, cell: string) =>
    `text\n\n| attack | ${header} |\n| --- | --- |\n| x | ${cell} |\n`
  const file = '`test/threat-model.test.ts`'
  const problem = (cell: string) => rowsOf(table('shown by', cell)).map(({ shownBy }) => problemOf(shownBy))

  test.each([
    `${file} "names sources that there are"`,
    `${file} "names … there are", "a row"; \`store/test/votes.test.ts\` "a rejection ends it, whatever others say"`,
    'no defence: whoever has the key may do it',
  ])('that says %s is right', (cell) => {
    expect(problem(cell)).toEqual([undefined])
  })

  test.each([
    ['', 'names no test'],
    ['no defence:', 'names no test'],
    ['all of it is tested', 'names no test'],
    [file, 'names no test with its title'],
    [`${file} "a row" and more`, 'names no test with its title from'],
    [`${file} "a row"; by hand`, 'names no test with its title from `by hand`'],
    [`${file} "a ro"`, 'is not the title of one test'],
    [`${file} "that …"`, 'is not the title of one test'],
    ['`store/test/nothing.test.ts` "a row"', 'is no test file'],
    ['`store/src/ledger.ts` "a row"', 'is no test file'],
    ['`threat-model.test.ts` "a row"', 'is no test file'],
  ])('that says `%s` is told: it %s', (cell, told) => {
    expect(problem(cell)).toEqual([expect.stringContaining(told)])
  })

  test('of a table without the column is shown by the sentence above it, if its test runs once for each row', () => {
    const above = (sentence: string) =>
      rowsOf(`${sentence}\n\n${table('role', 'yes').slice('text\n\n'.length)}`)
    expect(above(`Each row is shown by ${file} "that says %s is right".`)).toMatchObject([
      { line: 5, about: 'x', shownBy: `${file} "that says %s is right"` },
    ])
    expect(above(`Each row is shown by ${file} "a row".`)).toMatchObject([{ shownBy: '' }])
    expect(above('Nobody shows them.')).toMatchObject([{ shownBy: '' }])
  })
})

test('titles are those of tests that run, whatever they are called with', () => {
  const source = [
    "describe('a', () => {",
    "  test('isn\\'t b', () => {})",
    '  test.each([\n    1,\n  ])(\n    "c %s",\n    () => {})',
    '  describeOnPostgres(`d`, () => {})',
    "  test.skipIf(missing)('e', () => {})",
    "  test.skip('left out', () => {})",
    "  it.todo('left out too')",
    "  expect('no title').toBe('none')",
  ].join('\n')
  expect(titlesIn(source)).toEqual(['a', "isn't b", 'c %s', 'd', 'e'])
})

test('a source that is not there is found, by its path and by its name', () => {
  const named = '`store/src/ledger.ts` `ledger.ts` `store/src/gone.ts` `gone.tsx`'
  expect(missingSources(named)).toEqual(['store/src/gone.ts', 'gone.tsx'])
})
