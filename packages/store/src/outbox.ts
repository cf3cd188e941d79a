import { createHash } from 'node:crypto'
import {
  Fault,
  instantText,
  parseRecord,
  type ClaimedMessage,
  type Instant,
  type LogRecord,
  type NoticeFeed,
  type Outbox,
  type OutboxMessage,
} from '@bailiwick/core'
import type pg from 'pg'
import { entriesFrom } from './log/batches.ts'

const lockCursor = {
  name: 'notice_lock_cursor',
  text: 'select next_index from notice_cursor where ledger = $1 and name = $2 for update',
}

const createCursor = {
  name: 'notice_create_cursor',
  text: 'insert into notice_cursor (ledger, name, next_index) values ($1, $2, 0) on conflict do nothing',
}

// A record that was read before, by another cursor or before a restore, has its messages already.
const enqueue = {
  name: 'notice_enqueue',
  text: `insert into outbox (id, ledger, record_index, kind, target, recipient, body)
    select id, $1, record_index, kind, target, recipient, body
    from unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
      as message (id, record_index, kind, target, recipient, body)
    on conflict do nothing`,
}

const moveCursor = {
  name: 'notice_move_cursor',
  text: 'update notice_cursor set next_index = $3 where ledger = $1 and name = $2',
}

const skipToEnd = {
  name: 'notice_skip_to_end',
  text: `insert into notice_cursor as cursor (ledger, name, next_index)
    select $1, $2, size from ledger_head where ledger = $1
    on conflict (ledger, name) do update set next_index = excluded.next_index
      where cursor.next_index < excluded.next_index`,
}

// Rows that another worker is claiming right now are passed over, and rows that it has claimed are leased:
// nobody gets a message twice. The lock is on the due rows alone, so the limit counts what is really free.
const claimDue = {
  name: 'outbox_claim',
  text: `with due as materialized (
      select id from outbox
      where ledger = $1 and target = $2 and delivered_at is null and dead_at is null
        and next_attempt_at <= $4::timestamptz and (leased_until is null or leased_until <= $4::timestamptz)
      order by next_attempt_at, record_index
      limit $3
      for update skip locked
    ), claimed as (
      update outbox set attempts = attempts + 1, leased_until = $5::timestamptz
      from due where outbox.id = due.id
      returning outbox.id, target, recipient, kind, body, attempts, next_attempt_at, record_index
    )
    select id, target, recipient, record_index as index, kind, body, attempts from claimed order by next_attempt_at, record_index`,
}

const settleDelivered = {
  name: 'outbox_delivered',
  text: `update outbox set delivered_at = $2, dead_at = null, leased_until = null, last_error = null
    where id = $1 and delivered_at is null`,
}

// Zero rows: the lease had ended and another worker has the message, or has settled it.
const settleFailed = {
  name: 'outbox_failed',
  text: `update outbox set last_error = $3, leased_until = null,
      next_attempt_at = coalesce($4::timestamptz, next_attempt_at),
      dead_at = case when $4::timestamptz is null then $5::timestamptz end
    where id = $1 and attempts = $2 and delivered_at is null and dead_at is null`,
}

const headSize = { name: 'notice_head', text: 'select size from ledger_head where ledger = $1' }

/** Which ledger's log a feed reads, and under which name it remembers where it is. */
export interface NoticeFeedOptions {
  readonly pool: pg.Pool
  readonly ledger: string
  readonly name: string
}

/**
 * A cursor over a ledger's log in PostgreSQL. Workers that share a name take turns: each record goes to one.
 *
 * @throws Fault, from `advance`: `log_broken` at a record that cannot be read, `store_unavailable` without the
 *   database; either way the cursor stays where it was
 */
export function createNoticeFeed(options: NoticeFeedOptions): NoticeFeed {
  const { pool, ledger, name } = options
  return {
    advance: (expand, limit, quiet = () => false) =>
      inTransaction(pool, async (client) => {
        const from = await cursorFor(client, ledger, name)
        const entries = await take(entriesFrom(client, ledger, from), limit)
        const last = entries.at(-1)
        if (last === undefined) {
          await refuseAhead(client, ledger, name, from)
          return 0
        }

        const messages = entries.flatMap(({ index, record }) =>
          quiet(record) ? [] : expand(recordAt(index, record)),
        )
        if (messages.length > 0) await insertMessages(client, ledger, messages)
        await client.query({ ...moveCursor, values: [ledger, name, last.index + 1] })
        return entries.length
      }),
    skip: async () => {
      await pool.query({ ...skipToEnd, values: [ledger, name] }).catch(refuse)
    },
  }
}

/**
 * A ledger's messages in PostgreSQL. Any number of workers, in any number of processes, may share them, as long
 * as their clocks differ by less than a lease.
 *
 * @throws Fault `store_unavailable`, from every method, without the database
 */
