import { randomBytes } from 'node:crypto'
import { decodeFrontier, encodeFrontier, Fault, frontierRoot, type Frontier } from '@bailiwick/core'
import pg from 'pg'
import { tryArchiveTurns } from '../archive/turns.ts'
import { readCheckpoint } from '../checkpoints/checkpoint-file.ts'
import { whileConnected } from '../engine/one-connection.ts'
import { tryMoveLock } from '../engine/service-lock.ts'
import { readHead, readStoredHead, refuseRestoredBackup } from '../head.ts'
import { inSchema, migrate } from '../migrate.ts'
import { verifyStoredLog } from '../verify.ts'
import { copyTable, fingerprint, type Ends } from './copy-table.ts'
import { changeState, closedFault, readHeadMove } from './head-state.ts'
import { settleMove } from './settle.ts'
import { copyPartitions, refuseUnlike, tablesToCopy, type Table } from './tables.ts'
import { Verdict, type Attempt } from './verdict-file.ts'

/** What has been done when it is told; between any two of them, the process may die. */
export type MoveStep =
  'claimed' | 'begun' | 'closed' | 'copied' | 'compared' | 'verified' | 'decided' | 'opened' | 'finished'

/** Which log to move, and to where. */
export interface MoveOptions {
  readonly source: pg.ClientConfig
  readonly target: pg.ClientConfig
  /** What to call the two for people; never with a password. */
  readonly from: string
  readonly to: string
  /** Where the log's checkpoint and key are: it goes on with them. */
  readonly dataDir: string
  readonly ledger?: string | undefined
  readonly onStep?: ((step: MoveStep) => void) | undefined
  /** Rows that are at the target, of all that there are. */
  readonly onProgress?: ((done: number, all: number) => void) | undefined
}

/** What was moved. */
export interface Moved {
  readonly size: number
  /** Hexadecimal. */
  readonly root: string
  /** Whether an earlier run had moved it already, and this one only finished what was left to do. */
  readonly before: boolean
}

/**
 * Moves a log to another PostgreSQL: everything that belongs to it and to who may use it, except sessions. The checkpoint
 * and its key stay where they are, and the log goes on with them.
 *
 * At every moment one side at the most takes records, and after a crash at any moment exactly one does as soon as it is
 * opened with this data directory:
 *
 * 1. claimed: the target's head exists, closed. The source is open.
 * 2. begun: the attempt's file lies in the data directory.
 * 3. closed: the source's head takes nothing more. Who opens it now, and finds nobody moving it, decides by the file that
 *    the log stays, and opens it again.
 * 4. copied, compared, verified: the target holds what the source held, and is still closed.
 * 5. decided: the file is renamed. This is the one moment in which the log changes sides. Who opens the source now is
 *    refused; who opens the target opens it.
 * 6. opened, finished: what follows from that is written down on both sides.
 *
 * A later run takes over what an earlier one has copied, and finishes one that had been decided.
 *
 * @throws Fault where a service uses the source, the target has another log, or what arrived is not what was there;
 *   then the log stays where it is
 */
export async function moveLog(options: MoveOptions): Promise<Moved> {
  const { ledger = 'main', onStep = () => undefined } = options
  await migrate(options.source)
  const done = await finishedBefore(options, ledger)
  if (done !== undefined) return done
  const checkpoint = await publishedOrFault(options.dataDir, ledger)
  await settle(options, ledger)

  const lock = await tryMoveLock(options.source)
  if (lock === undefined) throw inUse()
  const [source, target] = [connectionTo(options.source), connectionTo(options.target)]
  try {
    await source.connect()
    // Until this connection ends: what the database says of the archive is copied, and the archive itself is one.
    if (!(await tryArchiveTurns(source, ledger))) throw archiving()
    await refuseRestoredBackup(source, ledger, checkpoint, undefined)
    await migrate(options.target)
    await target.connect()
    const ends = { source, target, ledger }
    const id = await claim(ends, options)
    onStep('claimed')
    return await moveClaimed({ ends, id, options: { ...options, ledger, onStep } })
  } finally {
    await source.end()
    await target.end()
    await lock.release()
  }
}

interface ClaimedMove {
  readonly ends: Ends
  readonly id: string
  readonly options: MoveOptions & { readonly ledger: string; readonly onStep: (step: MoveStep) => void }
}

async function moveClaimed({ ends, id, options }: ClaimedMove): Promise<Moved> {
  const { ledger, onStep, dataDir } = options
  const verdict = new Verdict(dataDir, ledger)
  await verdict.clear()
  const attempt = await verdict.begin(id)
  onStep('begun')
  try {
    await changeOrFault(ends.source, ledger, id, undefined, 'leaving')
    onStep('closed')
    const head = await copyAll({ ends, id, options })
    if (!(await attempt.decide())) throw notAlone()
    onStep('decided')
    await finish(options, ledger, id)
    return { size: head.size, root: frontierRoot(head).toString('hex'), before: false }
  } catch (fault) {
    await reopen(ends, id, attempt)
    throw fault
  }
}

