import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { leafHash, type Instant } from '@bailiwick/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openArchiveStore } from '../src/archive/open-store.ts'
import { archivedEnd } from '../src/archive/segments.ts'
import type { ArchiveStep } from '../src/archive/run.ts'
import type { ArchiveRequest } from '../src/ledger.ts'
import { listPartitions } from '../src/log/partitions.ts'
import { verifyColdSegments } from '../src/archive/verify-archive.ts'
import { archivedSite, day, type ArchivedSite } from './harness/archived.ts'
import { makeTestDir, removeTestDir } from './harness/data-dir.ts'
import { agent, escalated, faultOf, ledgerSite, records, refund, type LedgerSite } from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

describeOnOnePostgres('Archiving', (postgres) => {
  let site: LedgerSite
  let archived: ArchivedSite
  beforeEach(async () => {
    site = await ledgerSite(postgres)
    archived = await archivedSite(site, 'main')
    await archived.live(6)
    await archived.nextWeek()
    await archived.live(6)
    await archived.nextWeek()
    await archived.live(3)
  })
  afterEach(async () => {
    await archived.ledger.close()
    await site.remove()
  })

  const partitions = async () => (await listPartitions(site.pool)).map(({ suffix }) => suffix)
  const hotIndices = async () => (await records(site, archived.ledger)).map(({ index }) => index)
  const coldIndices = async () => {
    const found: number[] = []
    for await (const { record } of archived.ledger.cold.forwards(0)) found.push(record.index)
    return found
  }
  const upTo = (end: number, from = 0) => Array.from({ length: end - from }, (_, at) => from + at)

  const archive = () => archived.archive({ before: archived.before(4) })
  const isWhole = async (end: number) => {
    expect(await coldIndices()).toEqual(upTo(end))
    expect((await hotIndices())[0]).toBe(end)
    expect(await archived.ledger.verify()).toMatchObject({ kind: 'intact' })
    await verifyColdSegments(site.pool, 'main', {})
  }

  test('copies closed partitions into the store, and only then drops them', async () => {
    const before = await records(site, archived.ledger)
    const first = await partitions()
    const report = await archive()
    const end = await archivedEnd(site.pool, 'main')
    expect(report.segments).toMatchObject([{ first: 0, end }])
    expect(report.droppedPartitions).toEqual(first.slice(0, 2))
    expect(await partitions()).toEqual(first.slice(2))
    const cold = await archived.ledger.cold.entries(upTo(end))
    expect([...cold.values()].map(({ record }) => JSON.parse(record))).toEqual(before.slice(0, end))
    // What stays is everything from there on, and the record that says so.
    const hot = await records(site, archived.ledger)
    expect(hot.at(-1)).toMatchObject({ kind: 'archive', first: 0, end, store: archived.store })
    await isWhole(end)
    expect(await archive()).toMatchObject({ segments: [], droppedPartitions: [] })
  })

  test('makes several segments of what is too much for one, and the next run goes on after them', async () => {
    const limits = { records: 4, bytes: 1e9 }
    const { segments } = await archived.archive({ before: archived.before(4), limits })
    expect(segments.map(({ first, end }) => end - first)).toEqual([4, 4, 4, 1])
    await archived.nextWeek()
    const next = await archive()
    expect(next.segments[0]?.first).toBe(13)
    await isWhole(await archivedEnd(site.pool, 'main'))
  })

  test('leaves what is hot, and partitions with a record that is not archived', async () => {
    const first = await partitions()
    // In the middle of the second week.
    const before = Date.parse('2026-03-08T17:30:00.000Z') as Instant
    const { droppedPartitions, deletedBatches } = await archived.archive({ before })
    expect(droppedPartitions).toEqual(first.slice(0, 1))
    expect(deletedBatches).toBeGreaterThan(0)
    await isWhole(await archivedEnd(site.pool, 'main'))
    for (const record of await records(site, archived.ledger)) {
      expect(Date.parse(record.at)).toBeGreaterThanOrEqual(before)
    }
  })

  test('archives what fell into the default partition, and deletes it there', async () => {
    site.clock.advance(365 * day)
    await archived.live(3)
    site.clock.advance(30 * day)
    await archived.archive()
    expect(
      await site.query('select 1 from log_batch_default where at < $1', [new Date(archived.before(7))]),
    ).toEqual([])
    expect(
      await site.query('select 1 from log_term_default where at < $1', [new Date(archived.before(7))]),
    ).toEqual([])
    await isWhole(await archivedEnd(site.pool, 'main'))
  })

  const steps: ArchiveStep[] = ['planned', 'intended', 'put', 'made', 'recorded', 'erased', 'removed']
  test.each(steps)('that is killed after it has %s goes on without loss or anything twice', async (step) => {
    const limits = { records: 5, bytes: 1e9 }
    const before = archived.before(4)
    const after = (at: ArchiveStep, first: number) => {
      if (at === step && (first >= 5 || at === 'planned')) throw new Error('killed')
    }
    const all = (await records(site, archived.ledger)).length
    await expect(archived.archive({ before, limits, after })).rejects.toThrow('killed')
    await archived.archive({ before, limits })
    await isWhole(13)
    // Every record is in one place, and the objects of every segment are there once.
    const hot = await hotIndices()
    expect(hot).toEqual(upTo((hot.at(-1) ?? 0) + 1, 13))
    expect(hot.length + 13).toBeGreaterThanOrEqual(all)
    const made = await readdir(`${fileURLToPath(archived.store)}/main`)
    const recorded = await site.query<{ first: string }>('select first from archive_segment order by first')
    expect(made.map((name) => Number(name.slice(0, 16)))).toEqual(recorded.map(({ first }) => Number(first)))
  })

  test('by two processes at once is done by one of them', async () => {
    const other = await archived.another()
    const reports = await Promise.all([archive(), archived.archive({ before: archived.before(4) }, other)])
    await other.close()
    expect(reports.filter(({ busy }) => busy)).toHaveLength(1)
    await isWhole(13)
  })

  test('by a process that lost its lock records no segment twice', async () => {
    let second: Promise<unknown> | undefined
    const slow = archived.archive({
      before: archived.before(4),
      after: async (step) => {
        if (step !== 'made') return
        // Its connection breaks, and another process takes over.
        await site.query(
          `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
            and database = (select oid from pg_database where datname = current_database())`,
        )
        const other = await archived.another()
        second = archived.archive({ before: archived.before(4) }, other)
        await second
        await other.close()
      },
    })
    expect((await faultOf(slow)).code).toMatch(/^(conflict|store_unavailable)$/)
    await second
    await isWhole(13)
    expect(await site.query('select 1 from archive_segment')).toHaveLength(1)
  })

  test('beside live decisions loses none of them', async () => {
    let live = true
    const decided: string[] = []
    const callers = Array.from({ length: 8 }, async () => {
      while (live) decided.push((await archived.ledger.decide(agent, refund(50))).id)
    })
    await archived.archive({ before: archived.before(4), limits: { records: 3, bytes: 1e9 } })
    live = false
    await Promise.all(callers)
    const hot = new Set((await records(site, archived.ledger)).map(({ index }) => `dec_${index}`))
    expect(decided.filter((id) => !hot.has(id))).toEqual([])
    await isWhole(13)
  })

  test('a record that was changed together with its leaf hash and never published so stays where it is', async () => {
    await archived.ledger.checkpoint()
    const [row] = await site.query<{ records: string }>('select records from log_batch where first = 2')
    const text = row?.records.replace('approved', 'Approved') ?? ''
    await site.query('update log_batch set records = $1, leaf_hashes = $2 where first = 2', [
      text,
      leafHash(text),
    ])
    expect((await faultOf(archive())).code).toBe('log_broken')
    expect(await archivedEnd(site.pool, 'main')).toBe(0)
    expect(await hotIndices()).toContain(2)
  })

  test.each([
    [
      'changed',
      async (file: string) => await writeOver(file, (bytes) => bytes.with(40, (bytes[40] ?? 0) ^ 1)),
    ],
    ['cut short', async (file: string) => await writeOver(file, (bytes) => bytes.subarray(0, -1))],
    ['removed', async (file: string) => await rm(file)],
  ])('an object that is %s before it is read back keeps its records in the database', async (_, harm) => {
    const directory = fileURLToPath(archived.store)
    for (const name of ['records.jsonl.gz', 'leaves.bin', 'payloads.jsonl.gz', 'records.parquet']) {
      const after = async (step: ArchiveStep) => {
        if (step === 'put') await harm(await only(directory, name))
      }
      const run = archived.archive({ before: archived.before(4), after })
      expect((await faultOf(run)).code).toBe('log_broken')
      expect(await archivedEnd(site.pool, 'main')).toBe(0)
      expect((await hotIndices())[0]).toBe(0)
    }
    await archive()
    await isWhole(13)
  })

  test('into a place that cannot be written changes nothing', async () => {
    const store = 'file:/dev/null/archive'
    expect((await faultOf(archived.archive({ store, before: archived.before(4) }))).code).toBe(
      'store_unavailable',
    )
    expect(await archivedEnd(site.pool, 'main')).toBe(0)
    expect((await hotIndices())[0]).toBe(0)
  })

  test('into another place than the records before it is refused, and changes nothing', async () => {
    await archive()
    const end = await archivedEnd(site.pool, 'main')
    const other = await makeTestDir()
    const store = pathToFileURL(other).href
    await archived.nextWeek()
    const fault = await faultOf(archived.archive({ store, before: archived.before(0) }))
    expect(fault).toMatchObject({ code: 'store_unavailable' })
    expect(fault.message).toContain(`are archived in \`${archived.store}\``)
    expect(await archivedEnd(site.pool, 'main')).toBe(end)
    expect(await readdir(other)).toEqual([])
    await removeTestDir(other)
  })

  test('into the same directory without what lay there, as where a disk is not mounted, is refused, and it is not made', async () => {
    await archive()
    const end = await archivedEnd(site.pool, 'main')
    await archived.nextWeek()
    const directory = fileURLToPath(archived.store)
    await rename(directory, `${directory}.mounted`)
    const run = () => archived.archive({ before: archived.before(0) })
    expect((await faultOf(run())).code).toBe('store_unavailable')
    await expect(readdir(directory)).rejects.toThrow('ENOENT')
    await mkdir(directory)
    expect((await faultOf(run())).message).toContain('is not there')
    expect(await readdir(directory)).toEqual([])
    expect(await archivedEnd(site.pool, 'main')).toBe(end)
    await rm(directory, { recursive: true })
    await rename(`${directory}.mounted`, directory)
    await run()
    expect(await archivedEnd(site.pool, 'main')).toBeGreaterThan(end)
    expect(await archived.ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('whose newest segment is gone goes on where somebody says that its retention has ended, and it has', async () => {
    await archive()
    const end = await archivedEnd(site.pool, 'main')
    await archived.nextWeek()
    const directory = fileURLToPath(archived.store)
    const segments = await readdir(join(directory, 'main'))
    await rename(join(directory, 'main'), `${directory}.deleted`)
    const run = (more: Partial<ArchiveRequest>) =>
      archived.archive({ before: archived.before(0), keepMs: 184 * day, ...more })

    const missing = await faultOf(run({}))
    expect(missing).toMatchObject({
      code: 'log_broken',
      message: expect.stringMatching(
        /^the newest segment of the archive in `file:.*`, the records .* is not there/,
      ),
      fix: expect.stringContaining('--newest-expired') as unknown,
    })
    const early = await faultOf(run({ newestExpired: true }))
    expect(early.message).toMatch(/is not there, and it has to be kept until 2026-/)
    expect(await archivedEnd(site.pool, 'main')).toBe(end)
    expect(await readdir(directory)).toEqual([])

    site.clock.advance(184 * day)
    await archived.nextWeek()
    expect((await faultOf(run({}))).code, 'nobody said so').toBe('log_broken')
    await run({ newestExpired: true })
    const next = await archivedEnd(site.pool, 'main')
    expect(next).toBeGreaterThan(end)
    expect(await readdir(join(directory, 'main'))).not.toEqual(expect.arrayContaining(segments))
    expect(await archived.ledger.verify()).toMatchObject({ kind: 'intact' })

    await archived.live(1)
    await archived.nextWeek()
    await run({})
    expect(await archivedEnd(site.pool, 'main'), 'the next run finds the newest').toBeGreaterThan(next)
    expect(await archived.ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test.each(['file:cold', 'file://host/cold', 'file:/cold?x=1', 'cold', '/cold'])(
    'into `%s`, which is no address, is refused',
    (address) => {
      expect(() => openArchiveStore(address, {})).toThrow('is no place for an archive')
    },
  )

  test('ends where records may leave, wherever a row says that a run before meant to end', async () => {
    const { size } = await archived.ledger.head()
    await site.query(`insert into archive_intent (ledger, first, stop) values ('main', 0, ${size})`)
    await archive()
    expect(await archivedEnd(site.pool, 'main')).toBeLessThan(size)
    await isWhole(13)
  })

  test('never goes past an approval that is open, and does once it is closed', async () => {
    site.clock.advance(-17 * day)
    const opened = Number((await escalated(archived.ledger)).slice(4))
    await archived.live(2)
    site.clock.advance(17 * day)
    await archived.archive({ before: archived.before(0) })
    expect(await archivedEnd(site.pool, 'main')).toBeLessThanOrEqual(opened)
    await archived.ledger.expireOverdue()
    await archived.archive({ before: archived.before(0) })
    expect(await archivedEnd(site.pool, 'main')).toBeGreaterThan(opened)
    expect(await archived.ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('records a policy in force again before its record leaves', async () => {
    await archive()
    const hot = await records(site, archived.ledger)
    expect(hot.some(({ kind }) => kind === 'policy')).toBe(true)
    const size = (await archived.ledger.head()).size
    await (await archived.another()).close()
    expect((await archived.ledger.head()).size).toBe(size)
  })
})

async function only(directory: string, name: string): Promise<string> {
  const found = (await readdir(directory, { recursive: true })).filter((path) => path.endsWith(name))
  expect(found).toHaveLength(1)
  return join(directory, found[0] ?? '')
}

async function writeOver(file: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const bytes = change(new Uint8Array(await readFile(file)))
  await chmod(file, 0o600)
  await writeFile(file, bytes)
}
