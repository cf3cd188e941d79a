import { createHmac, hash, randomBytes } from 'node:crypto'
import type { Queryable } from './batches.ts'

/**
 * Digests under which personal data is looked up, keyed with random secrets of the ledger: without those, what a digest
 * is of cannot be guessed, however few values there are.
 */
export interface Digests {
  /** Of a counter's key, in hexadecimal: SHA-256 of the secret as hexadecimal text, and the key. */
  counter(key: string): string
  /** Of a subject's canonical JSON, in hexadecimal: HMAC-SHA-256. */
  subject(text: string): string
}

/** The secrets of a ledger. */
export interface LedgerSecrets {
  readonly counter: Buffer
  readonly subject: Buffer
}

const secretBytes = 32

/** The secrets of a ledger, made where there are none yet. Whoever comes second gets those of the first. */
export async function ledgerSecrets(client: Queryable, ledger: string): Promise<LedgerSecrets> {
  const known = await readSecrets(client, ledger)
  if (known !== undefined) return known
  await client.query(
    `insert into ledger_secret (ledger, name, secret) values ($1, 'counter', $2), ($1, 'subject', $3)
    on conflict do nothing`,
    [ledger, randomBytes(secretBytes), randomBytes(secretBytes)],
  )
  return await ledgerSecrets(client, ledger)
}

/** The secrets of a ledger; undefined where it was never opened. */
export async function readSecrets(client: Queryable, ledger: string): Promise<LedgerSecrets | undefined> {
  const { rows } = await client.query<{ name: string; secret: Buffer }>(
    'select name, secret from ledger_secret where ledger = $1',
    [ledger],
  )
  const secret = (wanted: string) => rows.find(({ name }) => name === wanted)?.secret
  const [counter, subject] = [secret('counter'), secret('subject')]
  return counter === undefined || subject === undefined ? undefined : { counter, subject }
}

/** The digests of a ledger with these secrets. */
export function digestsOf({ counter, subject }: LedgerSecrets): Digests {
  const prefix = counter.toString('hex')
  return {
    counter: (key) => hash('sha256', prefix + key, 'hex'),
    subject: (text) => createHmac('sha256', subject).update(text).digest('hex'),
  }
}