export function createOutbox(options: { readonly pool: pg.Pool; readonly ledger: string }): Outbox {
  const { pool, ledger } = options
  return {
    async claim(target, limit, leaseMs, now) {
      const until = instantText((now + leaseMs) as Instant)
      const values = [ledger, target, limit, instantText(now), until]
      const { rows } = await pool
        .query<Omit<ClaimedMessage, 'index'> & { index: string }>({ ...claimDue, values })
        .catch(refuse)
      return rows.map(({ index, ...row }) => ({ ...row, index: Number(index) }))
    },
    async delivered(message, at) {
      const values = [message.id, instantText(at)]
      await pool.query({ ...settleDelivered, values }).catch(refuse)
    },
    async failed(message, at, error, retryAt) {
      const retry = retryAt === null ? null : instantText(retryAt)
      const values = [message.id, message.attempts, error, retry, instantText(at)]
      await pool.query({ ...settleFailed, values }).catch(refuse)
    },
  }
}

/**
 * Enqueues messages that no record causes. One that is there already, by index, kind and target, stays as it is: whoever
 * repeats himself, also after a restart, is heard once.
 *
 * @throws Fault `store_unavailable` without the database
 */
export async function enqueueMessages(
  pool: pg.Pool,
  ledger: string,
  messages: readonly OutboxMessage[],
): Promise<void> {
  await insertMessages(pool, ledger, messages).catch(refuse)
}

async function insertMessages(
  client: Pick<pg.ClientBase, 'query'>,
  ledger: string,
  messages: readonly OutboxMessage[],
): Promise<void> {
  if (messages.length > 0)
    await client.query({ ...enqueue, values: [ledger, ...columnsOf(ledger, messages)] })
}

/** Where the cursor stands, locked until the transaction ends, so that no two workers read the same records. */
async function cursorFor(client: pg.PoolClient, ledger: string, name: string): Promise<number> {
  const lock = () => client.query<{ next_index: string }>({ ...lockCursor, values: [ledger, name] })
  let { rows } = await lock()
  if (rows.length === 0) {
    await client.query({ ...createCursor, values: [ledger, name] })
    rows = (await lock()).rows
  }
  return Number(rows[0]?.next_index)
}

// What is told next comes after what was told last. A place that no record has reached yet would be passed over in silence.
async function refuseAhead(client: pg.PoolClient, ledger: string, name: string, next: number): Promise<void> {
  const { rows } = await client.query<{ size: string }>({ ...headSize, values: [ledger] })
  const size = rows[0]?.size
  if (size === undefined || next <= Number(size)) return
  throw new Fault('log_broken', `\`${name}\` counts ${next} records as told, and the log has ${size}`, {
    fix: 'Somebody has changed notice_cursor: set its next_index to the first record that nobody was told of.',
  })
}

function recordAt(index: number, text: string): LogRecord {
  const record = parseRecord(text)
  // Its messages would be taken for those of the record whose index it bears.
  if (record.index !== index) {
    throw new Fault('log_broken', `the record at ${index} bears the index ${record.index}`, {
      fix: 'Verify the log.',
    })
  }
  return record
}

function columnsOf(ledger: string, messages: readonly OutboxMessage[]): readonly (readonly unknown[])[] {
  return [
    messages.map((message) => messageId(ledger, message)),
    messages.map(({ index }) => index),
    messages.map(({ kind }) => kind),
    messages.map(({ target }) => target),
    messages.map(({ recipient }) => recipient ?? ''),
    messages.map(({ body }) => body),
  ]
}

/**
 * Follows from what is told, so that a service restored from a backup repeats itself under the same id. The
 * body is part of it: another ledger of the same name is another story.
 */
function messageId(ledger: string, { index, kind, target, recipient, body }: OutboxMessage): string {
  const told = [ledger, index, kind, target, ...(recipient === undefined ? [] : [recipient]), body]
  const digest = createHash('sha256').update(JSON.stringify(told))
  return `msg_${digest.digest('hex').slice(0, 32)}`
}

async function inTransaction<Result>(
  pool: pg.Pool,
  run: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect().catch(refuse)
  // A connection that breaks also rejects the query below; unheard, this event would end the process.
  const ignore = () => undefined
  client.on('error', ignore)
  let broken = true
  try {
    await client.query('begin')
    const result = await run(client)
    await client.query('commit')
    broken = false
    return result
  } catch (error) {
    return refuse(error)
  } finally {
    client.off('error', ignore)
    // Closing the connection ends its transaction, whatever state either is in.
    client.release(broken)
  }
}

function refuse(cause: unknown): never {
  if (cause instanceof Fault) throw cause
  throw new Fault('store_unavailable', 'the outbox in the database could not be used', {
    fix: 'Check the database and its log; nothing was lost, and the worker tries again.',
    cause,
  })
}

async function take<Item>(items: AsyncIterable<Item>, limit: number): Promise<Item[]> {
  const taken: Item[] = []
  for await (const item of items) {
    taken.push(item)
    if (taken.length >= limit) break
  }
  return taken
}
