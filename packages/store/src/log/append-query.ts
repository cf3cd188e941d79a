import pg from 'pg'

/** A value of a statement: text, or bytes that are sent as they are. */
export type StatementValue = string | Buffer

/** The ends of a Bind message (all results as text), Execute, and Sync, as PostgreSQL's protocol has them. */
const bindEnd = Buffer.from([0, 1, 0, 0])
const executeAndSync = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4])
const bindCode = 0x42
/** Values of fewer bytes are copied into one message: to send pieces costs more than that. */
const copiedBytesMax = 32 * 1024

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
    // The driver takes one of its own only; of a text it copies nothing.
    super('')
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
    const isNew = !this.#prepared.has(this.#name)
    const pieces = bindPieces(this.#name, this.#values)
    if (!isNew && pieces.length === 1) {
      stream.write(pieces[0] ?? executeAndSync)
      return
    }
    stream.cork()
    if (isNew) {
      connection.parse({ name: this.#name, text: this.#sql, types: [] }, true)
      this.#prepared.add(this.#name)
    }
    for (const piece of pieces) stream.write(piece)
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

/** Messages that bind the values to the unnamed portal, execute it, and end the transaction. Many bytes are not copied. */
function bindPieces(name: string, values: readonly StatementValue[]): Buffer[] {
  const lengths = values.map((value) => Buffer.byteLength(value))
  const bytes = lengths.reduce((sum, length) => sum + length, 0)
  const isCopied = bytes <= copiedBytesMax
  let own = 0
  for (const [at, value] of values.entries())
    if (isCopied || typeof value === 'string') own += lengths[at] ?? 0
  const head = 1 + 4 + 1 + Buffer.byteLength(name) + 1 + 2 + values.length * 2 + 2
  const message = new Message(head + values.length * 4 + own + bindEnd.length + executeAndSync.length)
  message.byte(bindCode)
  message.int32(head - 1 + values.length * 4 + bytes + bindEnd.length)
  message.byte(0)
  message.text(name)
  message.byte(0)
  message.int16(values.length)
  for (const value of values) message.int16(typeof value === 'string' ? 0 : 1)
  message.int16(values.length)
  for (const [at, value] of values.entries()) {
    message.int32(lengths[at] ?? 0)
    if (typeof value === 'string') message.text(value)
    else if (isCopied) message.bytes(value)
    else message.between(value)
  }
  message.bytes(bindEnd)
  message.bytes(executeAndSync)
  return message.pieces()
}

/** A message while it is written. */
class Message {
  readonly #own: Buffer
  readonly #pieces: Buffer[] = []
  #from = 0
  #at = 0

  /** @param size in bytes, without what lies elsewhere */
  constructor(size: number) {
    this.#own = Buffer.allocUnsafe(size)
  }

  byte(value: number): void {
    this.#at = this.#own.writeUInt8(value, this.#at)
  }

  int16(value: number): void {
    this.#at = this.#own.writeInt16BE(value, this.#at)
  }

  int32(value: number): void {
    this.#at = this.#own.writeInt32BE(value, this.#at)
  }

  text(value: string): void {
    this.#at += this.#own.write(value, this.#at)
  }

  bytes(value: Buffer): void {
    this.#at += value.copy(this.#own, this.#at)
  }

  /** Bytes that are sent from where they lie. */
  between(value: Buffer): void {
    this.#pieces.push(this.#own.subarray(this.#from, this.#at), value)
    this.#from = this.#at
  }

  pieces(): Buffer[] {
    return [...this.#pieces, this.#own.subarray(this.#from, this.#at)]
  }
}

/** A list of texts as PostgreSQL reads arrays. */
export function arrayText(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${isPlain(text) ? text : text.replaceAll(/[\\"]/g, '\\$&')}"`).join(',')}}`
}

// Replacing asks for a copy even where there is nothing to replace.
function isPlain(text: string): boolean {
  return !text.includes('"') && !text.includes('\\')
}
