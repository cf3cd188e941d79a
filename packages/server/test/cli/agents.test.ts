import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeRunningDataDir } from '../../../store/test/harness/cluster-copy.ts'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { cli } from './run-cli.ts'

let dataDir: string
let stopDatabase: () => Promise<unknown>
beforeAll(async () => {
  dataDir = await makeTestDir()
  stopDatabase = await makeRunningDataDir(dataDir)
})
afterAll(async () => {
  await stopDatabase()
  await removeTestDir(dataDir)
})

const agents = (...args: readonly string[]) => cli(['agents', ...args, '--data', dataDir])
const people = (...args: readonly string[]) => cli(['people', ...args, '--data', dataDir])

test('suspends, lists and resumes an agent, and says where it was so already', async () => {
  await cli(['keys', 'create', '--agent', 'buyer', '--data', dataDir])
  expect((await agents('suspend', 'buyer', '--reason', 'odd orders')).out).toBe(
    'The agent buyer is suspended.\n',
  )
  expect((await agents('suspend', 'buyer', '--reason', 'odd orders')).out).toBe(
    'The agent buyer is already suspended.\n',
  )
  expect((await agents('list')).out).toMatch(
    /^buyer {2}1 key {2}suspended since \S+ by operator: odd orders\n$/,
  )
  expect((await agents('list', '--json')).json).toMatchObject({
    agents: [{ agent: 'buyer', policy: null, keys: 1, suspension: { reason: 'odd orders', by: 'operator' } }],
  })
  const resumed = await agents('resume', 'buyer', '--reason', 'looked into', '--json')
  expect(resumed.json).toEqual({ agent: 'buyer', state: 'active', index: expect.any(Number) as number })
  expect((await agents('list')).out).toBe('buyer  1 key  active\n')
})

test('suspends every agent at once', async () => {
  expect((await agents('suspend', '*', '--reason', 'incident 12')).out).toBe('Every agent is suspended.\n')
  expect((await agents('list')).out).toContain('*  0 keys  suspended since')
  expect((await agents('list')).out).toContain('buyer  1 key  suspended with all agents')
  expect((await agents('resume', 'buyer', '--reason', 'over')).out).toBe(
    "The agent buyer is already not suspended by its name, and still is with all agents: `bailiwick agents resume '*'` ends that.\n",
  )
  await agents('resume', '*', '--reason', 'over')
})

test.each([
  [['suspend', 'buyer'], /--reason/],
  [['suspend', 'buyer', '--reason', ' '], /a suspension needs a reason/],
  [['suspend', 'two words', '--reason', 'x'], /`two words` is no agent id/],
])('%j is refused', async (args, message) => {
  const run = await agents(...args)
  expect(run.code).toBe(2)
  expect(run.err).toMatch(message)
})

test('removes people and ends their sessions, and refuses for those who are not there', async () => {
  await people('add', 'ann@example.com', '--role', 'approver')
  expect((await people('sign-out', 'ann@example.com')).out).toBe(
    'ann@example.com is signed out everywhere.\n',
  )
  expect((await people('remove', 'Ann@example.com')).out).toBe('ann@example.com is removed.\n')
  const again = await people('remove', 'ann@example.com')
  expect(again.code).toBe(2)
  expect(again.err).toContain('no person `ann@example.com`')
})
