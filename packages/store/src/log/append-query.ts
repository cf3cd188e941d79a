import pg from 'pg'

/** A value of a statement: text, or bytes that are sent as they are. */
export type StatementValue = string | Buffer

/** The ends of a Bind message (all results as text), Execute, and Sync, as PostgreSQL's protocol has them. */
const bindEnd = Buffer.from([0, 1, 0, 0])
const executeAndSync = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4])
const bindCode = 0x42

/**
 * A prepared statement that answers with rows which are only counted. The driver would copy its values twice into
 * memory that is asked for each time, and make objects of what comes back: with a hundred kilobytes in a batch that
 * costs more than hashing them. Here the bytes go to the socket from where they lie, so they have to stay as they are
 * until the answer has come.
 */
export class AppendQuery extends pg.Query {
  readonly #name: string
  readonly #sql: string
  readonly #values: readonly StatementValue[]
  readonly #prepared: Set<string>
  readonly #answer: (error: Error | undefined, rows: number) => void
  #rows = 0

  /**
   * @param prepared the statements that this connection knows already, by name
   * @param answer called once, after the statement was committed or has failed
   */
  constructor(
    statement: { readonly name: string; readonly text: string; readonly values: readonly StatementValue[] },
    prepared: Set<string>,
    answer: (error: Error | undefined, rows: number) => void,
  ) {
    super({ name: statement.name, text: statement.text })
    this.#name = statement.name
    this.#sql = statement.text
    this.#values = statement.values
    this.#prepared = prepared
    this.#answer = answer
    this.submit = (connection) => {
      this.#send(connection)
    }
  }

  #send(connection: pg.Connection): void {
    const { stream } = connection
    // A connection that is gone tells of it by itself, and fails all that wait for it.
    if (!stream.writable) return
    stream.cork()
    if (!this.#prepared.has(this.#name)) {
      connection.parse({ name: this.#name, text: this.#sql, types: [] }, true)
      this.#prepared.add(this.#name)
    }
    for (const piece of bindPieces(this.#name, this.#values)) stream.write(piece)
    stream.write(executeAndSync)
    stream.uncork()
  }

  handleRowDescription(): void {
    // Nobody asked for one.
  }

  handleDataRow(): void {
    this.#rows += 1
  }

  handleCommandComplete(): void {
    // The transaction is over when the server is ready again, and not before.
  }

  handleReadyForQuery(): void {
    this.#answer(undefined, this.#rows)
  }

  handleError(error: Error): void {
    this.#answer(error, 0)
  }
}

/** A Bind message: the unnamed portal, and each value with its length. Bytes are not copied. */
function bindPieces(name: string, values: readonly StatementValue[]): Buffer[] {
  const lengths = values.map((value) => Buffer.byteLength(value))
  const texts = values.reduce(
    (sum, value, at) => sum + (typeof value === 'string' ? (lengths[at] ?? 0) : 0),
    0,
  )
  const head = 1 + 4 + 1 + Buffer.byteLength(name) + 1 + 2 + values.length * 2 + 2
  const own = Buffer.allocUnsafe(head + values.length * 4 + texts)
  const all = head + values.length * 4 + lengths.reduce((sum, length) => sum + length, 0) + bindEnd.length
  own[0] = bindCode
  let at = own.writeInt32BE(all - 1, 1)
  at = own.writeInt8(0, at)
  at += own.write(name, at)
  at = own.writeInt8(0, at)
  at = own.writeInt16BE(values.length, at)
  for (const value of values) at = own.writeInt16BE(typeof value === 'string' ? 0 : 1, at)
  at = own.writeInt16BE(values.length, at)
  const pieces: Buffer[] = []
  let from = 0
  for (const [index, value] of values.entries()) {
    at = own.writeInt32BE(lengths[index] ?? 0, at)
    if (typeof value === 'string') {
      at += own.write(value, at)
      continue
    }
    pieces.push(own.subarray(from, at), value)
    from = at
  }
  pieces.push(own.subarray(from, at), bindEnd)
  return pieces
}

/** A list of texts as PostgreSQL reads arrays. */
export function arrayText(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/[\\"]/g, '\\$&')}"`).join(',')}}`
}
