import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { exists, ROOT, workspacePackages } from './workspace.ts'

/** A row of a table in a document. */
export interface Row {
  /** One-based line of the document on which it stands. */
  readonly line: number
  /** Its first cell: the attack, the actor, or what somebody may do. */
  readonly about: string
  /**
   * What shows that it holds: its cell in the column `shown by`. In a table without that column, the sentence "Each row is
   * shown by …." of the paragraph above. Empty where there is neither.
   */
  readonly shownBy: string
}

/** The rows of all tables of a document, in order. */
export function rowsOf(markdown: string): Row[] {
  const lines = markdown.split('\n')
  const starts = lines.flatMap((line, at) => (isRow(line) && !isRow(lines[at - 1]) ? [at] : []))
  return starts.flatMap((start) => {
    const length = lines.slice(start).findIndex((line) => !isRow(line))
    const [header = '', , ...rows] = lines.slice(start, length === -1 ? undefined : start + length)
    const column = cellsOf(header).indexOf('shown by')
    const forAll = lines.slice(0, start).join('\n').trimEnd().split('\n\n').at(-1) ?? ''
    return rows.map((row, at) => {
      const cells = cellsOf(row)
      const shownBy = column === -1 ? shownTogether(forAll) : (cells[column] ?? '')
      return { line: start + at + 3, about: cells[0] ?? '', shownBy }
    })
  })
}

const isRow = (line: string | undefined): boolean => line?.startsWith('|') === true

function cellsOf(row: string): string[] {
  return row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim())
}

// A test that shows all rows of a table has to run once for each of them, and says so by a placeholder in its title.
function shownTogether(paragraph: string): string {
  const said = /Each row is shown by\s(`.*")\.$/s.exec(paragraph)?.[1]?.replaceAll('\n', ' ') ?? ''
  return said.includes('%s') ? said : ''
}

/**
 * What is wrong with what a row is shown by; undefined where nothing is. It is either
 *
 *     `store/test/votes.test.ts` "a title", "another title"; `test/imports.test.ts` "a title"
 *
 * each file from `packages/` or the root and each title one of that file, `…` standing for any text; or, where nothing stops
 * an attack, `no defence:` and why.
 */
export function problemOf(shownBy: string): string | undefined {
  if (/^no defence: \S/.test(shownBy)) return undefined
  if (shownBy === '') return 'names no test, and does not say `no defence:`'
  let rest = shownBy
  while (rest !== '') {
    const [reference = '', file = '', titles = ''] = /^`([^`]+)`((?:,? "[^"]+")+)(?:; |$)/.exec(rest) ?? []
    if (reference === '') return `names no test with its title from \`${rest}\` on`
    const problem = referenceProblem(
      file,
      [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title),
    )
    if (problem !== undefined) return problem
    rest = rest.slice(reference.length)
  }
  return undefined
}

function referenceProblem(file: string, titles: readonly string[]): string | undefined {
  const place = [`packages/${file}`, file].find((each) => /\/test\/|^test\//.test(each) && exists(each))
  if (place === undefined || !place.endsWith('.test.ts')) return `\`${file}\` is no test file`
  const there = titlesIn(readFileSync(path.join(ROOT, place), 'utf8'))
  const wrong = titles.find((title) => there.filter((each) => isTitle(title, each)).length !== 1)
  return wrong === undefined ? undefined : `"${wrong}" is not the title of one test of \`${file}\``
}

function isTitle(written: string, title: string): boolean {
  const literal = written.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literal.join('.*')}$`, 's').test(title)
}

/**
 * The titles of the tests of a file, and of what groups them, as they are written there. Tests that are left out by
 * `skip` or `todo` have none.
 */
export function titlesIn(source: string): string[] {
  // What `each` and its like are called with comes before the title, in brackets of its own.
  const title =
    /(?:\b(?:describe\w*|test|it)(?:\.(?!(?:skip|todo)\b)\w+)*|\))\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/gs
  return [...source.matchAll(title)].map(([, , text = '']) => text.replaceAll(/\\(.)/g, '$1'))
}

/** The sources that a document names in backticks, by path or by name, and that no package has. */
export function missingSources(markdown: string): string[] {
  const sources = workspacePackages().flatMap(({ folder }) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /^(?:src|test)\/.*\.tsx?$/.test(file))
      .map((file) => `/${path.basename(folder)}/${file}`),
  )
  const named = [...markdown.matchAll(/`([\w./-]+\.tsx?)`/g)].map(([, file = '']) => file)
  return named.filter((file) => !exists(file) && !sources.some((each) => each.endsWith(`/${file}`)))
}
