import { createHash } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { directoryStore } from '../src/archive/directory-store.ts'
import type { ArchiveStore, PutFile } from '../src/archive/store.ts'
import { makeTestDir, removeTestDir } from './harness/data-dir.ts'
import { faultOf } from './harness/ledger.ts'

const key = 'main/0-4/payloads.jsonl.gz'
const part = { version: null, offset: 0, bytes: 6 }

let dir: string
let root: string
let outside: string
let store: ArchiveStore
beforeEach(async () => {
  dir = await makeTestDir()
  root = join(dir, 'archive')
  outside = join(dir, 'outside')
  for (const each of [root, outside]) await mkdir(each)
  store = directoryStore(pathToFileURL(root))
  await store.put(key, await file('honest'))
  await writeFile(join(outside, 'payloads.jsonl.gz'), 'others')
})
afterEach(() => removeTestDir(dir))

async function file(text: string): Promise<PutFile> {
  const path = join(dir, 'put')
  await writeFile(path, text)
  const sha256 = createHash('sha256').update(text).digest('hex')
  return { path, bytes: Buffer.byteLength(text), sha256, keepUntil: undefined }
}

/** What stands in the place of the object, or of a directory on the way to it. */
const links = [
  ['the object is a link', key, 'payloads.jsonl.gz'],
  ['the object is a link to nothing', key, 'nothing'],
  ['the directory of its segment is a link', 'main/0-4', ''],
  ['the directory of its ledger is a link', 'main', ''],
] as const

async function link(place: string, target: string): Promise<void> {
  await rename(join(root, place), join(dir, 'aside'))
  // The way to the object is whole behind the link.
  await mkdir(join(outside, '0-4'))
  await writeFile(join(outside, '0-4', 'payloads.jsonl.gz'), 'others')
  await symlink(join(outside, target), join(root, place))
}

async function isUntouched(place: string): Promise<void> {
  expect((await lstat(join(root, place))).isSymbolicLink()).toBe(true)
  expect((await readdir(outside, { recursive: true })).sort()).toEqual([
    '0-4',
    '0-4/payloads.jsonl.gz',
    'payloads.jsonl.gz',
  ])
  for (const each of ['payloads.jsonl.gz', '0-4/payloads.jsonl.gz']) {
    expect(await readFile(join(outside, each), 'utf8')).toBe('others')
  }
}

describe('In a directory as an archive', () => {
  describe.each(links)('where %s', (_what, place, target) => {
    beforeEach(() => link(place, target))

    const refused = { code: 'log_broken', message: expect.stringContaining('the symbolic link') as unknown }

    test('it is not read', async () => {
      expect(await faultOf(store.read(key, part))).toMatchObject(refused)
      await isUntouched(place)
    })

    test('nothing is written through it, not even what lies there already', async () => {
      for (const text of ['others', 'forged']) {
        expect(await faultOf(store.put(key, await file(text)))).toMatchObject(refused)
      }
      await isUntouched(place)
    })

    test('nothing is removed through it', async () => {
      expect(await faultOf(store.remove(key))).toMatchObject(refused)
      await isUntouched(place)
    })
  })

  test('objects that are none are read, written and removed', async () => {
    expect((await store.read(key, part)).toString()).toBe('honest')
    await store.put(key, await file('better'))
    expect((await store.read(key, part)).toString()).toBe('better')
    await store.remove(key)
    await store.remove(key)
    expect((await faultOf(store.read(key, part))).message).toContain('is not there')
  })

  test('the directory itself may be a link: where it lies is for the operator to say', async () => {
    await symlink(root, join(dir, 'linked'))
    const linked = directoryStore(pathToFileURL(join(dir, 'linked')))
    expect((await linked.read(key, part)).toString()).toBe('honest')
    await linked.put('main/4-8/leaves.bin', await file('leaves'))
    expect((await store.read('main/4-8/leaves.bin', part)).toString()).toBe('leaves')
    await linked.remove(key)
    expect((await faultOf(store.read(key, part))).message).toContain('is not there')
  })
})
