/**
 * Packs every public package as npm would publish it and checks the archive: that its entry points resolve, with
 * their types, for programs that use ES modules (publint, attw), and that everything its manifest promises is in
 * it. Needs a build; needs no network.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const root = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

/** Public packages are those of the workspace that are not marked private. */
async function publicPackages() {
  const { workspaces } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'))
  const all = await Promise.all(
    workspaces.map(async (folder) => ({
      folder: path.join(root, folder),
      manifest: JSON.parse(await readFile(path.join(root, folder, 'package.json'), 'utf8')),
    })),
  )
  return all.filter(({ manifest }) => manifest.private !== true)
}

/** The archive's path and the names of the files in it. */
async function pack(folder, destination) {
  const { stdout } = await run('npm', ['pack', '--json', '--offline', '--pack-destination', destination], {
    cwd: folder,
  })
  // Older releases of npm answer with a list, newer ones with an object keyed by name.
  const [packed] = Object.values(JSON.parse(stdout))
  return { archive: path.join(destination, packed.filename), files: packed.files.map((file) => file.path) }
}

/** What the manifest's `files`, `bin` and `exports` name and the archive lacks. */
function missingFiles(manifest, files) {
  const promised = (manifest.files ?? []).filter((entry) => !entry.startsWith('!'))
  const named = [...Object.values(manifest.bin ?? {}), ...exportTargets(manifest.exports)]
  return [...promised, ...named.map((file) => file.replace(/^\.\//, ''))]
    .filter((entry) => !files.some((file) => file === entry || file.startsWith(`${entry}/`)))
    .map((entry) => `${entry} is promised by package.json, and not in the archive`)
}

/** Every file that `exports` names, under whatever condition. */
function exportTargets(exported) {
  if (typeof exported === 'string') return exported.includes('*') ? [] : [exported]
  return Object.values(exported ?? {}).flatMap(exportTargets)
}

async function publintProblems({ manifest }, archive) {
  const contents = await readFile(archive)
  const tarball = contents.buffer.slice(contents.byteOffset, contents.byteOffset + contents.byteLength)
  const { messages } = await publint({ pack: { tarball }, strict: true })
  return messages.map((message) => `publint: ${formatMessage(message, manifest, { color: false })}`)
}

async function typeProblems(archive) {
  try {
    await run(path.join(root, 'node_modules/.bin/attw'), [
      archive,
      '--profile',
      'esm-only',
      '--no-color',
      '--no-emoji',
    ])
    return []
  } catch (failure) {
    return [`attw: ${`${failure.stdout ?? ''}${failure.stderr ?? ''}`.trim() || failure.message}`]
  }
}

async function check(found, destination) {
  if (!existsSync(path.join(found.folder, 'dist/index.js')))
    return ['it is not built: run `npm run build` first']
  const { archive, files } = await pack(found.folder, destination)
  return [
    ...missingFiles(found.manifest, files),
    ...(await publintProblems(found, archive)),
    ...(await typeProblems(archive)),
  ]
}

const destination = await mkdtemp(path.join(tmpdir(), 'bailiwick-pack-'))
try {
  for (const found of await publicPackages()) {
    const problems = await check(found, destination)
    console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${found.manifest.name}`)
    for (const problem of problems) console.log(`     ${problem.replaceAll('\n', '\n     ')}`)
    if (problems.length > 0) process.exitCode = 1
  }
} finally {
  await rm(destination, { recursive: true, force: true })
}
