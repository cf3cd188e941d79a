import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLogKey, openCheckpoint } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { isSignedBy, readCheckpoint } from '../src/checkpoints/checkpoint-file.ts'
import {
  createLogKeyHere,
  encryptLogKeys,
  openLogKeys,
  readLogKeys,
  retireLogKey,
  rotateLogKey,
} from '../src/checkpoints/log-keys.ts'
import { Ledger, type LedgerOptions } from '../src/ledger.ts'
import { makeTestDir, removeTestDir } from './harness/data-dir.ts'
import {
  agent,
  faultOf,
  ledgerSite,
  policiesOf,
  records,
  refund,
  supportPolicy,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnPostgres } from './harness/postgres.ts'

const passphrase = 'correct horse'

describe('the keys of a log', () => {
  let dir: string
  beforeEach(async () => {
    dir = await makeTestDir()
  })
  afterEach(() => removeTestDir(dir))
  const path = (end: string) => join(dir, 'checkpoints', `main.${end}`)
  const make = (settings = {}) => openLogKeys(dir, 'main', settings, true)

  test('are made once, readable by their owner only, and the public half lies beside', async () => {
    const { origin, signers, verifierKeys } = await make()
    expect([origin, signers.length]).toEqual(['bailiwick.local/main', 1])
    expect(await readFile(path('vkey'), 'utf8')).toBe(`${verifierKeys[0] ?? ''}\n`)
    expect((await make()).verifierKeys).toEqual(verifierKeys)
    expect(await readFile(path('key'), 'utf8')).toContain('-----BEGIN PRIVATE KEY-----')
  })

  test('of two processes that make one at once, both have the same', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => make()))
    expect(new Set(made.map(({ verifierKeys }) => verifierKeys[0])).size).toBe(1)
  })

  test('where none may be made, nobody signs, and nothing is written', async () => {
    expect(await openLogKeys(dir, 'main', {}, false)).toMatchObject({ signers: [], verifierKeys: [] })
    await expect(readFile(path('key'), 'utf8')).rejects.toThrow('ENOENT')
  })

  test('bear the name that the settings give the log, and the log keeps it', async () => {
    const { origin, verifierKeys } = await make({ host: 'log.example.com' })
    expect(origin).toBe('log.example.com/main')
    expect(verifierKeys[0]).toMatch(/^log\.example\.com\/main\+/)
    expect((await make()).origin).toBe('log.example.com/main')
    const fault = await faultOf(make({ host: 'other.example.com' }))
    expect([fault.code, fault.message]).toEqual([
      'bad_input',
      'this log is `log.example.com/main`, and not `other.example.com/main`',
    ])
  })

  test.each(['a b', 'x/y', 'a+b', '', 'ü.example'])('%j cannot name a log', async (host) => {
    expect((await faultOf(make({ host }))).code).toBe('bad_input')
  })

  test('that are made with a passphrase are encrypted, and need it to sign, not to check', async () => {
    const { verifierKeys } = await make({ passphrase })
    expect(await readFile(path('key'), 'utf8')).toContain('-----BEGIN ENCRYPTED PRIVATE KEY-----')
    expect((await make({ passphrase })).verifierKeys).toEqual(verifierKeys)
    const missing = await faultOf(openLogKeys(dir, 'main', {}, true))
    expect(missing.message).toBe('the log key is encrypted, and there is no passphrase for it')
    const wrong = await faultOf(make({ passphrase: 'battery staple' }))
    expect(wrong.message).toBe('the log key cannot be decrypted with this passphrase')
    expect(await readLogKeys(dir, 'main')).toMatchObject({ signers: [], verifierKeys })
  })

  test('can be encrypted later, and stay the same keys', async () => {
    const { verifierKeys } = await make()
    expect((await faultOf(encryptLogKeys(dir, 'main', {}))).code).toBe('bad_input')
    await encryptLogKeys(dir, 'main', { passphrase })
    await encryptLogKeys(dir, 'main', { passphrase })
    expect((await make({ passphrase })).verifierKeys).toEqual(verifierKeys)
  })

  test('can be kept elsewhere: the first file is the current one, the others sign as well', async () => {
    const pems = [createLogKey('x').privateKeyPem, createLogKey('x', passphrase).privateKeyPem]
    const keyFiles = [join(dir, 'one.pem'), join(dir, 'two.pem')]
    await Promise.all(keyFiles.map((file, at) => writeFile(file, pems[at] ?? '')))
    const { signers, verifierKeys } = await make({ keyFiles, passphrase })
    expect([signers.length, verifierKeys.length]).toEqual([2, 2])
    await expect(readFile(path('key'), 'utf8')).rejects.toThrow('ENOENT')
    // Public keys are enough to check, and lie in the data directory.
    expect((await readLogKeys(dir, 'main')).verifierKeys).toEqual(verifierKeys)
    for (const change of [rotateLogKey, createLogKeyHere, encryptLogKeys]) {
      expect((await faultOf(change(dir, 'main', { keyFiles, passphrase }))).code).toBe('conflict')
    }
  })

  test.each(['no.pem', '.'])('a key file that cannot be read is named: %s', async (name) => {
    const fault = await faultOf(make({ keyFiles: [join(dir, name)] }))
    expect([fault.code, fault.message]).toEqual([
      'bad_input',
      `the log key \`${join(dir, name)}\` cannot be read`,
    ])
  })

  test('are replaced with an overlap: both sign until the old one is retired', async () => {
    const [old] = (await make()).verifierKeys
    const rotated = await rotateLogKey(dir, 'main', {})
    expect(rotated.verifierKeys).toEqual([rotated.verifierKeys[0], old])
    expect(rotated.signers).toHaveLength(2)
    expect((await faultOf(rotateLogKey(dir, 'main', {}))).code).toBe('conflict')
    expect((await faultOf(retireLogKey(dir, 'main', {}, () => false))).code).toBe('conflict')
    expect(await retireLogKey(dir, 'main', {}, () => true)).toBe(old)
    expect((await make()).verifierKeys).toEqual([rotated.verifierKeys[0]])
    expect((await faultOf(retireLogKey(dir, 'main', {}, () => true))).code).toBe('conflict')
  })

  test('a replacement that was cut short before the new key took its place changes nothing, and can be made again', async () => {
    const { verifierKeys } = await make()
    await writeFile(path('key.previous'), await readFile(path('key'), 'utf8'))
    expect((await make()).verifierKeys).toEqual(verifierKeys)
    expect((await rotateLogKey(dir, 'main', {})).verifierKeys).toHaveLength(2)
  })

  test('a data directory whose key was taken away does not sign with the one before it', async () => {
    await make()
    await rotateLogKey(dir, 'main', {})
    await rm(path('key'))
    expect((await openLogKeys(dir, 'main', {}, false)).signers).toEqual([])
  })
})

