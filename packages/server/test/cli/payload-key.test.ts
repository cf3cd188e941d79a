import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ledger, loadPolicies, openDatabase, PayloadKey, type OpenedDatabase } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeDataDir } from '../../../store/test/harness/cluster-copy.ts'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { payloadKeySettings } from '../../src/payload-key-settings.ts'
import { agentId, writePolicy } from '../harness/policies.ts'
import { cli } from './run-cli.ts'

const text = randomBytes(32).toString('base64')
const key = new PayloadKey(text)
const other = randomBytes(32).toString('hex')
const env = { BAILIWICK_PAYLOAD_KEY: text }

let dir: string
let dataDir: string
let policies: Awaited<ReturnType<typeof loadPolicies>>
let database: OpenedDatabase
let ledger: Ledger

beforeAll(async () => {
  dir = await makeTestDir()
  dataDir = join(dir, 'data')
  await makeDataDir(dataDir)
  database = await openDatabase({ dataDir })
  policies = await loadPolicies(
    await writePolicy(dir, { text: `agent_id: ${agentId}\nallowed_actions: [pay]\nsubject: params.to\n` }),
  )
  ledger = await opened(key)
  await ledger.sealing.start()
})
afterAll(async () => {
  await ledger.close()
  await database.leave()
  await removeTestDir(dir)
})

const opened = (payloadKey: PayloadKey) =>
  Ledger.open({
    connection: database.connection,
    policies,
    dataDir,
    consoleUrl: 'http://127.0.0.1:7420',
    payloadKey,
  })
const pay = async (to: string) => (await ledger.decide(agentId, { action: 'pay', params: { to } })).id
const run = (args: readonly string[], more: Readonly<Record<string, string>> = env) =>
  cli([...args, '--data', dataDir], more)

