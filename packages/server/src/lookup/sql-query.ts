import type { Json, LookupNeed } from '@bailiwick/core'
import pg from 'pg'
import { questionFailed, sourceFailed, type Asked, type Failed } from './asked.ts'
import { answerBytesMax, lookupTimeoutMsMax, queriesAtOnceMax } from './limits.ts'
import type { SqlSource } from './settings.ts'
import { jsonOfColumn } from './sql-value.ts'

/** A query to run, its arguments known. */
export type SqlNeed = Extract<LookupNeed, { readonly kind: 'sql' }>

// Settings of the transaction only: behind a pooler that shares connections, those of a session would be others' too.
function beginReadOnly(timeoutMs: number): string {
  return `begin read only; set local statement_timeout = ${timeoutMs}; set local lock_timeout = ${timeoutMs}; set local idle_in_transaction_session_timeout = ${2 * lookupTimeoutMsMax}`
}

// As part of another query a text can only be one that reads. The second row tells that there are too many.
function wrapped(text: string): string {
  return `select * from (\n${text}\n) as lookup limit 2`
}

// Every value as PostgreSQL writes it: the driver's own conversions lose digits and zones.
const asText = { getTypeParser: () => (text: string) => text }

/** The connections to one database. They are made when they are needed. */
export class SqlDatabase {
  readonly #pool: pg.Pool

  constructor({ connectionString }: SqlSource) {
    this.#pool = new pg.Pool({
      connectionString,
      max: queriesAtOnceMax,
      connectionTimeoutMillis: lookupTimeoutMsMax,
      application_name: 'bailiwick-lookups',
      // A host that forgets to close what it opened can still end.
      allowExitOnIdle: true,
    })
    // A connection that breaks while idle is replaced by the pool; the next query reports trouble.
    this.#pool.on('error', () => undefined)
  }

  /**
   * Runs the query in a transaction that only reads; it has to give one row with one column. Never rejects.
   *
   * @param signal gives up and ends the connection, and with it the query; what it comes to is the caller's to say
   */
  async ask(need: SqlNeed, timeoutMs: number, signal: AbortSignal): Promise<Asked<Json>> {
    const values = need.args.map(bound)
    if (!values.every(isKnown)) {
      return questionFailed(`${need.source} was not asked: a value is no text that a database can hold`)
    }
    let client: pg.PoolClient
    try {
      client = await this.#pool.connect()
    } catch (error) {
      return failureOf(need.source, error)
    }
    return await queried(client, need, { values, timeoutMs, signal })
  }

  /** Lets go of the connections, once the queries that run have ended. */
  async close(): Promise<void> {
    await this.#pool.end()
  }
}

interface Query {
  readonly values: readonly (string | null)[]
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

async function queried(
  client: pg.PoolClient,
  need: SqlNeed,
  { values, timeoutMs, signal }: Query,
): Promise<Asked<Json>> {
  let isReleased = false
  const release = (unfit: boolean): void => {
    if (!isReleased) client.release(unfit)
    isReleased = true
  }
  const giveUp = (): void => release(true)
  // Without a listener, Node ends the process when a connection breaks between two statements.
  const broken = (): undefined => undefined
  client.on('error', broken)
  signal.addEventListener('abort', giveUp)
  try {
    if (signal.aborted) return sourceFailed(`${need.source} was asked too late`)
    await client.query(beginReadOnly(timeoutMs))
    // The extended protocol takes one statement and no more, also where there is nothing to bind.
    const rowMode = 'array' as const
    const query = {
      text: wrapped(need.text),
      values: [...values],
      rowMode,
      types: asText,
      queryMode: 'extended',
    }
    const result = await client.query<(string | null)[]>(query)
    await client.query('rollback')
    return onlyValue(result, need.source)
  } catch (error) {
    await client.query('rollback').catch(() => release(true))
    return failureOf(need.source, error)
  } finally {
    signal.removeEventListener('abort', giveUp)
    client.off('error', broken)
    release(false)
  }
}

function onlyValue({ rows, fields }: pg.QueryArrayResult<(string | null)[]>, source: string): Asked<Json> {
  const [row, another] = rows
  const [field] = fields
  if (row === undefined) return questionFailed(`${source} has no row for it`)
  if (another !== undefined) return questionFailed(`${source} has more than one row for it`)
  if (field === undefined || fields.length !== 1) {
    return questionFailed(`${source} answered with ${fields.length} columns instead of one`)
  }
  const text = row[0] ?? null
  if (text !== null && Buffer.byteLength(text) > answerBytesMax) {
    return questionFailed(`${source} answered with more than ${answerBytesMax} bytes`)
  }
  return jsonOfColumn(text, field.dataTypeID, source)
}

/** An argument as text, which PostgreSQL reads as the type that the query gives it; undefined where it cannot. */
function bound(value: Json): string | null | undefined {
  if (value === null) return null
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  // The wire would carry another text instead, and so ask about somebody else.
  return /\p{Surrogate}|\0/u.test(text) ? undefined : text
}

function isKnown<Value>(value: Value | undefined): value is Value {
  return value !== undefined
}

// Too many connections, no resources, shutting down, system errors, wrong password, no such database.
const unwell = /^(?:08|28|3D|53|57P|58|XX)/

/** The state's code only: what else an error says may repeat arguments or the connection. */
function failureOf(source: string, error: unknown): Failed {
  if (!(error instanceof pg.DatabaseError)) return sourceFailed(`${source} could not be reached`)
  const code = /^[0-9A-Z]{5}$/.test(error.code ?? '') ? ` (${error.code})` : ''
  // Cancelled by its own time limit, or by somebody: either way it was not answered in time.
  if (error.code === '57014') return sourceFailed(`${source} did not finish the query in time`)
  return unwell.test(error.code ?? 'XX')
    ? sourceFailed(`${source} is not ready for queries${code}`)
    : questionFailed(`${source} refused the query${code}`)
}