describeOnPostgres('signing with keys', (postgres) => {
  let site: LedgerSite
  let elsewhere: string
  const opened: Ledger[] = []
  beforeAll(async () => {
    site = await ledgerSite(postgres)
    elsewhere = await makeTestDir()
  })
  afterEach(async () => {
    await Promise.allSettled(opened.splice(0).map((ledger) => ledger.close()))
    await site.closeLedgers()
  })
  afterAll(async () => {
    await site.remove()
    await removeTestDir(elsewhere)
  })

  async function openedIn(
    dataDir: string,
    ledger: string,
    more: Partial<LedgerOptions> = {},
  ): Promise<Ledger> {
    const one = await Ledger.open({
      connection: site.database.config,
      policies: policiesOf(supportPolicy()),
      dataDir,
      ledger,
      consoleUrl: 'http://console.test/',
      ...more,
    })
    opened.push(one)
    return one
  }

  test('while a key is replaced, those who know either can check the checkpoint, and afterwards only the new one counts', async () => {
    const ledger = await site.open()
    await ledger.decide(agent, refund(1))
    const old = ledger.checkpoints.verifierKey
    await ledger.checkpoint()
    await rotateLogKey(site.dataDir, ledger.name, {})
    // The running process takes the new key up by itself, though nothing was recorded since.
    const note = await ledger.checkpoint()
    const current = ledger.checkpoints.verifierKey
    expect(current).not.toBe(old)
    for (const key of [old, current]) expect(openCheckpoint(note, [key]).size).toBe(2)
    expect((await ledger.verify()).kind).toBe('intact')
    await retireLogKey(site.dataDir, ledger.name, {}, (key) => isSignedBy(note, key))
    const after = await ledger.checkpoint()
    expect([isSignedBy(after, current), isSignedBy(after, old)]).toEqual([true, false])
    expect((await ledger.verify()).kind).toBe('intact')
  })

  test('the first key is remembered, and every further one is recorded once', async () => {
    const ledger = await site.open()
    await rotateLogKey(site.dataDir, ledger.name, {})
    await site.open(undefined, ledger.name)
    const again = await site.open(undefined, ledger.name)
    const keys = (await records(site, again)).filter(({ kind }) => kind === 'key')
    expect(keys).toMatchObject([
      { event: 'added', verifierKey: again.checkpoints.verifierKey, by: 'operator' },
    ])
  })

  test('a process with another data directory signs nothing by a key of its own, decides all the same, and closes', async () => {
    const ledger = await site.open()
    const other = await openedIn(elsewhere, ledger.name)
    expect((await other.decide(agent, refund(1))).effect).toBe('allow')
    expect((await faultOf(other.checkpoint())).code).toBe('conflict')
    await other.close()
    expect(await readCheckpoint(elsewhere, ledger.name)).toBeUndefined()
  })

  test('one that has to sign does not start without the key, and says what to do; with a key of its own that is recorded it does', async () => {
    const ledger = await site.open()
    const fault = await faultOf(openedIn(elsewhere, ledger.name, { mustSign: true }))
    expect([fault.code, fault.fix]).toEqual([
      'conflict',
      expect.stringMatching(/BAILIWICK_LOG_KEY.+BAILIWICK_IDENTITY_KEY_FILE/),
    ])
    await createLogKeyHere(elsewhere, ledger.name, {})
    const other = await openedIn(elsewhere, ledger.name, { mustSign: true })
    expect((await records(site, other)).at(-1)).toMatchObject({
      kind: 'key',
      event: 'added',
      verifierKey: other.checkpoints.verifierKey,
    })
    expect(openCheckpoint(await other.checkpoint(), [other.checkpoints.verifierKey]).size).toBe(2)
  })

  test('two processes with the same key file sign alike', async () => {
    const file = join(elsewhere, 'shared.pem')
    await writeFile(file, createLogKey('x').privateKeyPem)
    const logKey = { keyFiles: [file] }
    const one = await openedIn(elsewhere, 'shared', { mustSign: true, logKey })
    const another = await makeTestDir()
    const other = await openedIn(another, 'shared', { mustSign: true, logKey })
    expect(await other.checkpoint()).toBe(await one.checkpoint())
    await Promise.all([one.close(), other.close()])
    await removeTestDir(another)
  })
})
