import { Fault, instantText, type Instant } from '@bailiwick/core'
import pg from 'pg'
import { whileConnected } from '../engine/one-connection.ts'
import { hasCode } from '../engine/errno.ts'
import { inSchema } from '../migrate.ts'
import type { Queryable } from './batches.ts'

/** For how long a partition of the log takes records. */
export type PartitionLength = 'day' | 'week' | 'month'

/** A partition of `log_batch` and of `log_term`, which are always made and dropped together. */
export interface Partition {
  /** The end of both tables' names. */
  readonly suffix: string
  readonly lower: Instant
  /** The first instant after it. */
  readonly upper: Instant
}

const parts = {
  text: `select substr(c.relname, length('log_batch_') + 1) as suffix,
      (extract(epoch from substring(bound from 'FROM \\(''([^'']+)''\\)')::timestamptz) * 1000)::bigint as lower,
      (extract(epoch from substring(bound from 'TO \\(''([^'']+)''\\)')::timestamptz) * 1000)::bigint as upper
    from pg_inherits i join pg_class c on c.oid = i.inhrelid, pg_get_expr(c.relpartbound, c.oid) as bound
    where i.inhparent = 'log_batch'::regclass and bound <> 'DEFAULT' order by lower`,
}

/** The partitions there are, the oldest first, without the default one. */
export async function listPartitions(client: Queryable): Promise<Partition[]> {
  const { rows } = await client.query<{ suffix: string; lower: string; upper: string }>(parts)
  return rows.map(({ suffix, lower, upper }) => ({
    suffix,
    lower: Number(lower) as Instant,
    upper: Number(upper) as Instant,
  }))
}

/** How many partitions are made ahead of the one that takes records now. */
const partitionsAhead = 3
/** A statement that waits for a lock makes others wait behind it, so it gives up after so long. */
const lockTimeoutMs = 200
const lockAttemptsMax = 10
const lockPauseMs = 500

/**
 * Makes the partitions that are missing for now and the near future, and notes in which of them new records lie. A
 * range for which the default partition holds records already is left to it. Safe to run anywhere, any number of times.
 *
 * @returns the suffixes of the partitions that were made
 */
export async function keepPartitions(
  connection: pg.ClientConfig,
  length: PartitionLength,
  now: Instant,
): Promise<readonly string[]> {
  return await whileConnected(new pg.Client(inSchema(connection)), async (client) => {
    const made: string[] = []
    const there = await listPartitions(client)
    for (const missing of missingPartitions(there, length, now)) {
      if (await withShortLocks(client, () => makePartition(client, missing))) made.push(missing.suffix)
    }
    await noteSpans(client, await listPartitions(client), now)
    return made
  })
}

/** The partitions that are to be made, none of which overlaps one that is there. */
export function missingPartitions(
  there: readonly Partition[],
  length: PartitionLength,
  now: Instant,
): readonly Partition[] {
  const missing: Partition[] = []
  let at = now
  for (let count = 0; count <= partitionsAhead; count++) {
    const holding = there.find(({ lower, upper }) => lower <= at && at < upper)
    if (holding === undefined) {
      const period = periodOf(at, length)
      const before = there.filter(({ upper }) => upper <= at).map(({ upper }) => upper)
      const after = there.filter(({ lower }) => lower > at).map(({ lower }) => lower)
      const lower = Math.max(period.lower, ...before) as Instant
      const upper = Math.min(period.upper, ...after) as Instant
      missing.push({ suffix: instantText(lower).slice(0, 10).replaceAll('-', ''), lower, upper })
      at = upper
    } else {
      at = holding.upper
    }
  }
  return missing
}

