import { parseRecord, recordTerms } from '@bailiwick/core'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  cast,
  agent,
  escalated,
  ledgerSite,
  minute,
  refund,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

interface Row {
  readonly index: number
  readonly record: string
  readonly body: string
  readonly terms: readonly string[]
  readonly kind: string
}

describeOnOnePostgres('G5: verification finds', (postgres) => {
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
        await cast(ledger, voter('ann'), approvalId, { vote: at % 2 ? 'approve' : 'reject', comment: 'ok' })
    }
    site.clock.advance(5 * minute)
    await ledger.expireOverdue()
    await ledger.checkpoint()
    await oneRecordPerBatch(site)
    rows = await site.query(
      `select e.index::int, record, kind, body, array(
        select term from log_term t where t.ledger = e.ledger and t.first = e.index order by term) as terms
      from log_entry e order by e.index`,
    )
    size = rows.length
    await site.query(
      'create table saved_batch as table log_batch; create table saved_term as table log_term; create table saved_head as table ledger_head',
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
    ['record', 'records', () => someRow],
    ['body', 'bodies', () => withPayload],
  ] as const)('a changed character anywhere in any %s, and names the index', async (text, column, of) => {
    const change = fc.tuple(of(), fc.nat(), fc.constantFrom('0', 'x', '"', ' ', 'é'))
    await fc.assert(
      fc.asyncProperty(change, async ([row, at, character]) => {
        const honest = row[text]
        const place = at % honest.length
        const changed = honest.slice(0, place) + character + honest.slice(place + 1)
        fc.pre(changed !== honest && !/\p{Surrogate}/u.test(changed))
        await expectFound(row.index, `update log_batch set ${column} = $2 where first = $1`, [
          row.index,
          changed,
        ])
      }),
      { numRuns: 40 },
    )
  })

  test.each([
    ['leaf hash', 'leaf_hashes', () => someRow],
    ['salt', 'salts', () => withPayload],
  ] as const)('a flipped bit anywhere in any %s, and names the index', async (_, column, of) => {
    await fc.assert(
      fc.asyncProperty(of(), fc.nat({ max: 255 }), async (row, bit) => {
        const flip = `update log_batch set ${column} = set_bit(${column}, $2, 1 - get_bit(${column}, $2)) where first = $1`
        await expectFound(row.index, flip, [row.index, bit])
      }),
      { numRuns: 20 },
    )
  })

  test('a term beside any record that is missing, changed or too many', async () => {
    await fc.assert(
      fc.asyncProperty(someRow, fc.nat(), async ({ index, terms }, at) => {
        const add = `insert into log_term select ledger, 'agent=x', first, at from log_batch where first = $1`
        await expectFound(index, add, [index])
        fc.pre(terms.length > 0)
        const term = terms[at % terms.length]
        await expectFound(index, 'delete from log_term where first = $1 and term = $2', [index, term])
        const change = `update log_term set term = term || 'x' where first = $1 and term = $2`
        await expectFound(index, change, [index, term])
      }),
      { numRuns: 15 },
    )
  })

  test('a term beside any record that was moved in time, out of sight of whoever searches by it', async () => {
    const { index } = rows.find(({ terms }) => terms.length > 0) as Row
    const move = `update log_term set at = at + interval '1 year' where first = $1`
    await expectFound(index, move, [index])
  })

  test('a term of a batch that does not exist', async () => {
    await site.query(`insert into log_term select ledger, 'agent=x', $1, now() from ledger_head`, [size + 3])
    expect(await ledger.verify()).toMatchObject({ kind: 'broken' })
  })

  test('a time beside any record that was moved by as little as a microsecond', async () => {
    const move = fc.oneof(fc.constantFrom(-1, 1, 999, 1000, -1000), fc.integer({ min: 1, max: 1e15 }))
    await fc.assert(
      fc.asyncProperty(someRow, move, async (row, microseconds) => {
        const moved = `update log_batch set at = at + $2 * interval '1 microsecond' where first = $1`
        await expectFound(row.index, moved, [row.index, microseconds])
      }),
      { numRuns: 20 },
    )
    for (const at of ['infinity', '-infinity', '2026-03-01 09:00:00+00 BC']) {
      await expectFound(3, 'update log_batch set at = $2 where first = $1', [3, at])
    }
  })

  test('any record that is missing', async () => {
    for (const { index } of rows) await expectFound(index, 'delete from log_batch where first = $1', [index])
  })

  test('any payload that is missing, or half of it, where no erasure is marked', async () => {
    for (const { index } of rows.filter(({ body }) => body !== null).slice(0, 12)) {
      await expectFound(index, `update log_batch set bodies = '' where first = $1`, [index])
      await expectFound(index, `update log_batch set salts = '' where first = $1`, [index])
    }
  })

  test('two records, or two payloads, that changed places', async () => {
    const pairs = fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 30 })).filter(([a, b]) => a !== b)
    const places = 'update log_batch set first = $1::bigint + $2::bigint - first where first in ($1, $2)'
    const payloads = `update log_batch b set bodies = o.bodies, salts = o.salts
      from log_batch o where b.first in ($1, $2) and o.first = $1::bigint + $2::bigint - b.first`
    // Whoever can write to the tables can drop their keys.
    await site.query('alter table log_batch drop constraint log_batch_pkey')
    await fc.assert(
      fc.asyncProperty(pairs, async ([a, b]) => {
        await expectFound(Math.min(a, b), places, [a, b])
      }),
      { numRuns: 20 },
    )
    const kept = rows.filter(({ body }) => body !== null).map(({ index }) => index)
    const [first = 0, second = 0, third = 0] = kept
    await expectFound(first, payloads, [first, third])
    await expectFound(second, payloads, [third, second])
  })

  test('a record that was inserted at the end, before the beginning, or twice', async () => {
    const copy =
      'insert into log_batch select ledger, $2, at, leaf_hashes, records, salts, bodies, erased from log_batch where first = $1'
    await expectFound(size, copy, [3, size])
    await expectFound(-1, copy, [3, -1])
    await expectFound(5, copy, [5, 5])
  })

  test('a record with another ledger’s name, which is missing in its own', async () => {
    await expectFound(7, `update log_batch set ledger = 'elsewhere' where first = $1`, [7])
  })

  test('a payload that a record never had', async () => {
    const without = rows.find(({ body }) => body === null)?.index
    const add = `update log_batch b set salts = o.salts, bodies = o.bodies from log_batch o where b.first = $1 and o.first = 2`
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

describeOnOnePostgres('G5: in a batch of many records verification finds', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  const last = 41

  beforeAll(async () => {
    site = await ledgerSite(postgres)
    ledger = await site.open()
    await Promise.all(Array.from({ length: last }, (_, at) => ledger.decide(agent, refund(at))))
    await site.query(
      `create table saved_batch as table log_batch; create table saved_term as table log_term;
      create table saved_head as table ledger_head`,
    )
  })
  afterEach(() => restoreRows(site))
  afterAll(() => site.remove())

  test('nothing, and batches are what they are called', async () => {
    const [row] = await site.query<{ batches: number }>('select count(*)::int as batches from log_batch')
    expect(row?.batches).toBeLessThan(last / 2)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', size: last + 1 })
  })

  test('nothing where the same records are split into other batches', async () => {
    await oneRecordPerBatch(site)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', size: last + 1 })
  })

  test.each([
    ['a changed record', `records = replace(records, '"id":"dec_30"', '"id":"dec_31"')`, 30],
    ['a changed payload', `bodies = replace(bodies, '"amount":29}', '"amount":92}')`, 30],
    ['a removed record', `records = regexp_replace(records, E'[^\n]*"dec_30"[^\n]*\n', '')`, 30],
    ['a removed payload', `bodies = regexp_replace(bodies, E'[^\n]*"amount":29}[^\n]*\n', E'\n')`, 30],
    ['a record that was added', `records = records || E'\n{}'`, null],
    ['a payload that was added', `bodies = bodies || E'\n{}'`, null],
    ['hashes that were added', `leaf_hashes = leaf_hashes || leaf_hashes`, null],
    ['salts that were added', `salts = salts || salts`, null],
    ['an erasure of a record elsewhere', `erased = array[${last + 7}]`, null],
  ])('%s', async (_, change, index) => {
    await site.query(`update log_batch set ${change} where first = (select max(first) from log_batch)`)
    const result = await ledger.verify()
    expect(result.kind).toBe('broken')
    if (index !== null) expect(result).toMatchObject({ index })
  })

  test('two records that changed places', async () => {
    await site.query(
      `update log_batch set records = replace(replace(replace(records, '"dec_30"', '"x"'), '"dec_31"', '"dec_30"'), '"x"', '"dec_31"')`,
    )
    expect(await ledger.verify()).toMatchObject({ kind: 'broken', index: 30 })
  })

  test('a batch that is stored twice', async () => {
    await site.query('alter table log_batch drop constraint log_batch_pkey')
    await site.query('insert into log_batch select * from log_batch')
    expect(await ledger.verify()).toMatchObject({ kind: 'broken' })
  })
})

/** The same log in other batches: where one ends and the next begins means nothing. */
async function oneRecordPerBatch(site: LedgerSite): Promise<void> {
  const entries = await site.query<{ index: string; record: string }>('select index, record from log_entry')
  const terms = entries.flatMap(({ index, record }) =>
    recordTerms(parseRecord(record)).map((term) => ({ term, first: Number(index) })),
  )
  await site.query(
    `create table single as select ledger, index, at, leaf_hash, record,
      coalesce(salt, decode(repeat('00', 32), 'hex')) as salt, coalesce(body, '') as body from log_entry;
    truncate log_batch, log_term;
    insert into log_batch select * from single; drop table single`,
  )
  await site.query(
    `insert into log_term select b.ledger, r.term, r.first, b.at
    from log_batch b join json_to_recordset($1::json) as r (term text, first bigint) on b.first = r.first`,
    [JSON.stringify(terms)],
  )
}

async function restoreRows(site: LedgerSite): Promise<void> {
  await site.query(
    `truncate log_batch, log_term, ledger_head; insert into log_batch table saved_batch;
    insert into log_term table saved_term; insert into ledger_head table saved_head`,
  )
}
