import { existsSync } from 'node:fs'
import {
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Engine } from './differential.ts'
import type { Mutant, SourceChange } from './mutants.ts'

const packages = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * Makes the mutant's changes in a copy of the sources and hands its engine to `use`. Only what is changed, and what
 * imports it, is copied; the rest stands in for itself by links, so that it is not read and compiled anew each time.
 * The sources themselves are never touched; the copy is removed afterwards.
 *
 * @throws a sentence that says what to do, where a text to be changed is not there exactly once
 */
export async function withMutant<Result>(
  mutant: Omit<Mutant, 'breaks'>,
  use: (engine: Engine) => Result,
): Promise<Result> {
  const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'bailiwick-mutant-'))
  try {
    const changed = new Set(mutant.changes.map(({ file }) => file))
    const sources = await readSources(changed)
    const affected = affectedBy(changed, sources)
    const copied = packagesOf(changed)
    for (const name of copied) await linkDependencies(name, copied, folder)
    for (const file of sources.keys()) await copyOrLink(file, affected, folder)
    for (const change of mutant.changes) await apply(mutant.id, change, folder)
    const entry = path.join(folder, 'packages/core/src/mutated.ts')
    await writeFile(entry, exportsOfEngine)
    return use((await import(/* @vite-ignore */ entry)) as Engine)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

// The index would also load what decides nothing, such as the audit log: that takes longer than the comparison.
const exportsOfEngine = `
export { decide } from './decision/decide.ts'
export { needsOf } from './decision/needs.ts'
export { parsePolicy } from './policy/compile.ts'
export { windowStart } from './policy/windows.ts'
`

function packagesOf(changed: ReadonlySet<string>): readonly string[] {
  return [...changed].some((file) => file.startsWith('cel/')) ? ['core', 'cel'] : ['core']
}

/** The sources by file, with what each of them imports. */
async function readSources(changed: ReadonlySet<string>): Promise<ReadonlyMap<string, readonly string[]>> {
  const sources = new Map<string, readonly string[]>()
  for (const name of packagesOf(changed)) {
    const within = await readdir(path.join(packages, name, 'src'), { recursive: true })
    for (const file of within.filter((one) => one.endsWith('.ts')).map((one) => `${name}/src/${one}`)) {
      const text = await readFile(path.join(packages, file), 'utf8')
      const imports = [...text.matchAll(/from '(.+)'/g)].map(([, from = '']) => from)
      sources.set(
        file,
        imports.map((from) =>
          from === '@bailiwick/cel' ? 'cel/src/index.ts' : path.join(path.dirname(file), from),
        ),
      )
    }
  }
  return sources
}

/** What is changed, and everything that imports it, by however many steps. */
function affectedBy(
  changed: ReadonlySet<string>,
  sources: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const affected = new Set(changed)
  // What is added while the set is gone through is gone through too.
  for (const file of affected) {
    for (const [importer, imports] of sources) if (imports.includes(file)) affected.add(importer)
  }
  return affected
}

async function copyOrLink(file: string, affected: ReadonlySet<string>, folder: string): Promise<void> {
  const [from, to] = [path.join(packages, file), path.join(folder, 'packages', file)]
  await mkdir(path.dirname(to), { recursive: true })
  await (affected.has(file) ? copyFile(from, to) : symlink(from, to))
}

async function linkDependencies(name: string, copied: readonly string[], folder: string): Promise<void> {
  const [from, to] = [path.join(packages, name), path.join(folder, 'packages', name)]
  const manifest = await readFile(path.join(from, 'package.json'), 'utf8')
  await mkdir(to, { recursive: true })
  await writeFile(path.join(to, 'package.json'), manifest)
  const { dependencies = {} } = JSON.parse(manifest) as { dependencies?: Record<string, string> }
  for (const dependency of Object.keys(dependencies)) {
    const link = path.join(to, 'node_modules', dependency)
    await mkdir(path.dirname(link), { recursive: true })
    const own = dependency.replace('@bailiwick/', '')
    const target = copied.includes(own) ? path.join(folder, 'packages', own) : installed(dependency, from)
    await symlink(target, link)
  }
}

function installed(dependency: string, from: string): string {
  const beside = path.join(from, 'node_modules', dependency)
  return existsSync(beside) ? beside : path.join(packages, '../node_modules', dependency)
}

async function apply(id: string, { file, find, replace }: SourceChange, folder: string): Promise<void> {
  const place = path.join(folder, 'packages', file)
  const source = await readFile(place, 'utf8').catch(() => {
    throw new Error(`mutant \`${id}\`: there is no packages/${file} any longer. ${whatToDo}`)
  })
  const times = source.split(find).length - 1
  if (times !== 1) {
    throw new Error(
      `mutant \`${id}\`: \`${find}\` occurs ${times} times in packages/${file}, and has to occur once. ${whatToDo}`,
    )
  }
  await writeFile(
    place,
    source.replace(find, () => replace),
  )
}

const whatToDo =
  'The code was rewritten: point the mutant at the code that does this now, as the head of mutants.ts says.'
