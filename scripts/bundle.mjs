/**
 * Puts what the command line is made of into few files: `packages/server/bundle/`. Half of what a command took was finding
 * and reading six hundred modules. Only this project's own code is in them; packages of others stay where npm puts them.
 *
 * Modules find what lies beside them by their own address. So each thread has a file of its name, and what lies beside a
 * package's `dist` lies beside the bundle: the console and the page that verifies anyway, migrations as a copy.
 */
import { cp, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
const server = fileURLToPath(new URL('../packages/server/', import.meta.url))
const ours = /^(?:[./]|packages\/|@bailiwick\/)/

const input = {
  main: 'packages/server/dist/cli/main.js',
  thread: 'packages/store/dist/verify/thread.js',
  'walk-thread': 'packages/store/dist/self-check/walk-thread.js',
  'archive-thread': 'packages/store/dist/archive/archive-thread.js',
}

const bundle = await rolldown({ cwd: root, input, platform: 'node', external: (id) => !ours.test(id) })
await rm(`${server}bundle`, { recursive: true, force: true })
await bundle.write({
  dir: `${server}bundle`,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunk-[hash].js',
})
await rm(`${server}migrations`, { recursive: true, force: true })
await cp(`${root}packages/store/migrations`, `${server}migrations`, { recursive: true })
