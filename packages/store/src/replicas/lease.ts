import { createHash, randomBytes } from 'node:crypto'
import type { Queryable } from '../log/batches.ts'

/** Where a process takes operations of others. */
export interface PeerAddress {
  /** Such as `http://10.0.0.7:7420`. */
  readonly url: string
  /** Where the address is good on one machine only: which. */
  readonly machine: string | null
}

/** Who is the sequencer, as its row says. */
export interface Lease {
  /** Chosen anew by every process that becomes the sequencer. */
  readonly holder: string
  readonly address: PeerAddress
  /** How long ago it last showed that it lives, by the database's clock. */
  readonly ageMs: number
}

/**
 * Becomes the ledger's sequencer for as long as the connection lasts, unless another connection is; says whether. The
 * row is written by the statement that takes the lock: nobody finds the lock taken and an old row for longer than
 * this statement runs.
 */
export async function takeLease(
  client: Queryable,
  ledger: string,
  holder: string,
  { url, machine }: PeerAddress,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `with lock as materialized (select pg_try_advisory_lock($2::bigint) as taken)
    insert into sequencer (ledger, holder, url, machine, backend, since, heartbeat)
    select $1, $3, $4, $5, pg_backend_pid(), clock_timestamp(), clock_timestamp() from lock where taken
    on conflict (ledger) do update set holder = excluded.holder, url = excluded.url, machine = excluded.machine,
      backend = excluded.backend, since = excluded.since, heartbeat = excluded.heartbeat`,
    [ledger, lockKey(ledger), holder, url, machine],
  )
  return rowCount === 1
}

/** Shows that the sequencer lives; false where the row is another's by now. */
export async function renewLease(client: Queryable, ledger: string, holder: string): Promise<boolean> {
  const { rowCount } = await client.query(
    'update sequencer set heartbeat = clock_timestamp() where ledger = $1 and holder = $2',
    [ledger, holder],
  )
  return rowCount === 1
}

/** Says that nobody is the sequencer, if it was this one. The lock goes with the connection. */
export async function leaveLease(client: Queryable, ledger: string, holder: string): Promise<void> {
  await client.query(
    'update sequencer set holder = null, url = null, machine = null where ledger = $1 and holder = $2',
    [ledger, holder],
  )
}

/** The sequencer as its row says; undefined where nobody is. */
export async function readLease(client: Queryable, ledger: string): Promise<Lease | undefined> {
  const { rows } = await client.query<{
    holder: string | null
    url: string | null
    machine: string | null
    age: number | null
  }>(
    `select holder, url, machine, (extract(epoch from clock_timestamp() - heartbeat) * 1000)::float8 as age
    from sequencer where ledger = $1`,
    [ledger],
  )
  const [row] = rows
  if (row === undefined || row.holder === null || row.url === null || row.age === null) return undefined
  return { holder: row.holder, address: { url: row.url, machine: row.machine }, ageMs: row.age }
}

/**
 * Ends the connection of this holder, if it has the ledger's lock, so that another can take it. For a holder that hangs
 * or whose host has died: one that only seemed to finds its connection ended, and whatever it writes is held by the
 * head's compare-and-swap before and after.
 */
export async function endHolder(client: Queryable, ledger: string, holder: string): Promise<void> {
  await client.query(
    `select pg_terminate_backend(l.pid) from pg_locks l join sequencer s on s.backend = l.pid
    where s.ledger = $1 and s.holder = $2 and l.locktype = 'advisory' and l.granted and l.objsubid = 1
      and l.database = (select oid from pg_database where datname = current_database())
      and (l.classid::bigint << 32) | l.objid::bigint = $3::bigint`,
    [ledger, holder, lockKey(ledger)],
  )
}

/** The secret that the ledger's processes know each other by; made at first use. Never print it. */
export async function peerSecret(client: Queryable, ledger: string): Promise<Buffer> {
  const read = () =>
    client.query<{ secret: Buffer }>('select secret from peer_secret where ledger = $1', [ledger])
  let { rows } = await read()
  if (rows.length === 0) {
    // Whoever comes first makes it; a crash in between leaves none, or one that everybody reads.
    const values = [ledger, randomBytes(32)]
    await client.query(
      'insert into peer_secret (ledger, secret) values ($1, $2) on conflict do nothing',
      values,
    )
    rows = (await read()).rows
  }
  const [row] = rows
  if (row === undefined) throw new Error('a row that was inserted is not there')
  return row.secret
}

/** The channel on which a ledger's processes tell each other what is new. */
export function channelOf(ledger: string): string {
  return `bailiwick_${digest(`channel ${ledger}`).toString('hex').slice(0, 32)}`
}

// Advisory locks are numbers, and belong to the whole database. Two ledgers with one number would take turns.
function lockKey(ledger: string): string {
  return digest(`sequencer ${ledger}`).readBigInt64BE(0).toString()
}

function digest(text: string): Buffer {
  return createHash('sha256').update(`bailiwick ${text}`).digest()
}
