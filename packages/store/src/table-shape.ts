import type { Queryable } from './log/batches.ts'

// A view can show one reader other rows than another one, and so can rules, policies for rows, tables that inherit, and whatever
// of the same name is found first. Partitions are tables of ours; `log_entry` is the one view.
const strange = `
  select c.relname as name, case
    when n.nspname <> $1 then 'is found elsewhere first, in the schema ' || n.nspname
    when c.relkind not in ('r', 'p') then 'is no table'
    when c.relrowsecurity then 'hides rows by policies'
    when exists (select from pg_rewrite r where r.ev_class = c.oid) then 'has rules'
    else 'has tables that inherit from it' end as what
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where (n.nspname = 'pg_catalog' and c.relname in (
      select o.relname from pg_class o join pg_namespace p on p.oid = o.relnamespace
      where p.nspname = $1 and o.relkind not in ('i', 'I', 'S', 't', 'c')))
    or (n.nspname = $1 and c.relname <> 'log_entry' and c.relkind not in ('i', 'I', 'S', 't', 'c') and (
      c.relkind not in ('r', 'p') or c.relrowsecurity
      or exists (select from pg_rewrite r where r.ev_class = c.oid)
      or (c.relkind = 'r' and exists (select from pg_inherits h where h.inhparent = c.oid))))
  order by 1 limit 1`

/**
 * What of the schema is not the table that it has to be, as a sentence without its end: what stands in a table's place can show
 * verification other rows than decisions are made on. Undefined where nothing is.
 *
 * @param schemaName the schema that has Bailiwick's tables
 */
export async function tableShapeProblem(client: Queryable, schemaName: string): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string; what: string }>(strange, [schemaName])
  const [row] = rows
  return row && `\`${row.name}\` in the database ${row.what}`
}

/** What to do about it. */
export const fixShape =
  'Put a view of your own into another schema. Otherwise keep the database as evidence and decide nothing on it; find out who can change its tables, and put the table back.'
