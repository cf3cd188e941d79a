import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  appendLeaves,
  emptyFrontier,
  encodeFrontier,
  frontierRoot,
  parseRecord,
  recordTerms,
  signCheckpoint,
  loadLogKey,
} from '@bailiwick/core'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Ledger } from '../../src/ledger.ts'
import { verifyStoredLog } from '../../src/verify.ts'
import { describeOnOnePostgres } from '../harness/postgres.ts'
import { cast, agent, escalated, ledgerSite, refund, voter, type LedgerSite } from '../harness/ledger.ts'

const tables = ['log_batch', 'log_term', 'ledger_head'] as const

interface StoredRecord {
  readonly index: number
  readonly record: string
  readonly at: string
  readonly leaf: string
  readonly salt: string
  readonly body: string
}

describeOnOnePostgres('G5: a log in any batches, verified in any parts,', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  let twin: Ledger
  let rows: StoredRecord[]
  let size: number

  beforeAll(async () => {
    site = await ledgerSite(postgres)
    ledger = await site.open(undefined, 'main')
    twin = await site.open(undefined, 'twin')
    for (const one of [ledger, twin]) {
      const approvalId = await escalated(one, { callId: 'c1' })
      await cast(one, voter('ann'), approvalId, { vote: 'approve', comment: 'ä€😀' })
      const { id } = await one.decide(agent, refund(600, { approvalId, callId: 'c1' }))
      await one.reportOutcome(agent, id, { status: 'succeeded' })
      await Promise.all(Array.from({ length: 9 }, (_, at) => one.decide(agent, refund(at))))
      await one.decide(agent, { action: 'delete_account', params: {} })
      for (let at = 0; at < 6; at++) await one.decide(agent, refund(at, { callId: `d${at}` }))
    }
    await ledger.checkpoint()
    rows = await site.query<StoredRecord & { index: number }>(
      `select index::int, record, at::text, encode(leaf_hash, 'hex') as leaf,
        coalesce(encode(salt, 'hex'), repeat('00', 32)) as salt, coalesce(body, '') as body
      from log_entry where ledger = 'main' order by index`,
    )
    size = rows.length
    for (const table of tables) await site.query(`create table saved_${table} as table ${table}`)
    await site.query(
      'alter table log_batch drop constraint log_batch_pkey; alter table log_term drop constraint log_term_pkey; alter table ledger_head drop constraint ledger_head_pkey',
    )
  })
  afterEach(restore)
  afterAll(() => site.remove())

  async function restore(): Promise<void> {
    for (const table of tables)
      await site.query(`truncate ${table}; insert into ${table} table saved_${table}`)
  }

  /** Writes the log anew, its batches ending where they are told. Batches are of one instant. */
  async function rebatch(ends: ReadonlySet<number>): Promise<void> {
    const batches: StoredRecord[][] = []
    for (const row of rows) {
      const last = batches.at(-1)
      if (last === undefined || ends.has(row.index) || last[0]?.at !== row.at) batches.push([row])
      else last.push(row)
    }
    const joined = batches.map((batch) => ({
      first: batch[0]?.index,
      at: batch[0]?.at,
      leaves: batch.map(({ leaf }) => leaf).join(''),
      salts: batch.map(({ salt }) => salt).join(''),
      records: batch.map(({ record }) => record).join('\n'),
      bodies: batch.map(({ body }) => body).join('\n'),
      terms: [...new Set(batch.flatMap(({ record }) => recordTerms(parseRecord(record))))],
    }))
    await site.query(`delete from log_batch where ledger = 'main'`)
    await site.query(`delete from log_term where ledger = 'main'`)
    await site.query(
      `with b as (select * from json_to_recordset($1::json)
        as b (first bigint, at timestamptz, leaves text, salts text, records text, bodies text, terms json)
      ), logged as (
        insert into log_batch (ledger, first, at, leaf_hashes, records, salts, bodies)
        select 'main', first, at, decode(leaves, 'hex'), records, decode(salts, 'hex'), bodies from b
      ) insert into log_term (ledger, term, first, at) select 'main', t.term, b.first, b.at from b, json_array_elements_text(b.terms) as t (term)`,
      [JSON.stringify(joined)],
    )
  }

  const verified = (recordsPerPart?: number, workers?: number) =>
    verifyStoredLog({
      connection: site.database.config,
      dataDir: site.dataDir,
      ledger: 'main',
      now: site.clock.now(),
      recordsPerPart,
      workers,
    })

  const cut = fc.uniqueArray(fc.nat(40), { maxLength: 20 }).map((ends) => new Set(ends))
  const perPart = fc.integer({ min: 1, max: 12 })
  const workers = fc.integer({ min: 1, max: 3 })

  test('is intact, and its root is the same', async () => {
    const whole = await verified()
    expect(whole).toMatchObject({ kind: 'intact', size, checkpoint: { size } })
    await fc.assert(
      fc.asyncProperty(cut, perPart, workers, async (ends, records, count) => {
        await rebatch(ends)
        expect(await verified(records, count)).toEqual(whole)
      }),
      { numRuns: 12 },
    )
  })

  const any = (text: string) =>
    `${text} where ctid = (select ctid from TABLE where ledger = 'main' order by ctid offset $1 limit 1)`
  const damages: readonly (readonly [string, string, string])[] = [
    [
      'a bit of a leaf hash',
      'log_batch',
      any('update TABLE set leaf_hashes = set_bit(leaf_hashes, $2, 1 - get_bit(leaf_hashes, $2))'),
    ],
    ['the instant', 'log_batch', any(`update TABLE set at = at + ($2 + 1) * interval '1 microsecond'`)],
    [
      'a character of a record',
      'log_batch',
      any(`update TABLE set records = overlay(records placing '~' from $2 % length(records) + 1 for 1)`),
    ],
    [
      'a character of a payload',
      'log_batch',
      any(
        `update TABLE set bodies = overlay(bodies || ' ' placing '~' from $2 % (length(bodies) + 1) + 1 for 1)`,
      ),
    ],
    [
      'the length of the salts',
      'log_batch',
      any(`update TABLE set salts = salts || decode(lpad(to_hex($2::int), 2, '0'), 'hex')`),
    ],
    ['an erasure', 'log_batch', any('update TABLE set erased = array[$2 + 1000]::bigint[]')],
    ['where it begins', 'log_batch', any('update TABLE set first = first + $2 + 1')],
    ['whose it is', 'log_batch', any(`update TABLE set ledger = case when $2 >= 0 then 'twin' end`)],
    ['a batch that is gone', 'log_batch', any('with x as (select $2::int) delete from TABLE')],
    [
      'a batch that is there twice',
      'log_batch',
      any('with x as (select $2::int) insert into TABLE select * from TABLE'),
    ],
    ['a term', 'log_term', any('update TABLE set term = term || $2')],
    ['the batch of a term', 'log_term', any('update TABLE set first = first + $2 + 1')],
    ['a term that is gone', 'log_term', any('with x as (select $2::int) delete from TABLE')],
    [
      'a term that is there twice',
      'log_term',
      any('with x as (select $2::int) insert into TABLE select * from TABLE'),
    ],
    ['the head’s size, up', 'ledger_head', any('update TABLE set size = size + $2 + 1')],
    ['the head’s size, down', 'ledger_head', any('update TABLE set size = greatest(0, size - $2 - 1)')],
    [
      'a bit of the head',
      'ledger_head',
      any('update TABLE set frontier = set_bit(frontier, $2, 1 - get_bit(frontier, $2))'),
    ],
    [
      'the head’s length',
      'ledger_head',
      any(`update TABLE set frontier = frontier || decode(lpad(to_hex($2::int), 2, '0'), 'hex')`),
    ],
  ]

  test.each(damages)(
    'is broken where %s changed, and every way of verifying names the same place',
    async (_what, table, statement) => {
      const text = statement.replaceAll('TABLE', table)
      await fc.assert(
        fc.asyncProperty(cut, perPart, fc.nat(), fc.nat(255), async (ends, records, pick, detail) => {
          await rebatch(ends)
          const [found] = await site.query<{ count: number }>(
            `select count(*)::int as count from ${table} where ledger = 'main'`,
          )
          await site.query(text, [pick % (found?.count ?? 1), detail])
          const one = await verified()
          expect(one.kind).toBe('broken')
          expect(await verified(records, 2)).toEqual(one)
          await restore()
        }),
        { numRuns: 4 },
      )
    },
  )

  test('is broken where rows of two ledgers of one database changed places', async () => {
    for (const table of ['log_batch', 'ledger_head'] as const) {
      await site.query(`update ${table} set ledger = case ledger when 'main' then 'twin' else 'main' end`)
      expect((await verified()).kind).toBe('broken')
      expect((await verified(3, 2)).kind).toBe('broken')
      await restore()
    }
    // All of them together are a log in itself; only it is another one than its name says.
    for (const table of tables) {
      await site.query(`update ${table} set ledger = case ledger when 'main' then 'twin' else 'main' end`)
    }
    expect(await verified(3, 2)).toMatchObject({ kind: 'broken', index: expect.any(Number) })
  })

  describe('held against a checkpoint', () => {
    const path = () => join(site.dataDir, 'checkpoints', 'main')
    let note: string
    beforeAll(async () => {
      note = await readFile(`${path()}.checkpoint`, 'utf8')
    })
    afterEach(() => writeFile(`${path()}.checkpoint`, note))

    const frontierAt = (at: number, leaves = rows.map(({ leaf }) => Buffer.from(leaf, 'hex'))) =>
      appendLeaves(emptyFrontier, leaves.slice(0, at))
    /** Puts a checkpoint of this log, rightly signed, in the place of the published one. */
    async function publish(at: number, root: Buffer): Promise<void> {
      const { origin } = ledger.checkpoints
      const { signer } = loadLogKey(origin, await readFile(`${path()}.key`, 'utf8'))
      await writeFile(`${path()}.checkpoint`, signCheckpoint({ origin, size: at, root }, signer))
    }

    test('of any of its past sizes, is intact', async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(size), perPart, async (at, records) => {
          await publish(at, frontierRoot(frontierAt(at)))
          expect(await verified(records, 2)).toMatchObject({ kind: 'intact', checkpoint: { size: at } })
        }),
        { numRuns: 8 },
      )
    })

    test('of another fork, with a valid signature, is broken, and the size is named', async () => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: size }), fc.nat(), perPart, async (at, other, records) => {
          const leaves = rows.map(({ leaf }) => Buffer.from(leaf, 'hex'))
          leaves[other % at] = Buffer.alloc(32, other)
          await publish(at, frontierRoot(frontierAt(at, leaves)))
          for (const result of [await verified(), await verified(records, 2)]) {
            expect(result).toMatchObject({
              kind: 'broken',
              problem: expect.stringContaining(`checkpoint at size ${at} `),
            })
          }
        }),
        { numRuns: 8 },
      )
    })

    test('of more records than the database has, is broken where these end', async () => {
      const more = [
        ...rows.map(({ leaf }) => Buffer.from(leaf, 'hex')),
        Buffer.alloc(32, 1),
        Buffer.alloc(32, 2),
      ]
      for (const at of [size + 1, size + 2]) {
        await publish(at, frontierRoot(frontierAt(at, more)))
        for (const result of [await verified(), await verified(4, 2)]) {
          expect(result).toMatchObject({
            kind: 'broken',
            index: size,
            problem: expect.stringContaining(`counts ${at} records`),
          })
        }
      }
    })

    test('is broken where the tail was cut off, and the head fits what is left', async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(size - 1), perPart, async (at, records) => {
          await rebatch(new Set([at]))
          await site.query(`delete from log_batch where ledger = 'main' and first >= $1`, [at])
          await site.query(`delete from log_term where ledger = 'main' and first >= $1`, [at])
          const frontier = encodeFrontier(frontierAt(at))
          await site.query(`update ledger_head set size = $1, frontier = $2 where ledger = 'main'`, [
            at,
            frontier,
          ])
          expect(await verified(records, 2)).toMatchObject({ kind: 'broken', index: at })
          await restore()
        }),
        { numRuns: 6 },
      )
    })
  })

  test('can begin at a known tree, where the records before it were moved elsewhere', async () => {
    const at = 7
    await rebatch(new Set([at]))
    const from = appendLeaves(
      emptyFrontier,
      rows.slice(0, at).map(({ leaf }) => Buffer.from(leaf, 'hex')),
    )
    await site.query(`delete from log_batch where ledger = 'main' and first < $1`, [at])
    await site.query(`delete from log_term where ledger = 'main' and first < $1`, [at])
    const options = {
      connection: site.database.config,
      dataDir: site.dataDir,
      ledger: 'main',
      now: site.clock.now(),
    }
    const held = { kind: 'intact', size, checkpoint: { size } }
    expect(await verifyStoredLog({ ...options, from })).toMatchObject(held)
    expect(await verifyStoredLog({ ...options, from, recordsPerPart: 3, workers: 2 })).toMatchObject(held)
    const other = appendLeaves(from, [Buffer.alloc(32)])
    expect(await verifyStoredLog({ ...options, from: other })).toMatchObject({
      kind: 'broken',
      index: at + 1,
    })
    expect(await verifyStoredLog(options)).toMatchObject({ kind: 'broken', index: 0 })
  })
})
