import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { cli } from './run-cli.ts'

let dataDir: string
beforeAll(async () => {
  dataDir = await makeTestDir()
})
afterAll(() => removeTestDir(dataDir))

const key = (args: readonly string[], env = {}) => cli(['log', 'key', ...args, '--data', dataDir], env)
const keys = async (args: readonly string[], env = {}) =>
  ((await key([...args, '--json'], env)).json as { keys: string[] }).keys

test('there is no key before there is a log', async () => {
  const run = await key(['show'])
  expect([run.code, run.err]).toEqual([2, expect.stringContaining('there is no key of a log')])
})

test('rotates, retires and encrypts, and the log verifies by what is left', async () => {
  await cli(['keys', 'create', '--agent', 'buyer', '--data', dataDir])
  const [old] = await keys(['show'])
  const both = await keys(['rotate'])
  expect(both).toEqual([expect.stringMatching(/^bailiwick\.local\/main\+/), old])
  expect((await key(['rotate'])).err).toContain('Retire it first')
  // The command that recorded the new key has published with it on closing.
  expect(await keys(['retire'])).toEqual([both[0]])
  expect(await keys(['show'])).toEqual([both[0]])
  expect((await cli(['log', 'verify', '--data', dataDir])).out).toContain('The log is intact')

  const passphraseFile = join(dataDir, 'passphrase')
  await writeFile(passphraseFile, 'correct horse\n')
  const env = { BAILIWICK_LOG_KEY_PASSPHRASE_FILE: passphraseFile }
  expect((await key(['encrypt'])).err).toContain('there is no passphrase')
  expect((await key(['encrypt'], env)).code).toBe(0)
  expect(await readFile(join(dataDir, 'checkpoints', 'main.key'), 'utf8')).toContain('ENCRYPTED')
  expect((await cli(['keys', 'list', '--data', dataDir])).err).toContain('there is no passphrase for it')
  expect((await cli(['keys', 'list', '--data', dataDir], env)).code).toBe(0)
  expect((await cli(['log', 'verify', '--data', dataDir])).out).toContain('The log is intact')
})

test('a lost key is retired by its name, and an unknown one is not', async () => {
  const run = await key(['retire', 'bailiwick.local/main+00000000+AAAA'], {
    BAILIWICK_LOG_KEY_PASSPHRASE: 'correct horse',
  })
  expect([run.code, run.err]).toEqual([2, expect.stringContaining('the log knows no such key')])
})