// Programs that have the log open go on at once. Where this fails, the source being gone, the next opener does the same.
async function reopen({ source, ledger }: Ends, id: string, attempt: Attempt): Promise<void> {
  // Once it was decided that the log has left, nothing may open it here.
  if (!(await attempt.abandon())) return
  await source
    .query('rollback')
    .then(() => changeState(source, ledger, id, 'leaving', undefined))
    .catch((error: unknown) => error)
}

async function publishedOrFault(dataDir: string, ledger: string) {
  const published = await readCheckpoint(dataDir, ledger)
  if (published !== undefined) return published.checkpoint
  throw new Fault('not_found', `no checkpoint of the log \`${ledger}\` was published in \`${dataDir}\``, {
    fix: "Name the data directory of the log's service with --data: its key and checkpoint go on with the log.",
  })
}

async function settle({ source, dataDir }: MoveOptions, ledger: string): Promise<void> {
  const pool = new pg.Pool({ ...inSchema(source), max: 1 })
  pool.on('error', () => undefined)
  try {
    await settleMove(pool, ledger, dataDir)
  } finally {
    await pool.end()
  }
}

function connectionTo(config: pg.ClientConfig): pg.Client {
  const client = new pg.Client({ ...inSchema(config), keepAlive: true })
  // A connection that breaks also ends the statement under way, which reports it.
  client.on('error', () => undefined)
  return client
}

function inUse(): Fault {
  return new Fault('conflict', 'a service runs on this log, or somebody else is moving it', {
    fix: 'Stop every service on it first.',
  })
}

function archiving(): Fault {
  return new Fault('conflict', 'somebody archives this log, or erases in its archive', {
    fix: 'Wait for it to end, and run this again.',
  })
}

function notAlone(): Fault {
  return new Fault('conflict', 'somebody opened the log while it was being moved, and it stays where it is', {
    fix: 'Stop every service and every program that has the log open, and run this again.',
  })
}

/** The move's id, under which the target's closed head waits for the log. */
async function claim({ source, target, ledger }: Ends, { from, to }: MoveOptions): Promise<string> {
  const here = await readHeadMove(source, ledger)
  if (here === undefined) {
    throw new Fault('not_found', `there is no log \`${ledger}\` to move`, {
      fix: 'Name the data directory of the service with --data, or its database with DATABASE_URL.',
    })
  }
  const there = await readHeadMove(target, ledger)
  if (there !== undefined) {
    // Written on both sides by an earlier run that did not come to its end.
    const resumed = there.id !== undefined && there.id === here.id && there.state !== undefined
    if (resumed && there.state === 'arriving') return there.id
    if (resumed && (await changeState(target, ledger, there.id, 'arrived', 'arriving'))) return there.id
    throw alreadyThere(ledger, to, there.state === undefined)
  }
  await refuseInhabited(target, to)
  const id = randomBytes(16).toString('hex')
  // First here, then there: a target that is claimed under an id that nobody knows would be lost to later runs.
  await source.query(
    'update ledger_head set move_id = $2, move_other = $3 where ledger = $1 and move_state is null',
    [ledger, id, to],
  )
  const { rowCount } = await target.query(
    `insert into ledger_head (ledger, size, frontier, move_id, move_state, move_other)
    values ($1, 0, '', $2, 'arriving', $3) on conflict do nothing`,
    [ledger, id, from],
  )
  // Another move was faster.
  if (rowCount !== 1) throw alreadyThere(ledger, to, false)
  return id
}

// Whoever has moved the log and asks again with `DATABASE_URL` set must not be told to drop the log that is in use.
function alreadyThere(ledger: string, to: string, isOpen: boolean): Fault {
  return new Fault('conflict', `${to} already has a log \`${ledger}\`${isOpen ? ', which is open' : ''}`, {
    fix: isOpen
      ? 'If the log has moved there, it is the one to use, and nothing is left to do; else name an empty database.'
      : 'Name an empty database. Where an abandoned move left it there, drop the schema `bailiwick` of that database first.',
  })
}

// Rows of keys and people say of no ledger that they are its own: those of two would be mixed.
async function refuseInhabited(target: pg.Client, to: string): Promise<void> {
  for (const { name, sql, byLedger } of await tablesToCopy(target)) {
    if (byLedger) continue
    const { rows } = await target.query(`select from ${sql} limit 1`)
    if (rows.length === 0) continue
    throw new Fault('conflict', `the table \`${name}\` of ${to} is not empty`, {
      fix: 'Name an empty database, or drop its schema `bailiwick` first.',
    })
  }
}

