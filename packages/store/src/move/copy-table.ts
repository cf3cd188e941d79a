import { createHash } from 'node:crypto'
import type pg from 'pg'
import type { Table } from './tables.ts'

/** The two ends of a copy. The source's connection is in a transaction that sees one snapshot. */
export interface Ends {
  readonly source: pg.Client
  readonly target: pg.Client
  readonly ledger: string
}

/** About as much text is held in memory, and written in one transaction. One row may be larger. */
const chunkLengthMax = 4 * 1024 * 1024
const chunkRowsMax = 5_000
/** The first fetch: rows of the log are whole batches. */
const fetchFirst = 8

interface Row {
  readonly row: string
  readonly key: readonly string[]
}

/** How many rows a table has, and a sum over hashes of them, which does not depend on their order. */
export interface Fingerprint {
  readonly rows: number
  readonly sum: bigint
}

// Rows as PostgreSQL writes them: exact for every type, and the same in every version that can be here.
const hashedRow = `('x' || left(md5(t::text), 15))::bit(60)::bigint`

/** A condition, with the values of its parameters. */
interface Condition {
  readonly text: string
  readonly values: readonly unknown[]
}

function ofLedger(table: Table, ledger: string): Condition {
  return table.byLedger
    ? { text: 't.ledger = $1', values: [ledger] }
    : { text: '$1::text is not null', values: [''] }
}

/** The fingerprint of a table's rows of one ledger; all in the database, none of them comes here. */
export async function fingerprint(
  client: pg.Client,
  table: Table,
  ledger: string,
  within?: Condition,
): Promise<Fingerprint> {
  const of = ofLedger(table, ledger)
  const { rows } = await client.query<{ rows: string; sum: string }>(
    `select count(*) as rows, coalesce(sum(${hashedRow}), 0) as sum from ${table.sql} t
    where ${of.text}${within === undefined ? '' : ` and ${within.text}`}`,
    [...of.values, ...(within?.values ?? [])],
  )
  return { rows: Number(rows[0]?.rows), sum: BigInt(rows[0]?.sum ?? 0) }
}

function same(one: Fingerprint, other: Fingerprint): boolean {
  return one.rows === other.rows && one.sum === other.sum
}

/**
 * Makes the target's rows the source's, in bounded memory. What an earlier attempt has copied is not copied again: of a
 * large table chunk by chunk, of others as a whole.
 *
 * A crash in between leaves some chunks there, each of them whole: the next attempt goes on from them.
 *
 * @param onRows hears of rows that are there, copied or found
 */
export async function copyTable(ends: Ends, table: Table, onRows: (count: number) => void): Promise<void> {
  const there = await fingerprint(ends.target, table, ends.ledger)
  const fresh = there.rows === 0
  if (!fresh && !table.sortsAlike) {
    if (same(await fingerprint(ends.source, table, ends.ledger), there)) return onRows(there.rows)
    const of = ofLedger(table, ends.ledger)
    await ends.target.query(`delete from ${table.sql} t where ${of.text}`, [...of.values])
  }
  let after: readonly string[] | undefined
  for await (const chunk of chunks(ends, table)) {
    const upTo = chunk.at(-1)?.key ?? []
    if (fresh || !table.sortsAlike) await insert(ends.target, table, chunk)
    else await replaceRange(ends, table, chunk, { after, upTo })
    after = upTo
    onRows(chunk.length)
  }
  if (!fresh && table.sortsAlike) await removeBeyond(ends, table, after)
}

async function* chunks({ source, ledger }: Ends, table: Table): AsyncGenerator<readonly Row[]> {
  const of = ofLedger(table, ledger)
  const key = table.key.map((column) => `t.${column}`)
  const order = key.length === 0 ? '' : ` order by ${key.join(', ')}`
  const keys =
    key.length === 0 ? `'{}'::text[]` : `array[${key.map((column) => `${column}::text`).join(', ')}]`
  await source.query(
    `declare moved_rows no scroll cursor for select t::text as row, ${keys} as key from ${table.sql} t
    where ${of.text.replace('$1', source.escapeLiteral(String(of.values[0])))}${order}`,
  )
  let chunk: Row[] = []
  let length = 0
  let fetched = fetchFirst
  for (;;) {
    const { rows } = await source.query<Row>(`fetch ${fetched} from moved_rows`)
    let read = 0
    for (const row of rows) {
      read += row.row.length
      chunk.push(row)
    }
    length += read
    if (length >= chunkLengthMax || chunk.length >= chunkRowsMax || rows.length < fetched) {
      if (chunk.length > 0) yield chunk
      chunk = []
      length = 0
    }
    if (rows.length < fetched) break
    // As many as make half a chunk, by the last ones' length.
    const half = Math.floor(chunkLengthMax / 2 / Math.max(1, read / rows.length))
    fetched = Math.min(Math.max(half, 1), chunkRowsMax / 2)
  }
  await source.query('close moved_rows')
}

async function insert(target: pg.Client, table: Table, rows: readonly Row[]): Promise<void> {
  await target.query(
    `insert into ${table.sql} overriding system value select r.* from unnest($1::${table.sql}[]) as r`,
    [rows.map(({ row }) => row)],
  )
}

interface Range {
  /** Undefined: from the first row on. */
  readonly after: readonly string[] | undefined
  readonly upTo: readonly string[]
}

async function replaceRange(
  { target, ledger }: Ends,
  table: Table,
  chunk: readonly Row[],
  { after, upTo }: Range,
): Promise<void> {
  const within = conjunction([
    ...(after === undefined ? [] : [beyond(table, '>', after)]),
    beyond(table, '<=', upTo),
  ])
  if (same(await fingerprint(target, table, ledger, within), fingerprintOf(chunk))) return
  const of = ofLedger(table, ledger)
  await target.query('begin')
  await target.query(`delete from ${table.sql} t where ${of.text} and ${within.text}`, [
    ...of.values,
    ...within.values,
  ])
  await insert(target, table, chunk)
  await target.query('commit')
}

async function removeBeyond(
  { target, ledger }: Ends,
  table: Table,
  after: readonly string[] | undefined,
): Promise<void> {
  const of = ofLedger(table, ledger)
  const within = conjunction(after === undefined ? [] : [beyond(table, '>', after)])
  await target.query(`delete from ${table.sql} t where ${of.text} and ${within.text}`, [
    ...of.values,
    ...within.values,
  ])
}

type Comparison = (first: number) => Condition

function beyond({ key, keyTypes }: Table, operator: '>' | '<=', values: readonly string[]): Comparison {
  return (first) => {
    const columns = key.map((column) => `t.${column}`).join(', ')
    const given = keyTypes.map((type, at) => `$${first + at}::${type}`).join(', ')
    return { text: `(${columns}) ${operator} (${given})`, values }
  }
}

// `$1` is the ledger.
function conjunction(comparisons: readonly Comparison[]): Condition {
  const texts = ['true']
  const values: unknown[] = []
  for (const comparison of comparisons) {
    const condition = comparison(2 + values.length)
    texts.push(condition.text)
    values.push(...condition.values)
  }
  return { text: texts.join(' and '), values }
}

function fingerprintOf(chunk: readonly Row[]): Fingerprint {
  let sum = 0n
  for (const { row } of chunk) {
    sum += BigInt(`0x${createHash('md5').update(row).digest('hex').slice(0, 15)}`)
  }
  return { rows: chunk.length, sum }
}
