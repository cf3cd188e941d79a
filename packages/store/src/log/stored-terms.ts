import type pg from 'pg'
import type { Queryable } from './batches.ts'

/** Terms that are stored for the batch that begins at `first`. */
export interface StoredTerms {
  readonly first: number
  readonly terms: readonly string[]
}

const termsPerFetch = 500

/**
 * The stored terms of every batch, also of batches that there are not, in order: sorted once, for looking them up by the
 * batch would need an index. Call it in a transaction, once.
 */
export async function* scanTerms(client: pg.Client, ledger: string): AsyncGenerator<StoredTerms> {
  await client.query(
    `declare stored_terms no scroll cursor for
    select first, array_agg(term) as terms from log_term where ledger = ${client.escapeLiteral(ledger)}
    group by first order by first`,
  )
  for (;;) {
    const { rows } = await client.query<{ first: string; terms: readonly string[] }>(
      `fetch ${termsPerFetch} from stored_terms`,
    )
    for (const { first, terms } of rows) yield { first: Number(first), terms }
    if (rows.length < termsPerFetch) return
  }
}

// By their primary key. Terms that nobody expects are not asked for.
const expectedTerms = {
  name: 'log_expected_terms',
  text: `select count(*)::int as count from unnest($2::text[], $3::bigint[]) as wanted (term, first)
    where exists (select from log_term t where t.ledger = $1 and t.term = wanted.term and t.first = wanted.first)`,
}

/** Whether each of the terms is stored for its batch. */
export async function hasTerms(
  client: Queryable,
  ledger: string,
  wanted: readonly StoredTerms[],
): Promise<boolean> {
  const terms = wanted.flatMap((batch) => batch.terms)
  const firsts = wanted.flatMap((batch) => batch.terms.map(() => batch.first))
  const { rows } = await client.query<{ count: number }>({
    ...expectedTerms,
    values: [ledger, terms, firsts],
  })
  return rows[0]?.count === terms.length
}
