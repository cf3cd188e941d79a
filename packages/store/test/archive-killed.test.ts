import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Instant } from '@bailiwick/core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { ArchiveReport } from '../src/archive/run.ts'
import { archivedEnd } from '../src/archive/segments.ts'
import { verifyColdSegments } from '../src/archive/verify-archive.ts'
import { archivedSite, day, type ArchivedSite } from './harness/archived.ts'
import { ledgerSite, records, type LedgerSite } from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const built = fileURLToPath(new URL('../dist/index.js', import.meta.url))
const killAt = fileURLToPath(new URL('./harness/kill-at.mjs', import.meta.url))
const program = fileURLToPath(new URL('./harness/archive-process.mjs', import.meta.url))

/** Where a run is killed: before or after a statement, or a file of the archive that gets its name. */
interface KillAt {
  readonly statement?: string
  readonly file?: string
  readonly when: 'before' | 'after'
}

// In the order in which a run comes to them: the first segment ends the first week and reaches into the second one, of which a
// part stays.
const kills: readonly (readonly [string, KillAt])[] = [
  ['between two objects of a segment', { file: '/leaves.bin', when: 'before' }],
  ['while the payloads get their name', { file: '/payloads.jsonl.gz', when: 'before' }],
  ['between keeping leaves and the record', { statement: 'insert into archive_leaf', when: 'after' }],
  ['with half of a partition dropped', { statement: 'drop table log_term_', when: 'before' }],
  ['with rows deleted and their terms not', { statement: 'delete from log_term_', when: 'before' }],
  ['after the manifest of the last segment', { file: '/manifest.json', when: 'after' }],
]

describeOnOnePostgres('Archiving by a process that is killed', (postgres) => {
  let site: LedgerSite
  let archived: ArchivedSite
  let whole: string[]
  beforeAll(async () => {
    if (!existsSync(built)) throw new Error('the store has not been built: run `npm run build`')
    site = await ledgerSite(postgres)
    archived = await archivedSite(site, 'main')
    for (const live of [6, 6]) {
      await archived.live(live)
      await archived.nextWeek()
    }
    await archived.live(3)
    await archived.ledger.checkpoint()
    whole = (await records(site, archived.ledger)).map((record) => JSON.stringify(record))
  })
  afterAll(async () => {
    await archived.ledger.close()
    await site.remove()
  })

  // In the middle of the second week.
  const before = Date.parse('2026-03-08T17:30:00.000Z') as Instant

  /** What the process said it did; undefined where it was killed. */
  async function run(kill?: KillAt): Promise<ArchiveReport | undefined> {
    const { config: connection } = site.database
    const log = { connection, dataDir: site.dataDir, ledger: 'main', store: archived.store }
    const limits = { records: 8, bytes: 1e9 }
    const request = { ...log, now: site.clock.now(), before, keepMs: 184 * day, limits }
    const args = ['--import', killAt, program, JSON.stringify(request)]
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], KILL_AT: JSON.stringify(kill ?? {}) },
    })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    await once(child, 'close')
    // PostgreSQL notices a moment later that whoever held the lock is gone.
    await vi.waitUntil(async () => {
      const locks = await site.query(
        `select 1 from pg_locks where locktype = 'advisory'
          and database = (select oid from pg_database where datname = current_database())`,
      )
      return locks.length === 0
    })
    if (child.signalCode === 'SIGKILL') return undefined
    expect([child.exitCode, child.signalCode]).toEqual([0, null])
    return JSON.parse(said) as ArchiveReport
  }

  const cold = async () => {
    const found: string[] = []
    for await (const { record } of archived.ledger.cold.forwards(0)) found.push(JSON.stringify(record))
    return found
  }
  const hot = async () => await records(site, archived.ledger)

  test.each(kills)('%s loses nothing, and the log verifies', async (_where, kill) => {
    expect(await run(kill), 'it was not killed').toBeUndefined()
    const end = await archivedEnd(site.pool, 'main')
    const [inStore, left] = [await cold(), await hot()]
    expect(inStore).toEqual(whole.slice(0, end))
    // What is in both is about to leave the database, and nothing is in neither.
    const indices = left.map(({ index }) => index)
    expect(new Set(indices).size).toBe(indices.length)
    expect(indices.filter((index) => index >= end)).toEqual(
      Array.from({ length: (await archived.ledger.head()).size - end }, (_, after) => end + after),
    )
    expect(await archived.ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('comes to its end when it is run once more: every record in one place, every object once, nothing left behind', async () => {
    const report = await run()
    expect(report?.busy).toBe(false)
    const end = await archivedEnd(site.pool, 'main')
    expect(end).toBe(10)
    expect(await cold()).toEqual(whole.slice(0, end))
    const left = await hot()
    expect(left.map(({ index }) => index)).toEqual(
      Array.from({ length: (await archived.ledger.head()).size - end }, (_, after) => end + after),
    )
    expect(left.slice(0, whole.length - end).map((record) => JSON.stringify(record))).toEqual(
      whole.slice(end),
    )
    expect(left.filter(({ kind }) => kind === 'archive')).toHaveLength(2)
    expect(await archived.ledger.verify()).toMatchObject({ kind: 'intact' })
    await verifyColdSegments(site.pool, 'main', {})

    const found = await readdir(fileURLToPath(archived.store), { recursive: true })
    const objects = [
      'leaves.bin',
      'manifest.json',
      'payloads.jsonl.gz',
      'records.jsonl.gz',
      'records.parquet',
    ]
    const made = found.filter((path) => /[.](gz|bin|json|parquet|new)$/.test(path))
    expect(made.map((path) => path.replace(/^.*[/]/, '')).sort()).toEqual([...objects, ...objects].sort())
    expect(await readdir(`${site.dataDir}/archive-spool`)).toEqual([])
    const nothing = { segments: [], droppedPartitions: [], deletedBatches: 0 }
    expect(await archived.archive({ before })).toMatchObject(nothing)
  })
})
