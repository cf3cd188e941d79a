import { Fault } from '@bailiwick/core'
import pg from 'pg'
import type { Queryable } from '../log/batches.ts'
import { partitionSettings } from '../log/partitions.ts'
import { schemaName } from '../migrate.ts'

/**
 * What is not copied: what each database says of itself, what processes say of themselves, and what lets a person in.
 * People sign in anew. The head is written when all else is there.
 */
const leftBehind = [
  'migration',
  'ledger_head',
  'session',
  'sign_in_link',
  'sign_in_step',
  'sign_in_attempt',
  'passkey_challenge',
  'sequencer',
]

/** A table to copy. */
export interface Table {
  readonly name: string
  /** With its schema, quoted. */
  readonly sql: string
  /** The columns of its primary key, quoted, without `ledger`. */
  readonly key: readonly string[]
  readonly keyTypes: readonly string[]
  /** Whether it holds rows of several ledgers. */
  readonly byLedger: boolean
  /** Whether every database sorts the key alike: no text in it. */
  readonly sortsAlike: boolean
  /** All columns with their types, in order. */
  readonly columns: string
}

interface TableRow {
  readonly name: string
  readonly columns: string
  readonly by_ledger: boolean
  readonly key: readonly string[]
  readonly key_types: readonly string[]
  readonly sorts_alike: boolean
}

// Partitions are copied through the table that they are part of.
const TABLES = `
  select c.relname as name,
    (select string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'ledger' and not a.attisdropped) as by_ledger,
    coalesce(array_agg(quote_ident(k.attname) order by k.place) filter (where k.attname <> 'ledger'), '{}')::text[] as key,
    coalesce(array_agg(k.type order by k.place) filter (where k.attname <> 'ledger'), '{}')::text[] as key_types,
    coalesce(bool_and(k.attcollation = 0) filter (where k.attname <> 'ledger'), false) as sorts_alike
  from pg_class c
  left join lateral (
    select a.attname, a.attcollation, format_type(a.atttypid, a.atttypmod) as type, at.place
    from pg_index i, unnest(i.indkey::int2[]) with ordinality as at (attnum, place), pg_attribute a
    where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and a.attnum = at.attnum
  ) as k on true
  where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p') and not c.relispartition
  group by c.oid, c.relname order by c.relname`

/** The tables to copy, in the database that `client` is connected to. */
export async function tablesToCopy(client: Queryable): Promise<readonly Table[]> {
  const { rows } = await client.query<TableRow>(TABLES, [schemaName])
  return rows.flatMap((row) => {
    if (leftBehind.includes(row.name)) return []
    return [
      {
        name: row.name,
        sql: `${pg.escapeIdentifier(schemaName)}.${pg.escapeIdentifier(row.name)}`,
        key: row.key,
        keyTypes: row.key_types,
        byLedger: row.by_ledger,
        sortsAlike: row.sorts_alike && row.key.length > 0,
        columns: row.columns,
      },
    ]
  })
}

/** @throws Fault where the two databases do not have the same tables */
export function refuseUnlike(source: readonly Table[], target: readonly Table[]): void {
  const shape = (tables: readonly Table[]) => tables.map(({ name, columns }) => `${name} (${columns})`)
  const [here, there] = [shape(source), shape(target)]
  const unlike = [
    ...here.filter((each) => !there.includes(each)),
    ...there.filter((each) => !here.includes(each)),
  ]
  if (unlike.length === 0) return
  throw new Fault('store_unavailable', `the two databases differ in the table ${unlike[0] ?? ''}`, {
    fix: 'Run the same version of Bailiwick on both, and move what somebody has added to the schema by hand.',
  })
}

interface PartitionRow {
  readonly name: string
  readonly parent: string
  readonly bound: string
}

/** Gives the target the partitions that the source has, so that rows come to lie as they lay. */
export async function copyPartitions(source: Queryable, target: Queryable): Promise<void> {
  const { rows } = await source.query<PartitionRow>(
    `select c.relname as name, p.relname as parent, pg_get_expr(c.relpartbound, c.oid) as bound
    from pg_class c join pg_inherits i on i.inhrelid = c.oid join pg_class p on p.oid = i.inhparent
    where c.relnamespace = to_regnamespace($1) and c.relispartition and c.relkind = 'r' order by c.relname`,
    [schemaName],
  )
  for (const { name, parent, bound } of rows) {
    const quoted = [name, parent].map(
      (each) => `${pg.escapeIdentifier(schemaName)}.${pg.escapeIdentifier(each)}`,
    )
    const settings = partitionSettings(parent)
    await target.query(`create table if not exists ${quoted.join(' partition of ')} ${bound} ${settings}`)
  }
}
