import { isBuiltin } from 'node:module'
import { importedFile, isRelative, packageOf, type Import, type SourceFile } from './imports.ts'

/** What a rule found, one line for people: `packages/core/src/a.ts:3 imports …`. */
export type Breach = string

/** The folders of `packages/core/src`, in the order in which a call flows through them. */
const STAGES = [
  'model',
  'policy',
  'decision',
  'approval',
  'audit',
  'execution',
  'monitor',
  'policy-test',
] as const

/** What each workspace package may import of the others. A package that is not named here may not exist. */
const MAY_IMPORT: ReadonlyMap<string, readonly string[]> = new Map([
  ['packages/cel', []],
  ['packages/core', ['@bailiwick/cel']],
  ['packages/store', ['@bailiwick/core']],
  ['packages/server', ['@bailiwick/core', '@bailiwick/store']],
  ['packages/console', ['@bailiwick/core']],
  ['packages/adapters/*', ['@bailiwick/core']],
])

/** What importing a file of `core` may reach of Node: hashing and signing, nothing that acts on the world. */
export const BUILTINS_OF: ReadonlyMap<string, readonly string[]> = new Map([
  ['packages/cel', []],
  ['packages/core', ['node:crypto']],
  ['packages/console', []],
])

/** Imports inside `core` that point from a stage to one on its right, or into a folder that is no stage. */
export function importsAgainstTheFlow(files: readonly SourceFile[], src = 'packages/core/src'): Breach[] {
  const stageOf = (file: string) => file.slice(src.length + 1).split('/')[0] ?? ''
  const stages: readonly string[] = STAGES
  return files.flatMap((file) => {
    const inFolder = file.path.slice(src.length + 1).includes('/')
    // index.ts, the front door, stands beside the stages and names them all.
    if (!inFolder) return []
    const from = stages.indexOf(stageOf(file.path))
    if (from === -1) return [`${file.path} is in no stage: the folders are ${STAGES.join(', ')}`]
    return relativeImports(file)
      .filter(({ target }) => stages.indexOf(stageOf(target)) > from || !stages.includes(stageOf(target)))
      .map(({ line, target }) => `${file.path}:${line} imports ${target}, which is to its right`)
  })
}

/** Each circle of files that import one another, told once: `a.ts → b.ts → a.ts`. Types count too. */
export function circularImports(files: readonly SourceFile[]): Breach[] {
  const edges = new Map(files.map((file) => [file.path, relativeImports(file).map(({ target }) => target)]))
  const done = new Set<string>()
  const circles: Breach[] = []

  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file)
    if (start !== -1) circles.push([...path.slice(start), file].join(' → '))
    if (start !== -1 || done.has(file)) return
    for (const next of edges.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }

  for (const file of edges.keys()) visit(file, [])
  return circles
}

/** The file of this path, and all that it imports, directly or by others. */
export function filesBehind(entry: string, files: readonly SourceFile[]): SourceFile[] {
  const reached = new Set([entry])
  for (const path of reached) {
    const file = files.find((each) => each.path === path)
    for (const { target } of file === undefined ? [] : relativeImports(file)) reached.add(target)
  }
  return files.filter(({ path }) => reached.has(path))
}

/** Imports of other workspace packages that the direction between packages does not allow. */
export function importsAgainstTheLayers(
  pkg: { readonly folder: string; readonly name: string },
  files: readonly SourceFile[],
  workspaceNames: readonly string[],
): Breach[] {
  const allowed = MAY_IMPORT.get(pkg.folder) ?? MAY_IMPORT.get(pkg.folder.replace(/[^/]+$/, '*'))
  if (allowed === undefined) return [`${pkg.folder} has no place in the direction between packages`]
  return files.flatMap((file) => [
    ...bareImports(file)
      .filter(({ name }) => workspaceNames.includes(name) && name !== pkg.name && !allowed.includes(name))
      .map(({ line, name }) => `${file.path}:${line} imports ${name}; ${pkg.folder} may not`),
    ...relativeImports(file)
      .filter(({ target }) => !target.startsWith(`${pkg.folder}/`))
      .map(({ line, target }) => `${file.path}:${line} reaches out of its package, to ${target}`),
  ])
}

/** Imports of packages that are not in `declared`, and of Node built-ins that lack their prefix. */
export function undeclaredImports(files: readonly SourceFile[], declared: ReadonlySet<string>): Breach[] {
  return files.flatMap((file) =>
    bareImports(file).flatMap(({ line, specifier, name }) => {
      const place = `${file.path}:${line}`
      if (specifier.startsWith('node:')) return []
      if (declared.has(name)) return []
      if (isBuiltin(specifier)) return [`${place} imports ${specifier} without \`node:\``]
      return [`${place} imports ${name}, which its package.json does not declare`]
    }),
  )
}

/** Imports of Node built-ins other than those in `allowed`. */
export function forbiddenBuiltins(files: readonly SourceFile[], allowed: readonly string[]): Breach[] {
  return files.flatMap((file) =>
    bareImports(file)
      .filter(({ specifier }) => isBuiltin(specifier) && !allowed.includes(specifier))
      .map(({ line, specifier }) => `${file.path}:${line} imports ${specifier}`),
  )
}

function relativeImports(file: SourceFile): (Import & { readonly target: string })[] {
  return file.imports
    .filter(({ specifier }) => isRelative(specifier))
    .map((found) => ({ ...found, target: importedFile(file.path, found.specifier) }))
}

function bareImports(file: SourceFile): (Import & { readonly name: string })[] {
  return file.imports
    .filter(({ specifier }) => !isRelative(specifier))
    .map((found) => ({ ...found, name: packageOf(found.specifier) }))
}
