import type { Instant } from '@bailiwick/core'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readEntries } from '../src/log/batches.ts'
import {
  keepPartitions,
  listPartitions,
  missingPartitions,
  partitionLength,
  periodOf,
} from '../src/log/partitions.ts'
import { inSchema } from '../src/migrate.ts'
import { day } from './harness/archived.ts'
import { agent, ledgerSite, records, refund, type LedgerSite } from './harness/ledger.ts'
import { describeOnPostgres } from './harness/postgres.ts'

const instant = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2040, 0) }).map((at) => at as Instant)
const length = fc.constantFrom('day', 'week', 'month')

describe('Partitions', () => {
  test('hold whole days, weeks from Monday, or months, in UTC', () => {
    fc.assert(
      fc.property(instant, length, (at, each) => {
        const { lower, upper } = periodOf(at, each)
        expect(lower <= at && at < upper).toBe(true)
        expect(lower % day).toBe(0)
        expect(periodOf(upper, each).lower).toBe(upper)
        if (each === 'week') expect(new Date(lower).getUTCDay()).toBe(1)
        if (each === 'month') expect(new Date(lower).getUTCDate()).toBe(1)
      }),
    )
  })

  test('that are made never overlap, whatever length the earlier ones had, and take records now and soon', () => {
    fc.assert(
      fc.property(
        instant,
        fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), length), { maxLength: 5 }),
        (at, runs) => {
          let there = [...missingPartitions([], 'week', at)]
          let now = at
          for (const [days, each] of runs) {
            now = (now + days * day) as Instant
            there = [...there, ...missingPartitions(there, each, now)].sort((a, b) => a.lower - b.lower)
            expect(missingPartitions(there, each, now)).toEqual([])
            for (const [next, one] of there.slice(1).map((part, before) => [part, there[before]] as const)) {
              expect(next.lower).toBeGreaterThanOrEqual(one?.upper ?? 0)
            }
            expect(there.some(({ lower, upper }) => lower <= now && now < upper)).toBe(true)
            expect(Math.max(...there.map(({ upper }) => upper))).toBeGreaterThan(now + 2 * day)
          }
        },
      ),
    )
  })

  test('have a length that is meant', () => {
    expect([undefined, '', 'day', 'month'].map(partitionLength)).toEqual(['week', 'week', 'day', 'month'])
    expect(() => partitionLength('year')).toThrow('no length of a partition')
  })
})

describeOnPostgres('The log in partitions', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterAll(() => site.remove())

  test('takes records without any, and leaves a range to the default one that has records for it', async () => {
    const ledger = await site.open(undefined, 'main')
    const made = await keepPartitions(site.database.config, 'week', site.clock.now())
    expect(made).toEqual(['20260302', '20260309', '20260316'])
    await ledger.decide(agent, refund(1))
    expect(await site.query('select 1 from log_batch_default')).toHaveLength(2)
    site.clock.advance(day)
    await ledger.decide(agent, refund(2))
    expect(await site.query('select 1 from log_batch_20260302')).toHaveLength(1)
    // Batches are written once: what an insert leaves is not vacuumed, in whichever partition it lies.
    const vacuumed = `select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'log_batch'::regclass
      and not coalesce('autovacuum_vacuum_insert_threshold=-1' = any(c.reloptions), false)`
    expect(await site.query(vacuumed)).toEqual([])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('is made once by many services at once', async () => {
    const at = (site.clock.now() + 100 * day) as Instant
    await Promise.all(Array.from({ length: 4 }, () => keepPartitions(site.database.config, 'day', at)))
    const there = await listPartitions(site.pool)
    expect(there.filter(({ lower }) => lower >= at - day)).toHaveLength(4)
    expect(await keepPartitions(site.database.config, 'day', at)).toEqual([])
  })

  test('finds records also where the note of the partitions is wrong, and forwards leaves none out', async () => {
    const ledger = await site.open(undefined, 'main')
    for (let at = 0; at < 3; at++) {
      site.clock.advance(8 * day)
      await keepPartitions(site.database.config, 'week', site.clock.now())
      await ledger.decide(agent, refund(at))
    }
    const indices = (await records(site, ledger)).map(({ index }) => index)
    // A service whose clock is a month behind.
    site.clock.advance(-30 * day)
    await ledger.decide(agent, refund(7))
    const all = [...indices, indices.length]
    await site.query(`update log_span set lower = lower + interval '3 days'`)
    const found = await readEntries(site.pool, 'main', all)
    expect([...found.keys()].sort((a, b) => a - b)).toEqual(all)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', size: all.length })
  })

  test('keeps no append waiting for a partition that cannot be made because somebody reads', async () => {
    const ledger = await site.open(undefined, 'main')
    const reader = new pg.Client(inSchema(site.database.config))
    await reader.connect()
    await reader.query('begin; select count(*) from log_batch')
    const at = (site.clock.now() + 500 * day) as Instant
    const making = keepPartitions(site.database.config, 'month', at)
    expect((await ledger.decide(agent, refund(3))).effect).toBe('allow')
    await reader.query('rollback')
    await reader.end()
    expect(await making).not.toEqual([])
  })
})
