/**
 * `npm start`: the service with the example's policies, built first where the build is missing or older than
 * the sources. Further arguments go to `bailiwick serve`: `npm start -- --port 8000`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const main = path.join(root, 'packages/server/bundle/main.js')

/** What is built from what. A built package is as old as its stamp, which every build renews. */
const builds = [
  ...['cel', 'core', 'store', 'server'].map((name) => ({
    stamp: `packages/${name}/dist/.tsbuildinfo`,
    sources: [
      'tsconfig.base.json',
      `packages/${name}/src`,
      `packages/${name}/package.json`,
      `packages/${name}/tsconfig.json`,
    ],
  })),
  {
    stamp: 'packages/server/bundle/main.js',
    sources: ['scripts/bundle.mjs', 'packages/store/migrations'],
  },
  {
    stamp: 'packages/server/console/index.html',
    sources: ['packages/console/src', 'packages/console/index.html', 'packages/console/vite.config.ts'],
  },
]

/** When `file`, or whatever is newest below it, last changed; a folder changes when a file in it is removed. */
function newestChange(file) {
  const found = statSync(file)
  if (!found.isDirectory()) return found.mtimeMs
  const below = readdirSync(file).map((name) => newestChange(path.join(file, name)))
  return Math.max(found.mtimeMs, ...below)
}

function isStale({ stamp, sources }) {
  const built = path.join(root, stamp)
  if (!existsSync(built)) return true
  const { mtimeMs } = statSync(built)
  return sources.some((source) => newestChange(path.join(root, source)) > mtimeMs)
}

function buildWhereNeeded() {
  if (existsSync(main) && !builds.some(isStale)) return
  console.error('Building Bailiwick; this takes a few seconds.')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const { status, signal, error, stdout, stderr } = spawnSync(npm, ['run', '--silent', 'build'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  })
  if (error !== undefined) console.error(`The build did not run: ${error.message}`)
  else if (status !== 0) console.error(`${stdout}${stderr}`.trimEnd())
  if (status !== 0) process.exit(status ?? 128 + (constants.signals[signal] ?? 0))
}

/** Options of `serve` that the caller, or the environment, has not given. */
function defaults(given) {
  const has = (option) => given.some((argument) => argument === option || argument.startsWith(`${option}=`))
  const policies = has('--policies')
    ? []
    : ['--policies', path.join(root, 'examples/customer-support/policies')]
  const chosen = has('--data') || process.env['BAILIWICK_DATA'] !== undefined
  return [...policies, ...(chosen ? [] : ['--data', path.join(root, '.bailiwick')])]
}

function serve(given) {
  const child = spawn(process.execPath, [main, 'serve', ...defaults(given), ...given], { stdio: 'inherit' })

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // Control-C at a terminal reaches the service by itself; sent again, it would look like impatience.
      if (signal === 'SIGINT' && process.stdin.isTTY) return
      child.kill(signal)
    })
  }
  child.on('error', (error) => {
    console.error(`The service did not start: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + constants.signals[signal])
  })
}

buildWhereNeeded()
serve(process.argv.slice(2))
