import { decide, parsePolicy } from '@bailiwick/core'
import { Ledger } from '@bailiwick/store'
import pg from 'pg'
import { agent, policyText, refund } from './policy.mjs'

const baselineConnections = 16

/** A ledger whose policy decides each call. */
export async function openOurs(database, dataDir) {
  const { policy } = parsePolicy(policyText)
  const ledger = await Ledger.open({
    connection: database.connection,
    policies: { for: (id) => (id === agent ? policy : undefined), all: [policy], warnings: [] },
    dataDir,
    consoleUrl: 'http://127.0.0.1',
  })
  return { ledger, once: (number) => ledger.decide(agent, refund(number)), close: () => ledger.close() }
}

/**
 * What a team builds first: the same decision, then one INSERT that commits by itself, into a plain table with two
 * indexes. With plain statements over a pool, prepared over the same pool, and over one connection without a decision.
 */
export async function openBaseline(connection) {
  const { policy } = parsePolicy(policyText)
  const pool = new pg.Pool({ ...connection, max: baselineConnections })
  const one = new pg.Client(connection)
  await one.connect()
  await one.query(`create table if not exists naive_log (
    id bigserial primary key, agent text not null, action text not null, params jsonb not null,
    effect text not null, reasons jsonb not null, at timestamptz not null default now())`)
  await one.query('create index if not exists naive_log_agent on naive_log (agent, at)')
  await one.query('create index if not exists naive_log_action on naive_log (action, at)')
  const text = 'insert into naive_log (agent, action, params, effect, reasons) values ($1, $2, $3, $4, $5)'
  const decided = (statement) => async (number) => {
    const call = { agent, ...refund(number) }
    const { effect, reasons } = decide(policy, call, { now: Date.now() })
    await pool.query({
      ...statement,
      values: [agent, call.action, call.params, effect, JSON.stringify(reasons)],
    })
  }
  const bare = (statement) => (number) => {
    const { action, params } = refund(number)
    return one.query({ ...statement, values: [agent, action, params, 'allow', '["Action approved"]'] })
  }
  return {
    plain: decided({ text }),
    prepared: decided({ text, name: 'naive_insert' }),
    bare: bare({ text }),
    barePrepared: bare({ text, name: 'bare_insert' }),
    close: async () => {
      await pool.end()
      await one.end()
    },
  }
}

/** How much of the disk each side takes by now, and how much write-ahead log has been written. */
export async function storage(connection) {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    // Table by table: a table in parts has no size of its own.
    const { rows } = await client.query(`
      select coalesce(sum(pg_total_relation_size(c.oid)) filter (where n.nspname = 'bailiwick'), 0) as ours,
        coalesce(sum(pg_total_relation_size(c.oid)) filter (where c.relname = 'naive_log'), 0) as naive,
        pg_current_wal_lsn() - '0/0'::pg_lsn as wal
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r'`)
    const { ours, naive, wal } = rows[0]
    return { ours: Number(ours), naive: Number(naive), wal: Number(wal) }
  } finally {
    await client.end()
  }
}

/** A setting of the server. */
export async function setting(connection, name) {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    const { rows } = await client.query(`show ${name}`)
    return rows[0][name]
  } finally {
    await client.end()
  }
}

/**
 * Brings a new server to where one is that has run for a while: with files of write-ahead log that it uses again. A new
 * server makes each of them when it is needed, and all that wait for a commit wait for that, too: 16 MiB of zeros, synced.
 */
export async function runInWriteAheadLog(connection) {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    const { rows } = await client.query(
      `select setting::int as mib from pg_settings where name = 'max_wal_size'`,
    )
    const mib = Math.min(rows[0].mib, 2_048)
    for (let written = 0; written < mib; written += 16) {
      await client.query(`select pg_logical_emit_message(true, 'bench', repeat('x', 16 * 1024 * 1024))`)
    }
    await client.query('checkpoint')
  } catch (error) {
    console.log(`Its write-ahead log is as it was found: ${error.message}`)
  } finally {
    await client.end()
  }
}
