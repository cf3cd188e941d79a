import {
  appendLeaves,
  emptyFrontier,
  frontierRoot,
  leafHash,
  openCheckpoint,
  parseTilePath,
  verifyConsistency,
  verifyInclusion,
  verifyProofBundle,
} from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { GovernanceEnforcer } from '../src/enforcer.ts'
import { readLeafHashes, readRecordTexts } from '../src/log/batches.ts'
import { TileHashes, type RecordSource } from '../src/log/tile-hashes.ts'
import type { Ledger } from '../src/ledger.ts'
import { LogTiles } from '../src/tiles.ts'
import {
  agent,
  faultOf,
  ledgerSite,
  otherAgent,
  policiesOf,
  records,
  refund,
  supportPolicy,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

describeOnOnePostgres('the log as tiles', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  let texts: string[]
  let leaves: Buffer[]
  let note: string

  beforeAll(async () => {
    site = await ledgerSite(postgres)
    ledger = await site.open(policiesOf(supportPolicy(), supportPolicy('', otherAgent)))
    // Batches of many sizes: a few records alone, then as they come.
    for (let at = 0; at < 5; at++) await ledger.decide(agent, refund(at))
    const calls = Array.from({ length: 700 }, (_, at) =>
      ledger.decide(at % 7 === 0 ? otherAgent : agent, refund(at % 300)),
    )
    await Promise.all(calls)
    note = await ledger.checkpoint()
    const rows = await site.query<{ record: string; leaf_hash: Buffer }>(
      'select record, leaf_hash from log_entry where ledger = $1 order by index',
      [ledger.name],
    )
    texts = rows.map(({ record }) => record)
    leaves = rows.map(({ leaf_hash: hash }) => hash)
  })
  afterEach(async () => {
    await site.query('delete from log_tile_hash')
  })
  afterAll(() => site.remove())

  const tile = (path: string) => {
    const parsed = parseTilePath(path)
    if (parsed === undefined) throw new Error(`no tile: ${path}`)
    return ledger.tiles.read(parsed)
  }
  const rootOf = (from: number, to: number) =>
    frontierRoot(appendLeaves(emptyFrontier, leaves.slice(from, to)))
  const stored = async () =>
    (
      await site.query<{ level: number; index: string; hash: Buffer }>(
        'select level, index, hash from log_tile_hash where ledger = $1 order by level, index',
        [ledger.name],
      )
    ).map(({ level, index, hash }) => [level, Number(index), hash] as const)

  test('has 707 records, more than one full tile', () => {
    expect(openCheckpoint(note, [ledger.checkpoints.verifierKey]).size).toBe(707)
    expect(leaves).toHaveLength(707)
  })

  test('has its leaf hashes at level 0, full and partial, wherever batches begin and end', async () => {
    expect(await tile('tile/0/000')).toEqual(Buffer.concat(leaves.slice(0, 256)))
    expect(await tile('tile/0/001')).toEqual(Buffer.concat(leaves.slice(256, 512)))
    expect(await tile('tile/0/002.p/195')).toEqual(Buffer.concat(leaves.slice(512, 707)))
    expect(await tile('tile/0/002.p/1')).toEqual(Buffer.concat(leaves.slice(512, 513)))
  })

  test('has the root of each full tile at level 1', async () => {
    const expected = Buffer.concat([rootOf(0, 256), rootOf(256, 512)])
    expect(await tile('tile/1/000.p/2')).toEqual(expected)
  })

  test('has its records, each after its length, whose leaf hashes are those of level 0', async () => {
    const bundle = await tile('tile/entries/002.p/195')
    const read: Buffer[] = []
    for (let at = 0; at < bundle.length;) {
      const end = at + 2 + bundle.readUInt16BE(at)
      read.push(bundle.subarray(at + 2, end))
      at = end
    }
    expect(read.map(String)).toEqual(texts.slice(512))
    expect(Buffer.concat(read.map(leafHash))).toEqual(await tile('tile/0/002.p/195'))
  })

  test('ends where the published log does', async () => {
    for (const path of [
      'tile/0/002',
      'tile/0/002.p/196',
      'tile/1/000.p/3',
      'tile/2/000.p/1',
      'tile/0/003.p/1',
    ]) {
      expect(await faultOf(tile(path))).toMatchObject({ code: 'not_found' })
    }
    expect(await faultOf(tile('tile/entries/002.p/196'))).toMatchObject({ code: 'not_found' })
    expect(await faultOf(tile('tile/63/x001/000'))).toMatchObject({ code: 'not_found' })
  })

  test('shows a record once a checkpoint for it was published, and not when it was committed', async () => {
    const own = await site.open()
    const read = () => own.tiles.read({ level: 0, index: 0, width: 2 })
    await own.decide(agent, refund(1))
    expect(await faultOf(read())).toMatchObject({ code: 'not_found' })
    await own.checkpoint()
    expect(await read()).toHaveLength(64)
  })

  test('keeps what it worked out of levels above 0, in the background or for who asked first', async () => {
    expect(await stored()).toEqual([])
    await tile('tile/1/000.p/1')
    expect(await stored()).toEqual([[1, 0, rootOf(0, 256)]])
    const fresh = new LogTiles({
      client: ledger.pool,
      ledger: ledger.name,
      published: () => Promise.resolve(707),
    })
    expect(await fresh.fill()).toBe(1)
    expect(await fresh.fill()).toBe(0)
    expect(await stored()).toEqual([
      [1, 0, rootOf(0, 256)],
      [1, 1, rootOf(256, 512)],
    ])
  })

  test('works a hash out again that is missing between others', async () => {
    await tile('tile/1/000.p/2')
    await site.query('delete from log_tile_hash where index = 0')
    expect(await tile('tile/1/000.p/2')).toEqual(Buffer.concat([rootOf(0, 256), rootOf(256, 512)]))
    expect((await stored()).map(([, index]) => index)).toEqual([0, 1])
  })

  test('is read in parts where batches hold more, and up to the first record that is missing', async () => {
    const { pool, name } = ledger
    for (const [from, to] of [
      [0, 1],
      [3, 300],
      [500, 707],
      [700, 800],
      [707, 800],
    ] as const) {
      expect(await readRecordTexts(pool, name, from, to)).toEqual(texts.slice(from, to))
      expect(await readLeafHashes(pool, name, from, to)).toEqual(Buffer.concat(leaves.slice(from, to)))
    }
    await site.query(
      "insert into log_batch select 'torn', first, at, leaf_hashes, records, salts, bodies from log_batch where ledger = $1 and first <> 3",
      [name],
    )
    expect(await readRecordTexts(pool, 'torn', 1, 20)).toEqual(texts.slice(1, 3))
    expect(await readRecordTexts(pool, 'torn', 3, 20)).toEqual([])
    expect(await readLeafHashes(pool, 'torn', 0, 20)).toEqual(Buffer.concat(leaves.slice(0, 3)))
    await site.query("delete from log_batch where ledger = 'torn'")
  })

  test('proves every record of its own against the published checkpoint', async () => {
    for (const index of [0, 1, 5, 255, 256, 511, 512, 706]) {
      const bundle = await ledger.prove(index)
      expect(bundle).toMatchObject({ index, size: 707, checkpoint: note, record: texts[index] })
      expect(verifyProofBundle(bundle, [ledger.checkpoints.verifierKey])).toMatchObject({ kind: 'proven' })
    }
    expect(await ledger.prove('dec_300')).toEqual(await ledger.prove(300))
  })

  test('proves a record in the tree of an earlier size, whose checkpoint the asker has', async () => {
    const bundle = await ledger.prove(5, { size: 300 })
    expect(bundle.checkpoint).toBeNull()
    const proof = bundle.proof.map((hash) => Buffer.from(hash, 'base64'))
    const leaf = leaves[5] ?? Buffer.alloc(0)
    expect(verifyInclusion({ index: 5, size: 300, leaf, proof, root: rootOf(0, 300) })).toBe(true)
    expect(await faultOf(ledger.prove(300, { size: 300 }))).toMatchObject({ code: 'not_found' })
    expect(await faultOf(ledger.prove(5, { size: 708 }))).toMatchObject({ code: 'not_found' })
  })

  test('proves nothing of what it does not hold, and to an agent only what is its own', async () => {
    expect(await faultOf(ledger.prove(707))).toMatchObject({ code: 'not_found' })
    for (const which of ['dec_', 'x', '-1', '01', '1e3', '99999999999999999999']) {
      expect(await faultOf(ledger.prove(which))).toMatchObject({ code: 'bad_input' })
    }
    const all = await records(site, ledger)
    const others = all.find((record) => record.kind === 'decision' && record.agent === otherAgent)
    const own = all.find((record) => record.kind === 'decision' && record.agent === agent)
    const policy = all.find((record) => record.kind === 'policy')
    for (const record of [others, policy]) {
      expect(await faultOf(ledger.prove(record?.index ?? 0, { agent }))).toMatchObject({ code: 'not_found' })
    }
    expect(await ledger.prove(own?.index ?? 0, { agent })).toMatchObject({ index: own?.index })
  })

  test('puts the payload into a bundle only where that is asked for, and says where it was erased', async () => {
    const keys = [ledger.checkpoints.verifierKey]
    expect((await ledger.prove(10)).payload).toEqual({ state: 'withheld' })
    const bundle = await ledger.prove(10, { withPayload: true })
    expect(bundle.payload).toMatchObject({ state: 'included' })
    expect(verifyProofBundle(bundle, keys)).toMatchObject({ kind: 'proven', payload: 'committed' })

    const own = await site.open()
    await own.decide(agent, refund(1))
    await site.query(
      "update log_batch set bodies = '', salts = decode(repeat('00', 32), 'hex'), erased = '{1}' where ledger = $1 and first = 1",
      [own.name],
    )
    const erased = await own.prove(1, { withPayload: true })
    expect(erased.payload).toEqual({ state: 'erased' })
    expect(verifyProofBundle(erased, [own.checkpoints.verifierKey])).toMatchObject({ kind: 'proven' })
  })

  test('proves that it has only grown', async () => {
    for (const [from, to] of [
      [1, 707],
      [256, 512],
      [255, 257],
      [500, 500],
      [512, 707],
    ] as const) {
      const { proof, ...rest } = await ledger.consistency(from, to)
      expect(rest).toMatchObject({ from, to, toRoot: rootOf(0, to).toString('base64') })
      const claim = { from, to, fromRoot: rootOf(0, from), toRoot: rootOf(0, to) }
      const hashes = proof.map((hash) => Buffer.from(hash, 'base64'))
      expect(verifyConsistency({ ...claim, proof: hashes })).toBe(true)
    }
    expect(await ledger.consistency(5)).toMatchObject({ from: 5, to: 707 })
    expect(await faultOf(ledger.consistency(0))).toMatchObject({ code: 'bad_input' })
    expect(await faultOf(ledger.consistency(6, 5))).toMatchObject({ code: 'bad_input' })
    expect(await faultOf(ledger.consistency(5, 708))).toMatchObject({ code: 'not_found' })
    expect(await faultOf(ledger.consistency(708, 5))).toMatchObject({ code: 'not_found' })
  })

  test('hands out no proof that a changed database does not support', async () => {
    await tile('tile/1/000.p/2')
    await site.query('update log_tile_hash set hash = sha256(hash) where index = 0')
    expect(await faultOf(ledger.prove(600))).toMatchObject({ code: 'log_broken' })
    expect(await faultOf(ledger.consistency(300))).toMatchObject({ code: 'log_broken' })
  })

  test('is verified with the log: a changed hash, and one too many, are named', async () => {
    await tile('tile/1/000.p/2')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', size: 707 })
    await site.query('update log_tile_hash set hash = sha256(hash) where index = 1')
    expect(await ledger.verify()).toMatchObject({
      kind: 'broken',
      problem: expect.stringContaining('hash 1 of level 1'),
    })
    await site.query('delete from log_tile_hash where index = 1')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    for (const [level, index] of [
      [1, 2],
      [2, 0],
    ]) {
      await site.query(
        'insert into log_tile_hash select ledger, $1, $2, hash from log_tile_hash where index = 0 and level = 1',
        [level, index],
      )
      expect(await ledger.verify()).toMatchObject({
        kind: 'broken',
        problem: expect.stringContaining(`hash ${index} of level ${level}`),
      })
      await site.query('delete from log_tile_hash where level = $1 and index = $2', [level, index])
    }
  })

  test('lets an enforcer prove what it decided, also where no service runs', async () => {
    const own = await site.open()
    const enforcer = new GovernanceEnforcer(own, agent)
    const answers = await Promise.all(
      Array.from({ length: 300 }, () => enforcer.check('issue_refund', { amount: 1 })),
    )
    const bundle = await enforcer.prove(answers[7]?.id ?? '')
    expect(verifyProofBundle(bundle, [own.checkpoints.verifierKey])).toMatchObject({
      kind: 'proven',
      payload: 'withheld',
      record: { agent },
    })
    expect(await faultOf(enforcer.prove('dec_0'))).toMatchObject({ code: 'not_found' })
    const rows = await site.query('select 1 from log_tile_hash where ledger = $1', [own.name])
    expect(rows).toHaveLength(1)
  })
})

