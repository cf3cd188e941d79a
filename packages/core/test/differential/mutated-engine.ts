import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Engine } from './differential.ts'
import type { Mutant, SourceChange } from './mutants.ts'

const packages = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * Copies the sources of `cel` and `core`, makes the mutant's changes in the copy and hands its engine to `use`.
 * The sources themselves are never touched; the copy is removed afterwards.
 *
 * @throws a sentence that says what to do, where a text to be changed is not there exactly once
 */
export async function withMutant<Result>(
  mutant: Pick<Mutant, 'id' | 'changes'>,
  use: (engine: Engine) => Result,
): Promise<Result> {
  const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'bailiwick-mutant-'))
  try {
    for (const name of ['cel', 'core']) await copyPackage(name, folder)
    for (const change of mutant.changes) await apply(mutant.id, change, folder)
    const index = path.join(folder, 'packages/core/src/index.ts')
    return use((await import(/* @vite-ignore */ index)) as Engine)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function copyPackage(name: string, folder: string): Promise<void> {
  const [from, to] = [path.join(packages, name), path.join(folder, 'packages', name)]
  await cp(path.join(from, 'src'), path.join(to, 'src'), { recursive: true })
  const manifest = await readFile(path.join(from, 'package.json'), 'utf8')
  await writeFile(path.join(to, 'package.json'), manifest)
  const { dependencies = {} } = JSON.parse(manifest) as { dependencies?: Record<string, string> }
  for (const dependency of Object.keys(dependencies)) {
    const link = path.join(to, 'node_modules', dependency)
    await mkdir(path.dirname(link), { recursive: true })
    // Our own packages are the copies; all others are where they always are.
    const own = dependency.startsWith('@bailiwick/')
    const target = own
      ? path.join(folder, 'packages', dependency.slice('@bailiwick/'.length))
      : path.join(packages, '../node_modules', dependency)
    await symlink(target, link)
  }
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
