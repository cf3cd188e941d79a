import {
  appendLeaves,
  approvalStatus,
  completeRecord,
  encodeFrontier,
  instantText,
  TermSet,
  type Frontier,
  type Instant,
  type LogRecord,
  type RecordBody,
  type RecordWriter,
  type Sha256,
} from '@bailiwick/core'
import type { AdmittingKey } from './admission.ts'
import type { StagedBatch } from './append.ts'
import type { BatchBytes } from './batch-bytes.ts'
import type { Fold } from './fold.ts'
import type { Operation } from './operation.ts'

/** A batch of more text than this, in UTF-16 units, takes no further operation: batches are read whole. */
const batchTextMax = 1024 * 1024

/** Where a batch stands. */
export interface BatchPlace {
  readonly ledger: string
  /** The head it builds on. */
  readonly head: Frontier
  readonly at: Instant
  /** The keys that have to be good when it is written. */
  readonly keys: readonly AdmittingKey[]
}

/** A batch while its operations are applied, one after the other. */
export class Staging {
  readonly #place: BatchPlace
  readonly #at: string
  readonly #fold: Fold
  readonly #writer: RecordWriter
  readonly #bytes: BatchBytes
  readonly #terms = new TermSet()
  readonly #bodies: RecordBody[] = []
  readonly #kinds = new Set<string>()
  readonly #commitments: (Sha256 | null)[] = []
  #length = 0

  /** @param bytes cleared, and nobody else's until the batch has been committed or given up */
  constructor(place: BatchPlace, fold: Fold, writer: RecordWriter, bytes: BatchBytes) {
    this.#place = place
    this.#at = instantText(place.at)
    this.#fold = fold
    this.#writer = writer
    this.#bytes = bytes
  }

  /** How many records there are. */
  get count(): number {
    return this.#bodies.length
  }

  /** Of its records. */
  get kinds(): ReadonlySet<string> {
    return this.#kinds
  }

  get isFull(): boolean {
    return this.#length > batchTextMax
  }

  /** Applies an operation and returns its answer. @throws its Fault; then nothing of it is in the batch */
  apply<Answer>(operation: Operation<Answer>): Answer {
    const index = this.#place.head.size + this.#bodies.length
    const applied = operation.apply(this.#fold, { index, at: this.#place.at })
    const { body, staged, seal } = applied
    if (body === undefined) return applied.answer
    const bytes = this.#bytes
    const payload =
      seal === undefined || applied.payload === undefined
        ? applied.payload
        : this.#fold.seals.seal(applied.payload, seal, index)
    const commitment = payload === undefined ? null : bytes.commitment(payload)
    // Throws where the record is too large; nothing of it has been staged then.
    const text = this.#writer.text(body, { index, at: this.#at, payload: commitment })
    const salt = staged === undefined || payload === undefined ? undefined : bytes.salt
    bytes.add(text, payload)
    if (seal !== undefined) this.#fold.seals.keep()
    this.#bodies.push(body)
    this.#kinds.add(body.kind)
    this.#commitments.push(commitment)
    this.#length += text.length + (payload?.length ?? 0)
    this.#terms.add(body)
    if (staged !== undefined) {
      const stored = salt === undefined || payload === undefined ? null : { salt, stored: payload }
      const kept = stored && { ...stored, body: applied.payload ?? stored.stored }
      staged(this.#record(this.#bodies.length - 1, body), kept)
    }
    return applied.answer
  }

  /** What was staged, complete. */
  finished(): { readonly batch: StagedBatch; readonly head: Frontier } {
    const { ledger, head, at, keys } = this.#place
    const bytes = this.#bytes
    const next = appendLeaves(head, bytes.leafHashes)
    const batch = {
      ledger,
      size: head.size,
      count: bytes.count,
      base: encodeFrontier(head),
      frontier: encodeFrontier(next),
      at: this.#at,
      records: bytes.records,
      leafHashes: bytes.leafHashes,
      bodies: bytes.bodies,
      salts: bytes.salts,
      terms: this.#terms.list(),
      keys,
      rows: this.#fold.rows((approval) => approvalStatus(approval, at)),
    }
    return { batch, head: next }
  }

  /** The records, for whoever wants to hear of them. */
  records(): readonly LogRecord[] {
    return this.#bodies.map((body, at) => this.#record(at, body))
  }

  #record(at: number, body: RecordBody): LogRecord {
    const { ledger, head } = this.#place
    const payload = this.#commitments[at] ?? null
    return completeRecord(body, { ledger, index: head.size + at, at: this.#at, payload })
  }
}