async function changeOrFault(...change: Parameters<typeof changeState>): Promise<void> {
  if (!(await changeState(...change))) throw notAlone()
}

// In one snapshot, taken after the source was closed: no record can be missing from it, and rows that change all the
// same, as those of messages do that wait for delivery, are copied as of one moment.
async function copyAll({ ends, id, options }: ClaimedMove): Promise<Frontier> {
  const { source, target, ledger } = ends
  await source.query('begin transaction isolation level repeatable read read only')
  const head = await headInSnapshot(source, ledger)
  const tables = await tablesToCopy(source)
  await copyPartitions(source, target)
  refuseUnlike(tables, await tablesToCopy(target))
  await copyRows(ends, tables, options)
  options.onStep('copied')
  await compareAll(ends, tables)
  await source.query('commit')
  options.onStep('compared')

  await target.query(
    `update ledger_head set size = $3, frontier = $4, move_state = 'arrived'
    where ledger = $1 and move_id = $2 and move_state = 'arriving'`,
    [ledger, id, head.size, encodeFrontier(head)],
  )
  await verifyArrived(options, head)
  options.onStep('verified')
  return head
}

async function headInSnapshot(source: pg.Client, ledger: string): Promise<Frontier> {
  const { rows } = await source.query<{ move_state: string | null }>(
    'select move_state from ledger_head where ledger = $1',
    [ledger],
  )
  if (rows[0]?.move_state !== 'leaving') throw notAlone()
  const { size, frontier } = await readStoredHead(source, ledger)
  return decodeFrontier(size, frontier)
}

async function copyRows(ends: Ends, tables: readonly Table[], options: MoveOptions): Promise<void> {
  let all = 0
  for (const { sql } of tables) {
    const { rows } = await ends.source.query<{ count: string }>(`select count(*) from ${sql}`)
    all += Number(rows[0]?.count)
  }
  let done = 0
  for (const table of tables) {
    await copyTable(ends, table, (count) => options.onProgress?.((done += count), all))
  }
}

// The log is verified besides. This is for what no record says, such as keys and messages that wait.
async function compareAll({ source, target, ledger }: Ends, tables: readonly Table[]): Promise<void> {
  for (const table of tables) {
    const here = await fingerprint(source, table, ledger)
    const there = await fingerprint(target, table, ledger)
    if (here.rows === there.rows && here.sum === there.sum) continue
    throw new Fault(
      'store_unavailable',
      `the table \`${table.name}\` has ${there.rows} rows at the target that are not the ${here.rows} of the source`,
      { fix: 'Let nobody else write to the target, and run this again.' },
    )
  }
}

async function verifyArrived(
  options: MoveOptions & { readonly ledger: string },
  head: Frontier,
): Promise<void> {
  const { target, dataDir, ledger } = options
  const result = await verifyStoredLog({ connection: target, dataDir, ledger })
  if (result.kind === 'broken') {
    throw new Fault('log_broken', `what arrived is broken: ${result.problem}`, {
      fix: 'Run `bailiwick log verify` on the log where it is; it stays there.',
    })
  }
  if (result.size === head.size && result.root === frontierRoot(head).toString('hex')) return
  throw new Fault('log_broken', 'what arrived is not the log that was to be moved', {
    fix: 'Let nobody else write to the target, and run this again; the log stays where it is.',
  })
}

// After the decision. Each of the two can be done again, and each by whoever opens that side next.
async function finish(options: MoveOptions, ledger: string, id: string): Promise<void> {
  const { source, target, onStep = () => undefined } = options
  await once(target, (client) => changeState(client, ledger, id, 'arrived', undefined))
  onStep('opened')
  await once(source, (client) => changeState(client, ledger, id, 'leaving', 'moved'))
  onStep('finished')
}

// A log that an earlier run has moved to this very target.
async function finishedBefore(options: MoveOptions, ledger: string): Promise<Moved | undefined> {
  const { dataDir, source, target } = options
  const here = await once(source, (client) => readHeadMove(client, ledger))
  if (here?.id === undefined || here.state === undefined) return undefined
  if ((await new Verdict(dataDir, ledger).moved()) !== here.id) return undefined
  await migrate(target)
  const there = await once(target, (client) => readHeadMove(client, ledger))
  if (there?.id !== here.id) throw closedFault(ledger, 'moved', here.other)
  await finish(options, ledger, here.id)
  const head = await once(target, (client) => readHead(client, ledger))
  return { size: head.size, root: frontierRoot(head).toString('hex'), before: true }
}

async function once<Result>(
  config: pg.ClientConfig,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  return await whileConnected(connectionTo(config), work)
}
