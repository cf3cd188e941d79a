import pg from 'pg'
import { whileConnected } from '../engine/one-connection.ts'
import type { Queryable } from '../log/batches.ts'
import { inSchema } from '../migrate.ts'

/** The verifier keys that sign a ledger's checkpoints, as its database was told, the oldest first. */
export async function readKnownKeys(from: Queryable | pg.ClientConfig, ledger: string): Promise<string[]> {
  if ('query' in from) return await knownKeys(from, ledger)
  return await whileConnected(new pg.Client(inSchema(from)), (client) => knownKeys(client, ledger))
}

async function knownKeys(client: Queryable, ledger: string): Promise<string[]> {
  const { rows } = await client.query<{ verifier_key: string }>(
    'select verifier_key from log_key where ledger = $1 order by added_at, verifier_key',
    [ledger],
  )
  return rows.map((row) => row.verifier_key)
}

/** Remembers a key. Remembering it twice is harmless. */
export async function rememberKey(
  client: Queryable,
  ledger: string,
  verifierKey: string,
  at: string,
): Promise<void> {
  await client.query(
    'insert into log_key (ledger, verifier_key, added_at) values ($1, $2, $3) on conflict do nothing',
    [ledger, verifierKey, at],
  )
}

/** Forgets a key that no longer signs. */
export async function forgetKey(client: Queryable, ledger: string, verifierKey: string): Promise<void> {
  await client.query('delete from log_key where ledger = $1 and verifier_key = $2', [ledger, verifierKey])
}
