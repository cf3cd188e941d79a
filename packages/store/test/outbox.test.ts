import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ClaimedMessage, Instant, LogRecord, OutboxMessage } from '@bailiwick/core'
import { approvalId } from '@bailiwick/core'
import pg from 'pg'
import { createNoticeFeed, createOutbox } from '../src/outbox.ts'
import { describeOnPostgres, type TestDatabase } from './harness/postgres.ts'

const ledger = 'default'
const now = Date.parse('2025-11-20T10:00:00.000Z') as Instant
const later = (ms: number) => (now + ms) as Instant

function expiry(index: number): LogRecord {
  return {
    v: 1,
    ledger,
    index,
    at: '2025-11-20T09:59:59.000Z',
    payload: null,
    kind: 'expiry',
    approval: approvalId(index),
    agent: 'agent-1',
    action: 'issue_refund',
  }
}

/** One message to the webhook for every record. */
function expand(record: LogRecord): readonly OutboxMessage[] {
  const { index } = record
  return [
    { target: 'webhook', kind: 'approval.expired', index, body: JSON.stringify({ index, text: 'ä\u0000' }) },
  ]
}

describeOnPostgres('the outbox', (postgres) => {
  let database: TestDatabase
  let pool: pg.Pool

  beforeAll(async () => {
    database = await postgres.createEmptyDatabase()
    pool = new pg.Pool({ ...database.config, max: 8 })
    pool.on('error', () => undefined) // Tests below cut connections.
    for (const name of ['0001_log.sql', '0002_outbox.sql', '0015_channels.sql']) {
      await pool.query(await readFile(new URL(`../migrations/${name}`, import.meta.url), 'utf8'))
    }
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })
  beforeEach(() => pool.query('truncate log_batch, notice_cursor, outbox'))

  const feedOf = (name = 'notices') => createNoticeFeed({ pool, ledger, name })
  const outbox = () => createOutbox({ pool, ledger })

  async function append(...indices: readonly number[]): Promise<void> {
    for (const index of indices) await appendText(index, JSON.stringify(expiry(index)))
  }
  async function appendText(index: number, record: string, inLedger = ledger): Promise<void> {
    await pool.query(
      `insert into log_batch (ledger, first, at, leaf_hashes, records, salts, bodies) values ($1, $2, now(), '', $3, '', '')`,
      [inLedger, index, record],
    )
  }
  async function enqueued(): Promise<number[]> {
    const { rows } = await pool.query<{ record_index: string }>('select record_index from outbox order by 1')
    return rows.map((row) => Number(row.record_index))
  }
  async function first(): Promise<ClaimedMessage> {
    const [message] = await outbox().claim('webhook', 1, 1000, now)
    if (message === undefined) throw new Error('nothing to claim')
    return message
  }

  describe('a feed', () => {
    test('starts at the first record, reads on from where it was, and stops at the end', async () => {
      await append(0, 1, 2)
      expect(await feedOf().advance(expand, 2)).toBe(2)
      expect(await enqueued()).toEqual([0, 1])
      expect(await feedOf().advance(expand, 2)).toBe(1)
      expect(await feedOf().advance(expand, 2)).toBe(0)
      await append(3)
      expect(await feedOf().advance(expand, 2)).toBe(1)
      expect(await enqueued()).toEqual([0, 1, 2, 3])
    })

    test('says so where somebody has moved it beyond the end, and passes nothing over', async () => {
      await append(0, 1)
      await pool.query(`insert into ledger_head (ledger, size, frontier) values ($1, 2, '')`, [ledger])
      expect(await feedOf().advance(expand, 10)).toBe(2)
      expect(await feedOf().advance(expand, 10)).toBe(0)
      await pool.query('update notice_cursor set next_index = 1002')
      await expect(feedOf().advance(expand, 10)).rejects.toMatchObject({ code: 'log_broken' })
      await pool.query('delete from ledger_head')
    })

    test('moves on over records that cause no message', async () => {
      await append(0, 1)
      expect(await feedOf().advance(() => [], 10)).toBe(2)
      expect(await feedOf().advance(expand, 10)).toBe(0)
      expect(await enqueued()).toEqual([])
    })

    test('enqueues nothing and stays where it is when a step breaks off', async () => {
      await append(0, 1)
      const breaking = (record: LogRecord) => {
        if (record.index === 1) throw new Error('crash')
        return expand(record)
      }
      await expect(feedOf().advance(breaking, 10)).rejects.toMatchObject({ code: 'store_unavailable' })
      expect(await enqueued()).toEqual([])
      expect(await feedOf().advance(expand, 10)).toBe(2)
      expect(await enqueued()).toEqual([0, 1])
    })

    test('enqueues what another cursor has enqueued not a second time', async () => {
      await append(0)
      await feedOf('one').advance(expand, 10)
      expect(await feedOf('two').advance(expand, 10)).toBe(1)
      expect(await enqueued()).toEqual([0])
    })

    test('does not even parse what is told to be quiet, and moves on over it', async () => {
      await append(0)
      await appendText(1, 'quiet')
      await append(2)
      expect(await feedOf().advance(expand, 10, (text) => text === 'quiet')).toBe(3)
      expect(await enqueued()).toEqual([0, 2])
    })

    test('skips to the end of the log, and never back', async () => {
      await append(0, 1, 2)
      await feedOf().skip()
      expect(await feedOf().advance(expand, 1)).toBe(1)
      await pool.query(`insert into ledger_head (ledger, size, frontier) values ($1, 2, '')`, [ledger])
      await feedOf().skip()
      expect(await feedOf().advance(expand, 10)).toBe(1)
      expect(await enqueued()).toEqual([0, 2])
      await feedOf().skip()
      await append(3)
      expect(await feedOf().advance(expand, 10)).toBe(1)
      await feedOf('new').skip()
      expect(await feedOf('new').advance(expand, 10)).toBe(2)
      await pool.query('delete from ledger_head where ledger = $1', [ledger])
    })

    test('reads no other ledger', async () => {
      await appendText(0, JSON.stringify(expiry(0)), 'other')
      expect(await feedOf().advance(expand, 10)).toBe(0)
    })

    test.each([
      ['is not JSON', '{'],
      ['bears another index', JSON.stringify(expiry(7))],
    ])('does not pass a record that %s', async (_why, text) => {
      await append(0)
      await appendText(1, text)
      await expect(feedOf().advance(expand, 10)).rejects.toMatchObject({ code: 'log_broken' })
      expect(await feedOf().advance(expand, 1)).toBe(1)
      await expect(feedOf().advance(expand, 10)).rejects.toMatchObject({ code: 'log_broken' })
    })

    test('gives each record to one of many workers', async () => {
      await append(...Array.from({ length: 60 }, (_, index) => index))
      const read: number[] = []
      const noting = (record: LogRecord) => {
        read.push(record.index)
        return expand(record)
      }
      const counts = await Promise.all(Array.from({ length: 8 }, () => feedOf().advance(noting, 10)))
      expect(counts.reduce((sum, count) => sum + count)).toBe(60)
      expect(read.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index))
    })

    test('that loses its connection is a fault, and the next step goes on', async () => {
      await append(0)
      await feedOf().advance(() => [], 10)
      await append(1)
      const holder = await pool.connect()
      await holder.query('begin')
      await holder.query('select 1 from notice_cursor for update')
      const waiting = feedOf().advance(expand, 10)
      const refused = expect(waiting).rejects.toMatchObject({ code: 'store_unavailable' })
      await cutWaiting(holder)
      await refused
      await holder.query('commit')
      holder.release()
      expect(await feedOf().advance(expand, 10)).toBe(1)
      expect(await enqueued()).toEqual([1])
    })
  })

  /** Cuts the connection that waits for a lock, as soon as there is one. */
  async function cutWaiting(client: pg.PoolClient): Promise<void> {
    for (;;) {
      const { rowCount } = await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`,
      )
      if (rowCount !== null && rowCount > 0) return
    }
  }

  describe('a claim', () => {
    test('takes what is due for its target, in the order of the log, and counts the attempt', async () => {
      await append(2, 0, 1)
      await feedOf().advance(expand, 10)
      const claimed = await outbox().claim('webhook', 2, 1000, now)
      expect(claimed).toEqual(
        [0, 1].map((index) => ({
          id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
          target: 'webhook',
          recipient: '',
          index,
          kind: 'approval.expired',
          body: JSON.stringify({ index, text: 'ä\u0000' }),
          attempts: 1,
        })),
      )
      expect(await outbox().claim('slack', 2, 1000, now)).toEqual([])
      expect(await createOutbox({ pool, ledger: 'other' }).claim('webhook', 2, 1000, now)).toEqual([])
    })

    test('takes a message for each recipient of a target, and one only where it is enqueued twice', async () => {
      await append(0)
      const expandTo = ({ index }: LogRecord): readonly OutboxMessage[] =>
        ['ann', 'bob', 'ann'].map((recipient) => ({
          target: 'mail',
          recipient,
          kind: 'k',
          index,
          body: '{}',
        }))
      await feedOf().advance(expandTo, 10)
      const claimed = await outbox().claim('mail', 10, 1000, now)
      expect(claimed.map(({ recipient }) => recipient).toSorted()).toEqual(['ann', 'bob'])
      expect(new Set(claimed.map(({ id }) => id)).size).toBe(2)
    })

    test('holds until its lease ends, and then the message comes again under the same id', async () => {
      await append(0)
      await feedOf().advance(expand, 10)
      const { id } = await first()
      expect(await outbox().claim('webhook', 1, 1000, later(999))).toEqual([])
      expect(await outbox().claim('webhook', 1, 1000, later(1000))).toMatchObject([{ id, attempts: 2 }])
    })

    test('gives each message to one of many workers', async () => {
      await append(...Array.from({ length: 50 }, (_, index) => index))
      await feedOf().advance(expand, 100)
      const workers = Array.from({ length: 8 }, async () => {
        const ids: string[] = []
        for (;;) {
          const claimed = await outbox().claim('webhook', 3, 1000, now)
          if (claimed.length === 0) return ids
          ids.push(...claimed.map(({ id }) => id))
        }
      })
      const ids = (await Promise.all(workers)).flat()
      expect(ids).toHaveLength(50)
      expect(new Set(ids).size).toBe(50)
    })

    test('passes over what another transaction is claiming, without waiting for it', async () => {
      await append(0, 1)
      await feedOf().advance(expand, 10)
      const other = await pool.connect()
      await other.query('begin')
      await other.query('select 1 from outbox where record_index = 0 for update')
      const claimed = await outbox().claim('webhook', 5, 1000, now)
      await other.query('rollback')
      other.release()
      expect(claimed.map(({ body }) => JSON.parse(body))).toMatchObject([{ index: 1 }])
    })
  })

  describe('a message', () => {
    beforeEach(async () => {
      await append(0)
      await feedOf().advance(expand, 10)
    })

    test('that was delivered never comes again', async () => {
      await outbox().delivered(await first(), now)
      expect(await outbox().claim('webhook', 1, 1000, later(1e12))).toEqual([])
    })

    test('that failed comes again when it is due, not before', async () => {
      await outbox().failed(await first(), now, 'answered 500', later(5000))
      expect(await outbox().claim('webhook', 1, 1000, later(4999))).toEqual([])
      expect(await outbox().claim('webhook', 1, 1000, later(5000))).toMatchObject([{ attempts: 2 }])
    })

    test('that was given up never comes again, and says why', async () => {
      await outbox().failed(await first(), now, 'answered 410', null)
      expect(await outbox().claim('webhook', 1, 1000, later(1e12))).toEqual([])
      const { rows } = await pool.query('select dead_at, last_error from outbox')
      expect(rows).toEqual([{ dead_at: new Date(now), last_error: 'answered 410' }])
    })

    test('cannot be given back by a worker whose lease has ended, once another has it', async () => {
      const late = await first()
      const [current] = await outbox().claim('webhook', 1, 1000, later(1000))
      await outbox().failed(late, later(1001), 'too late', later(1001))
      expect(await outbox().claim('webhook', 1, 1000, later(1500))).toEqual([])
      if (current === undefined) throw new Error('nothing to claim')
      await outbox().failed(current, later(1600), 'answered 500', later(1600))
      expect(await outbox().claim('webhook', 1, 1000, later(1600))).toMatchObject([{ attempts: 3 }])
    })

    test('counts as delivered although the lease had ended, or another worker had given it up', async () => {
      const late = await first()
      const [current] = await outbox().claim('webhook', 1, 1000, later(1000))
      if (current === undefined) throw new Error('nothing to claim')
      await outbox().failed(current, later(1001), 'answered 410', null)
      await outbox().delivered(late, later(1002))
      const { rows } = await pool.query('select delivered_at, dead_at from outbox')
      expect(rows).toEqual([{ delivered_at: new Date(later(1002)), dead_at: null }])
    })
  })
})