describeOnOnePostgres('the hashes of a large log', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterAll(() => site.remove())

  /** A log in which each record has its index as its leaf hash, and only so many records. */
  function sourceOf(size: number): RecordSource & { read: number } {
    const source = {
      read: 0,
      recordTexts: () => Promise.resolve([]),
      leafHashes: (from: number, to: number) => {
        const end = Math.min(to, size)
        source.read += end - from
        const hashes = Buffer.alloc(Math.max(0, end - from) * 32)
        for (let at = from; at < end; at++) hashes.writeUInt32BE(at, (at - from) * 32)
        return Promise.resolve(hashes)
      },
    }
    return source
  }
  const rootOver = async (source: RecordSource, from: number, to: number) =>
    frontierRoot(appendLeaves(emptyFrontier, await source.leafHashes(from, to)))

  test('are worked out level by level, in steps, and then read without the log', async () => {
    const size = 3 * 65_536 + 700
    const source = sourceOf(size)
    const hashes = new TileHashes(site.pool, 'large', source)
    let added = 0
    for (let step = await hashes.fill(size); step > 0; step = await hashes.fill(size)) {
      expect(step).toBeLessThanOrEqual(64 * 16)
      added += step
    }
    expect(added).toBe(3 * 256 + 2 + 3)
    expect(source.read).toBe(Math.floor(size / 256) * 256)
    source.read = 0
    const other = new TileHashes(site.pool, 'large', source)
    expect(await other.fill(size)).toBe(0)
    const level2 = await other.read(2, 0, 3)
    expect(source.read).toBe(0)
    expect(level2.subarray(32, 64)).toEqual(await rootOver(source, 65_536, 2 * 65_536))
    expect(await other.read(1, 768, 770)).toHaveLength(64)
  })

  test('are not worked out while somebody waits where that would take long, nor without their records', async () => {
    const source = sourceOf(70_000)
    const hashes = new TileHashes(site.pool, 'unfilled', source)
    expect(await faultOf(hashes.read(2, 0, 1))).toMatchObject({ code: 'store_busy' })
    expect(source.read).toBeLessThanOrEqual(65_536)
    expect(await faultOf(hashes.read(1, 273, 274))).toMatchObject({ code: 'log_broken' })
    expect(await faultOf(hashes.read(0, 69_999, 70_001))).toMatchObject({ code: 'log_broken' })
    const patient = new TileHashes(site.pool, 'patient', source, false)
    expect(await patient.read(2, 0, 1)).toEqual(await rootOver(source, 0, 65_536))
    expect(await site.query("select 1 from log_tile_hash where ledger = 'patient'")).toEqual([])
  })

  test('are filled again where somebody has emptied the table, or a part of it', async () => {
    const size = 2 * 65_536
    const source = sourceOf(size)
    const hashes = new TileHashes(site.pool, 'emptied', source)
    const filled = async () => {
      for (let step = await hashes.fill(size); step > 0;) step = await hashes.fill(size)
    }
    await filled()
    for (const gone of ['level > 0', 'index between 100 and 400 or level = 2']) {
      await site.query(`delete from log_tile_hash where ledger = 'emptied' and (${gone})`)
      expect(await faultOf(hashes.read(2, 0, 2))).toMatchObject({ code: 'store_busy' })
      await filled()
      source.read = 0
      expect((await hashes.read(2, 0, 2)).subarray(32)).toEqual(await rootOver(source, 65_536, size))
      expect(source.read).toBe(65_536)
    }
  })

  test('are the same when several processes work them out at once', async () => {
    const source = sourceOf(5_000)
    await Promise.all([1, 2, 3].map(() => new TileHashes(site.pool, 'shared', source).fill(5_000)))
    const rows = await site.query<{ hash: Buffer }>(
      "select hash from log_tile_hash where ledger = 'shared' order by index",
    )
    expect(rows).toHaveLength(19)
    expect(rows[7]?.hash).toEqual(await rootOver(source, 7 * 256, 8 * 256))
  })
})
