import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Engine } from './differential.ts'
import type { Mutant, SourceChange } from './mutants.ts'

const packages = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * Copies the sources of `core`, and of `cel` if they are changed too, makes the mutant's changes in the copy and hands
 * its engine to `use`. The sources themselves are never touched; the copy is removed afterwards.
 *
 * @throws a sentence that says what to do, where a text to be changed is not there exactly once
 */
export async function withMutant<Result>(
  mutant: Omit<Mutant, 'breaks'>,
  use: (engine: Engine) => Result,
): Promise<Result> {
  const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'bailiwick-mutant-'))
  try {
    const copied = copiesFor(mutant)
    for (const name of copied) await copyPackage(name, copied, folder)
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

// What is not changed need not be read anew.
function copiesFor({ changes }: Omit<Mutant, 'breaks'>): readonly string[] {
  return changes.some(({ file }) => file.startsWith('cel/')) ? ['core', 'cel'] : ['core']
}

async function copyPackage(name: string, copied: readonly string[], folder: string): Promise<void> {
  const [from, to] = [path.join(packages, name), path.join(folder, 'packages', name)]
  await cp(path.join(from, 'src'), path.join(to, 'src'), { recursive: true })
  const manifest = await readFile(path.join(from, 'package.json'), 'utf8')
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
