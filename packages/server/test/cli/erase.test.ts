import { join } from 'node:path'
import { Ledger, loadPolicies, openDatabase, type OpenedDatabase } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeDataDir } from '../../../store/test/harness/cluster-copy.ts'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { agentId, writePolicy } from '../harness/policies.ts'
import { cli } from './run-cli.ts'

let dir: string
let dataDir: string
let database: OpenedDatabase
let ledger: Ledger

beforeAll(async () => {
  dir = await makeTestDir()
  dataDir = join(dir, 'data')
  await makeDataDir(dataDir)
  database = await openDatabase({ dataDir })
  const policies = await loadPolicies(
    await writePolicy(dir, { text: `agent_id: ${agentId}\nallowed_actions: [pay]\nsubject: params.to\n` }),
  )
  const { connection } = database
  ledger = await Ledger.open({ connection, policies, dataDir, consoleUrl: 'http://127.0.0.1:7420' })
})
afterAll(async () => {
  await ledger.close()
  await database.leave()
  await removeTestDir(dir)
})

const pay = async (to: string | number) =>
  (await ledger.decide(agentId, { action: 'pay', params: { to } })).id
const erase = (...args: readonly string[]) => cli(['erase', '--data', dataDir, ...args])
const paramsOf = async (id: string) => (await ledger.decision(id)).params

test('a key for an agent that no policy in force governs is made, with a word that it may be misspelt', async () => {
  const create = (agent: string) => cli(['keys', 'create', '--data', dataDir, '--agent', agent])
  expect((await create(agentId)).err).not.toContain('No policy')
  const { code, err } = await create(`${agentId}x`)
  expect(code).toBe(0)
  expect(err).toContain(`No policy that is in force governs \`${agentId}x\``)
})

describe('bailiwick erase', () => {
  test('erases a call while the service runs, and the log verifies', async () => {
    const id = await pay('ann')
    const run = await erase('--decision', id, '--reason', 'request 1', '--yes')
    expect(run).toMatchObject({ code: 0 })
    expect(run.out).toMatch(/^Erased 1 payload, of records \d+; recorded as \d+\.\nBackups/)
    // What it has done is said once.
    expect(run.err).toBe('')
    expect(await paramsOf(id)).toBeNull()
    expect((await cli(['log', 'verify', '--data', dataDir])).out).toContain(
      '1 of them with an erased payload',
    )
    expect((await erase('--decision', id, '--reason', 'again', '--yes')).out).toBe(
      'There is nothing left to erase.\n1 payload had been erased before.\n',
    )
  })

  test('erases all of a person, by a text that was recorded as a number, too', async () => {
    const ids = [await pay(7), await pay('7'), await pay('8')]
    const dry = await erase('--subject', '7', '--dry-run', '--json')
    expect(dry.json).toMatchObject({
      erased: ids.slice(0, 2).map((id) => Number(id.slice(4))),
      recordedAs: [],
    })
    expect(await paramsOf(ids[0] ?? '')).toEqual({ to: 7 })
    const run = await erase('--subject', '7', '--reason', 'request 2', '--yes', '--json')
    expect(run.json).toMatchObject({ erased: (dry.json as { erased: unknown }).erased, vacuumed: true })
    expect(await Promise.all(ids.map(paramsOf))).toEqual([null, null, { to: '8' }])
  })

  test('says that nothing is left of a person a second time, and claims nothing of what was before', async () => {
    const left =
      /^There is nothing left to erase\. Where nothing was ever erased of this person, look whether .+\n$/
    await pay('eve')
    expect((await erase('--subject', 'eve', '--reason', 'request 3', '--yes')).out).toMatch(
      /^Erased 1 payload/,
    )
    for (const subject of ['eve', 'nobody']) {
      const run = await erase('--subject', subject, '--reason', 'again', '--yes')
      expect(run).toMatchObject({ code: 0, out: expect.stringMatching(left) })
      const again = await erase('--subject', subject, '--reason', 'again', '--yes', '--json')
      expect(again.json).toMatchObject({ erased: [], before: 0, recordedAs: [] })
    }
  })

  test('erases nothing without --yes, without a reason, or where it is not clear what', async () => {
    const id = await pay('bob')
    const size = (await ledger.head()).size
    for (const args of [
      ['--decision', id, '--reason', 'x'],
      ['--decision', id, '--yes'],
      ['--decision', id, '--reason', ' ', '--yes'],
      ['--decision', id, '--subject', 'bob', '--reason', 'x', '--yes'],
      ['--reason', 'x', '--yes'],
      ['--decision', 'dec_9999', '--reason', 'x', '--yes'],
      ['--decision', 'bob', '--reason', 'x', '--yes'],
    ]) {
      const run = await erase(...args)
      expect({ args, code: run.code, out: run.out }).toEqual({ args, code: 2, out: '' })
      expect(run.err).not.toBe('')
    }
    expect(await paramsOf(id)).toEqual({ to: 'bob' })
    expect((await ledger.head()).size).toBe(size)
  })

  test('starts no log where there is none', async () => {
    const run = await cli(['erase', '--data', join(dir, 'none'), '--subject', 'x', '--reason', 'y', '--yes'])
    expect(run).toMatchObject({ code: 2, err: expect.stringContaining('there is no log') })
  })
})
