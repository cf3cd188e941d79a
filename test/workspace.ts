import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** One package of the workspace, as its manifest declares it. */
export interface WorkspacePackage {
  /** From the root: `packages/core`. */
  readonly folder: string
  readonly name: string
  /** What its sources may import: dependencies and peers. */
  readonly declared: ReadonlySet<string>
  /** What its tests may import besides: development dependencies. */
  readonly declaredForTests: ReadonlySet<string>
}

/** What this module reads of a package.json. */
interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly workspaces?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** Every package that the root's `workspaces` names; a trailing `/*` means each folder there. */
export function workspacePackages(): WorkspacePackage[] {
  return (readManifest('.').workspaces ?? []).flatMap(expand).map((folder) => {
    const manifest = readManifest(folder)
    const runtime = [manifest.dependencies, manifest.peerDependencies].flatMap(namesOf)
    const development = namesOf(manifest.devDependencies)
    // The console is bundled into the service's package, so nothing of it is ever a dependency at run time.
    const declared = manifest.private === true ? [...runtime, ...development] : runtime
    return {
      folder,
      name: manifest.name,
      declared: new Set(declared),
      declaredForTests: new Set([...runtime, ...development]),
    }
  })
}

/** What the root's manifest declares for every test. */
export function rootDependencies(): ReadonlySet<string> {
  const { dependencies, devDependencies } = readManifest('.')
  return new Set([dependencies, devDependencies].flatMap(namesOf))
}

/** Whether `file`, from the root, exists. */
export function exists(file: string): boolean {
  return existsSync(path.join(ROOT, file))
}

/** This process's environment without what would lead a test to a service, or a database, that is in use. */
export function neutralEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(BAILIWICK_|DATABASE_URL$|PG)/.test(name))
  // Which PostgreSQL to run is not whose data to touch.
  return { ...Object.fromEntries(kept), BAILIWICK_POSTGRES_BIN: process.env['BAILIWICK_POSTGRES_BIN'] }
}

function expand(pattern: string): string[] {
  if (!pattern.endsWith('/*')) return [pattern]
  const parent = pattern.slice(0, -2)
  if (!exists(parent)) return []
  const folders = readdirSync(path.join(ROOT, parent), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )
  return folders
    .map((entry) => `${parent}/${entry.name}`)
    .filter((folder) => exists(`${folder}/package.json`))
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(ROOT, folder, 'package.json'), 'utf8')) as Manifest
}

function namesOf(dependencies: Readonly<Record<string, string>> | undefined): string[] {
  return Object.keys(dependencies ?? {})
}