describe('the payload key', () => {
  test('is read from the environment or a file, and from one of them alone', async () => {
    const file = join(dir, 'payload.key')
    await writeFile(file, `${text}\n`)
    expect((await payloadKeySettings(env))?.id).toBe(key.id)
    expect((await payloadKeySettings({ BAILIWICK_PAYLOAD_KEY_FILE: file }))?.id).toBe(key.id)
    expect(await payloadKeySettings({ BAILIWICK_PAYLOAD_KEY: '' })).toBeUndefined()
    const refused = expect.objectContaining({ code: 'bad_input' }) as unknown
    for (const wrong of [
      { ...env, BAILIWICK_PAYLOAD_KEY_FILE: file },
      { BAILIWICK_PAYLOAD_KEY: 'secret' },
      { BAILIWICK_PAYLOAD_KEY_FILE: join(dir, 'nothing') },
    ]) {
      await expect(payloadKeySettings(wrong)).rejects.toThrow(refused)
    }
  })

  test('is not in a proof: what is sealed goes into a bundle as it is stored, and everybody says so', async () => {
    const id = await pay('cu-proven')
    await ledger.checkpoint()
    const bundle = join(dir, 'sealed.json')
    const proved = await run(['log', 'prove', id, '--with-payload', '--reason', 'audit 6', '--out', bundle])
    expect(proved.code).toBe(0)
    expect(proved.err).toContain('is sealed, and the record commits to it as it is stored')
    expect(await readFile(bundle, 'utf8')).not.toContain('cu-proven')
    const own = ['--key', join(dataDir, 'checkpoints/main.vkey')]
    const text = await cli(['log', 'verify', '--bundle', bundle, ...own])
    expect(text).toMatchObject({ code: 0, out: expect.stringContaining('it is sealed') })
    const json = await cli(['log', 'verify', '--bundle', bundle, '--json', ...own])
    expect(JSON.parse(json.out)).toMatchObject({ proven: true, payload: 'sealed' })
  })

  test('is shown by its id; without the right one the exit code says that calls are refused', async () => {
    await pay('ann')
    const shown = await run(['payload-key', 'show'])
    expect(shown).toMatchObject({ code: 0 })
    expect(shown.out).toBe(
      `Payloads that hold data of people are sealed under the payload key ${key.id}.\nThe payload key that is set here is ${key.id}.\n2 people have keys under ${key.id}.\n`,
    )
    for (const wrong of [{}, { BAILIWICK_PAYLOAD_KEY: other }]) {
      const { code, out } = await run(['payload-key', 'show'], wrong)
      expect(code).toBe(1)
      expect(out).toContain('Calls that hold data of people are refused.')
    }
    expect((await run(['payload-key', 'show', '--json'])).json).toMatchObject({ state: 'on', refuses: false })
  })

  test('has a decision explained, and one without it does not', async () => {
    const id = await pay('bob')
    expect(await run(['explain', id])).toMatchObject({ code: 0 })
    expect(await run(['explain', id], {})).toMatchObject({ code: 2 })
    expect((await run(['explain', id], {})).err).toContain('BAILIWICK_PAYLOAD_KEY')
  })

  test('has records found by what they hold; without it they are marked as sealed', async () => {
    await pay('found-me')
    const found = await run(['log', 'search', '--action', 'pay', '--text', 'found-me', '--json'])
    expect(found.json).toMatchObject({ payload: { params: { to: 'found-me' } } })
    expect((await run(['log', 'search', '--action', 'pay', '--text', 'found-me'], {})).out).toBe(
      'Nothing was found.\n',
    )
    expect((await run(['log', 'search', '--action', 'pay', '--limit', '1'], {})).out).toContain('(sealed)')
  })

  test('is missed by verification, which says what it did not check without it', async () => {
    await pay('vera')
    const said =
      'Not checked without the payload key that payloads are sealed under: whether the keys of people'
    expect((await run(['log', 'verify'])).out).not.toContain('Not checked')
    for (const without of [{}, { BAILIWICK_PAYLOAD_KEY: other }]) {
      const { code, out } = await run(['log', 'verify'], without)
      expect(code).toBe(0)
      expect(out).toMatch(/^The log is intact: /)
      expect(out).toContain(said)
    }
  })

  test('of a person is destroyed by erasing the person, and the command says so', async () => {
    const id = await pay('carl')
    const dry = await run(['erase', '--subject', 'carl', '--dry-run'], {})
    expect(dry.out).toContain('Would destroy the key of the person')
    const erased = await run(['erase', '--subject', 'carl', '--reason', 'request 3', '--yes'], {})
    expect(erased.out).toContain('Destroyed the key of the person')
    expect(await ledger.decision(id)).toMatchObject({ params: null, erased: true })
    expect((await run(['log', 'verify'], {})).code).toBe(0)
  })

  test('is changed, switched off and replaced only by whoever says that it is meant', async () => {
    const file = join(dir, 'next.key')
    await writeFile(file, other)
    const { size } = await ledger.head()
    for (const args of [
      ['payload-key', 'off'],
      ['payload-key', 'rotate', '--to-file', file],
    ]) {
      expect((await run(args)).code).toBe(2)
    }
    expect((await run(['payload-key', 'on'], { BAILIWICK_PAYLOAD_KEY: other })).code).toBe(2)
    expect((await run(['payload-key', 'on', '--yes'], {})).code).toBe(2)
    expect((await ledger.head()).size).toBe(size)
    expect((await run(['payload-key', 'on'])).out).toBe('It was so already.\n')
  })

  test('is rotated: the next service reads with the new one', async () => {
    const id = await pay('dora')
    const file = join(dir, 'next.key')
    await writeFile(file, other)
    const rotated = await run(['payload-key', 'rotate', '--to-file', file, '--yes'])
    expect(rotated.out).toMatch(
      /^It is so from record \d+ on\. Start the services with the payload key [0-9a-f]{16}\.\n$/,
    )
    expect(await run(['explain', id], { BAILIWICK_PAYLOAD_KEY: other })).toMatchObject({ code: 0 })
    expect(await run(['explain', id])).toMatchObject({ code: 2 })
    const off = await run(['payload-key', 'off', '--yes'], {})
    expect(off).toMatchObject({ code: 0 })
    expect(await pay('eve')).toMatch(/^dec_/)
  })
})