/** The day, week from Monday, or month in UTC that an instant lies in. */
export function periodOf(
  at: Instant,
  length: PartitionLength,
): { readonly lower: Instant; readonly upper: Instant } {
  const date = new Date(at)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  if (length === 'month') {
    return { lower: Date.UTC(year, month, 1) as Instant, upper: Date.UTC(year, month + 1, 1) as Instant }
  }
  const first = length === 'day' ? day : day - ((date.getUTCDay() + 6) % 7)
  const days = length === 'day' ? 1 : 7
  return {
    lower: Date.UTC(year, month, first) as Instant,
    upper: Date.UTC(year, month, first + days) as Instant,
  }
}

/** Settings that a partition does not inherit from its table. Why batches are not vacuumed after inserts: migration 18. */
export function partitionSettings(table: string): string {
  return table === 'log_batch'
    ? 'with (autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_insert_threshold = -1)'
    : ''
}

// Made beside and attached: that takes a lock which appends do not wait for.
async function makePartition(client: pg.Client, { suffix, lower, upper }: Partition): Promise<boolean> {
  const bounds = [instantText(lower), instantText(upper)].map((text) => client.escapeLiteral(text))
  for (const table of ['log_batch', 'log_term']) {
    const { rows } = await client.query<{ taken: boolean }>(
      `select exists (select from ${table}_default where at >= ${bounds[0]} and at < ${bounds[1]})
        or to_regclass('${table}_${suffix}') is not null as taken`,
    )
    if (rows[0]?.taken !== false) return false
    await client.query(
      `create table ${table}_${suffix} (like ${table} including all) ${partitionSettings(table)}`,
    )
    await client.query(
      `alter table ${table} attach partition ${table}_${suffix} for values from (${bounds[0]}) to (${bounds[1]})`,
    )
  }
  return true
}

/**
 * Does `work` in a transaction that waits for no lock longer than an eye blinks, several times if it must.
 *
 * @returns what `work` does; undefined where the locks were never to be had, or another one did it meanwhile
 */
export async function withShortLocks<Result>(
  client: pg.ClientBase,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  for (let attempt = 0; attempt < lockAttemptsMax; attempt++) {
    try {
      await client.query(`begin; set local lock_timeout = ${lockTimeoutMs}`)
      const result = await work()
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback')
      // 23514: a record fell into the default partition meanwhile; 42P07: another process made it first.
      if (hasCode(error, '23514', '42P07')) return undefined
      // 55P03: the lock was not to be had in time; 40P01: it was, but not beside another one.
      if (!hasCode(error, '55P03', '40P01')) throw error
      await new Promise((resolve) => {
        setTimeout(resolve, lockPauseMs * (0.5 + Math.random()))
      })
    }
  }
  return undefined
}

/** Clocks of services on one database may differ by so much. */
const clockDifferenceMsMax = 60 * 60 * 1000

// Whoever appends from now on reads a clock that is at most an hour behind, so every later batch lies in the partition
// that an hour ago lies in, or after it. Batches that are there already were written by clocks at most an hour ahead.
async function noteSpans(client: pg.Client, there: readonly Partition[], now: Instant): Promise<void> {
  const then = now - clockDifferenceMsMax
  const current = there.find(({ lower, upper }) => lower <= then && then < upper)
  if (current === undefined) return
  await client.query(
    `insert into log_span (ledger, first, lower, until)
    select h.ledger, h.size, $1::timestamptz, $2::timestamptz from ledger_head h
    where not exists (select from log_span s where s.ledger = h.ledger and s.lower >= $1::timestamptz)
    on conflict (ledger, first) do update set lower = excluded.lower`,
    [instantText(current.lower), instantText((now + clockDifferenceMsMax) as Instant)],
  )
}

/** How the operator says the length of partitions. @throws Fault `bad_input` */
export function partitionLength(text: string | undefined): PartitionLength {
  if (text === undefined || text === '') return 'week'
  if (text === 'day' || text === 'week' || text === 'month') return text
  throw new Fault('bad_input', `\`${text}\` is no length of a partition`, {
    fix: 'Set BAILIWICK_PARTITION to day, week or month.',
  })
}
