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

const keys = (...args: readonly string[]) => cli(['keys', ...args, '--data', dataDir])
const people = (...args: readonly string[]) => cli(['people', ...args, '--data', dataDir])

interface ListedKeys {
  readonly keys: readonly { readonly id: string; readonly expiresAt: string | null }[]
}

test('makes keys that are good for ever or for a while, and shows each once', async () => {
  const made = await keys('create', '--agent', 'buyer')
  expect(made.out).toMatch(/^bw_[0-9a-f]{16}_[A-Za-z0-9_-]{43}\n$/)
  expect(made.err).toMatch(/speaks for buyer\. It is not shown again\.\n$/)
  const before = Date.now()
  const { json } = await keys('create', '--agent', 'buyer', '--expires', '90d', '--json')
  const { expiresAt } = json as { readonly expiresAt: string }
  expect(Date.parse(expiresAt) - before).toBeGreaterThanOrEqual(90 * 24 * 60 * 60 * 1000)
  const list = await keys('list')
  expect(list.out).toMatch(/ {2}buyer {2}\S+ {2}in use {2}never used\n/)
  expect(list.out).toContain(`ends ${expiresAt}`)
  expect(list.out).not.toContain(made.out.slice(20).trim())
})

test('rotates a key that ends into one that is good as long, unless another time is given', async () => {
  const made = (await keys('create', '--agent', 'lodger', '--expires', '2d', '--json')).json as {
    id: string
    expiresAt: string
  }
  const rotated = (await keys('rotate', made.id, '--json')).json as { id: string; expiresAt: string }
  const lifetimeMs = Date.parse(rotated.expiresAt) - Date.parse(made.expiresAt)
  expect(Math.abs(lifetimeMs)).toBeLessThan(60_000)
  const shorter = (await keys('rotate', rotated.id, '--expires', '1d', '--json')).json as {
    expiresAt: string
  }
  expect(Date.parse(shorter.expiresAt)).toBeLessThan(Date.parse(rotated.expiresAt))
})

test('rotates a key: the new one takes its place, the old one ends after the overlap', async () => {
  const old = (await keys('create', '--agent', 'seller', '--json')).json as { readonly id: string }
  const rotated = (await keys('rotate', old.id, '--overlap', '2h', '--json')).json as {
    readonly id: string
    readonly oldEndsAt: string
  }
  expect(rotated).toMatchObject({ agent: 'seller', replaces: old.id, expiresAt: null })
  const listed = ((await keys('list', '--json')).json as ListedKeys).keys
  expect(listed.find(({ id }) => id === old.id)?.expiresAt).toBe(rotated.oldEndsAt)
  expect(listed.find(({ id }) => id === rotated.id)?.expiresAt).toBeNull()
  const { err } = await keys('rotate', rotated.id)
  expect(err).toContain(`The key ${rotated.id} ends `)
})

test('lists a key whose time has come as ended, and one whose time will come as in use', async () => {
  const old = (await keys('create', '--agent', 'clerk', '--json')).json as { readonly id: string }
  await keys('rotate', old.id, '--overlap', '0h', '--expires', '90d')
  const { out } = await keys('list')
  expect(out).toMatch(new RegExp(`^${old.id}  clerk  \\S+  ended \\S+Z  never used$`, 'm'))
  expect(out).toMatch(/ {2}clerk {2}\S+ {2}in use, ends \S+Z {2}never used$/m)
  const { json } = await keys('list', '--json')
  const states = (json as { keys: { id: string; agent: string; state: string }[] }).keys
    .filter(({ agent }) => agent === 'clerk')
    .map(({ id, state }) => [id === old.id, state])
  expect(states).toEqual([
    [true, 'ended'],
    [false, 'good'],
  ])
})

test.each([
  [['rotate', 'none'], /no key/],
  [['rotate', 'none', '--overlap', 'soon'], /`soon` is no time/],
  [['rotate', 'none', '--overlap', '91d'], /between nothing and 90 days/],
  [['create', '--agent', 'buyer', '--expires', '-1d'], /`-1d` is no time/],
  [['revoke', 'none'], /no key/],
])('refuses %j', async (args, message) => {
  const { code, err } = await keys(...args)
  expect(code).toBe(2)
  expect(err).toMatch(message)
})

test('resets a person’s account, who is then let in by a link', async () => {
  await people('add', 'ann@example.com', '--role', 'approver')
  expect((await people('reset', 'Ann@example.com', '--json')).json).toEqual({
    id: 'ann@example.com',
    reset: true,
  })
  expect((await people('reset', 'ann@example.com')).out).toMatch(
    /^ann@example.com has no password, app or passkey .*\n$/,
  )
  expect((await people('reset', 'nobody@example.com')).code).toBe(2)
})

test('says when nobody is left who may change people, or the last one gives that up', async () => {
  const nobody = /^Nobody has the role `administrator` now/m
  expect((await people('add', 'root@example.com', '--role', 'administrator')).err).not.toMatch(nobody)
  await people('add', 'second@example.com', '--role', 'administrator')
  for (const { id } of (
    (await people('list', '--json')).json as { people: { id: string; roles: string[] }[] }
  ).people) {
    if (['root@example.com', 'second@example.com'].includes(id)) continue
    expect((await people('remove', id, '--json')).json).toEqual({ id, removed: true, withdrawn: [] })
  }
  expect((await people('remove', 'second@example.com')).err).not.toMatch(nobody)
  expect((await people('add', 'root@example.com', '--role', 'viewer')).err).toMatch(nobody)
  expect((await people('remove', 'root@example.com')).err, 'nobody was left before').not.toMatch(nobody)
  await people('add', 'root@example.com', '--role', 'administrator')
  expect((await people('remove', 'root@example.com')).err).toMatch(nobody)
})
