import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Ledger } from '../src/ledger.ts'
import { describeOnPostgres } from './harness/postgres.ts'
import { agent, escalated, ledgerSite, minute, refund, voter, type LedgerSite } from './harness/ledger.ts'

interface Row {
  readonly index: number
  readonly record: string
  readonly body: string
  readonly agent: string | null
  readonly action: string | null
  readonly effect: string | null
  readonly kind: string
}

describeOnPostgres('G5: verification finds', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  let rows: Row[]
  let size: number

  beforeAll(async () => {
    site = await ledgerSite(postgres)
    ledger = await site.open()
    await ledger.note({ kind: 'access', event: 'key_created', subject: 'k', grants: [agent] })
    for (let at = 0; at < 8; at++) {
      const { id } = await ledger.decide(agent, refund(at, { context: { note: 'ä€😀' }, callId: `c${at}` }))
      if (at % 2) await ledger.reportOutcome(agent, id, { status: 'succeeded', detail: 'paid' })
      await ledger.decide(agent, { action: 'delete_account', params: {} })
      const approvalId = await escalated(ledger)
      if (at % 3)
        await ledger.vote(voter('ann'), approvalId, { vote: at % 2 ? 'approve' : 'reject', comment: 'ok' })
    }
    site.clock.advance(5 * minute)
    await ledger.expireOverdue()
    await ledger.checkpoint()
    rows = await site.query(
      `select e.index::int, record, kind, agent, action, effect, body
      from log_entry e left join payload p using (ledger, index) order by e.index`,
    )
    size = rows.length
    await site.query(
      'create table saved_entry as table log_entry; create table saved_payload as table payload; create table saved_head as table ledger_head',
    )
  })
  afterEach(() => restoreRows(site))
  afterAll(() => site.remove())

  test('nothing in a log of every kind of record that nobody touched', async () => {
    expect(new Set(rows.map(({ kind }) => kind))).toEqual(
      new Set(['policy', 'access', 'decision', 'outcome', 'vote', 'expiry']),
    )
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', size, erased: 0, checkpoint: { size } })
  })

  const someRow = fc.nat().map((at) => rows[at % size] as Row)
  const withPayload = fc.nat().map((at) => {
    const candidates = rows.filter(({ body }) => body !== null)
    return candidates[at % candidates.length] as Row
  })
  /** Does one thing to the stored log, expects it found at the index, and undoes it. */
  async function expectFound(
    index: number | null,
    statement: string,
    values: readonly unknown[],
  ): Promise<void> {
    await site.query(statement, values)
    expect(await ledger.verify()).toMatchObject({ kind: 'broken', index })
    await restoreRows(site)
  }

  test.each([
    ['record', 'log_entry', () => someRow],
    ['body', 'payload', () => withPayload],
  ] as const)('a changed character anywhere in any %s, and names the index', async (column, table, of) => {
    const change = fc.tuple(of(), fc.nat(), fc.constantFrom('0', 'x', '"', ' ', 'é'))
    await fc.assert(
      fc.asyncProperty(change, async ([row, at, character]) => {
        const text = row[column]
        const place = at % text.length
        const changed = text.slice(0, place) + character + text.slice(place + 1)
        fc.pre(changed !== text && !/\p{Surrogate}/u.test(changed))
        await expectFound(row.index, `update ${table} set ${column} = $2 where index = $1`, [
          row.index,
          changed,
        ])
      }),
      { numRuns: 40 },
    )
  })

  test.each([
    ['leaf_hash', 'log_entry', () => someRow],
    ['salt', 'payload', () => withPayload],
  ] as const)('a flipped bit anywhere in any %s, and names the index', async (column, table, of) => {
    await fc.assert(
      fc.asyncProperty(of(), fc.nat({ max: 255 }), async (row, bit) => {
        const flip = `update ${table} set ${column} = set_bit(${column}, $2, 1 - get_bit(${column}, $2)) where index = $1`
        await expectFound(row.index, flip, [row.index, bit])
      }),
      { numRuns: 20 },
    )
  })

  test.each(['agent', 'action', 'effect', 'kind'] as const)(
    'a changed %s beside any record',
    async (column) => {
      await fc.assert(
        fc.asyncProperty(someRow, fc.constantFrom('allow', 'deny', 'vote', 'x', null), async (row, value) => {
          fc.pre(value !== row[column] && !(column === 'kind' && value === null))
          await expectFound(row.index, `update log_entry set ${column} = $2 where index = $1`, [
            row.index,
            value,
          ])
        }),
        { numRuns: 20 },
      )
    },
  )

  test('a time beside any record that was moved by as little as a microsecond', async () => {
    const move = fc.oneof(fc.constantFrom(-1, 1, 999, 1000, -1000), fc.integer({ min: 1, max: 1e15 }))
    await fc.assert(
      fc.asyncProperty(someRow, move, async (row, microseconds) => {
        const moved = `update log_entry set at = at + $2 * interval '1 microsecond' where index = $1`
        await expectFound(row.index, moved, [row.index, microseconds])
      }),
      { numRuns: 20 },
    )
    for (const at of ['infinity', '-infinity', '2026-03-01 09:00:00+00 BC']) {
      await expectFound(3, 'update log_entry set at = $2 where index = $1', [3, at])
    }
  })

  test('any record that is missing', async () => {
    for (const { index } of rows) await expectFound(index, 'delete from log_entry where index = $1', [index])
  })

  test('any payload that is missing, or half of it, where no erasure is marked', async () => {
    for (const { index } of rows.filter(({ body }) => body !== null).slice(0, 12)) {
      await expectFound(index, 'delete from payload where index = $1', [index])
      await expectFound(index, 'update payload set body = null where index = $1', [index])
      await expectFound(index, 'update payload set salt = null where index = $1', [index])
    }
  })

  test('two records, or two payloads, that changed places', async () => {
    const swap = (table: string) =>
      `update ${table} set index = $1::bigint + $2::bigint - index where index in ($1, $2)`
    const pairs = fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 30 })).filter(([a, b]) => a !== b)
    // Whoever can write to the tables can drop their keys.
    await site.query(
      'alter table log_entry drop constraint log_entry_pkey; alter table payload drop constraint payload_pkey',
    )
    await fc.assert(
      fc.asyncProperty(pairs, async ([a, b]) => {
        await expectFound(Math.min(a, b), swap('log_entry'), [a, b])
      }),
      { numRuns: 20 },
    )
    const kept = rows.filter(({ body }) => body !== null).map(({ index }) => index)
    const [first = 0, second = 0, third = 0] = kept
    await expectFound(first, swap('payload'), [first, third])
    await expectFound(second, swap('payload'), [third, second])
  })

  test('a record that was inserted at the end, before the beginning, or twice', async () => {
    const copy =
      'insert into log_entry select ledger, $2, leaf_hash, record, kind, at, agent, action, effect from log_entry where index = $1'
    await expectFound(size, copy, [3, size])
    await expectFound(-1, copy, [3, -1])
    await expectFound(5, copy, [5, 5])
  })

  test('a record with another ledger’s name, which is missing in its own', async () => {
    await expectFound(7, `update log_entry set ledger = 'elsewhere' where index = $1`, [7])
  })

  test('a payload that a record never had', async () => {
    const without = rows.find(({ body }) => body === null)?.index
    const add = `insert into payload (ledger, index, salt, body) select ledger, $1, salt, body from payload where index = 2`
    await expectFound(without ?? 0, add, [without])
  })

  test('any flipped bit of the head, and a head of another length or size', async () => {
    const [head] = await site.query<{ frontier: Buffer }>('select frontier from ledger_head')
    const bits = (head?.frontier.length ?? 0) * 8
    for (let bit = 0; bit < bits; bit += 61) {
      await site.query('update ledger_head set frontier = set_bit(frontier, $1, 1 - get_bit(frontier, $1))', [
        bit,
      ])
      expect(await ledger.verify()).toMatchObject({ kind: 'broken' })
      await restoreRows(site)
    }
    await expectFound(null, `update ledger_head set frontier = frontier || '\\x00'::bytea where $1`, [true])
    await expectFound(size, 'update ledger_head set size = size + $1', [1])
    await expectFound(size - 1, 'update ledger_head set size = size - $1', [1])
  })
})

async function restoreRows(site: LedgerSite): Promise<void> {
  await site.query(
    `truncate log_entry, payload, ledger_head; insert into log_entry table saved_entry;
    insert into payload table saved_payload; insert into ledger_head table saved_head`,
  )
}
