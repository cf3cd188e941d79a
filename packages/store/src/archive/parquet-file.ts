import { closeSync, fdatasyncSync, openSync } from 'node:fs'
import type { LogRecord } from '@bailiwick/core'
import { fileWriter, ParquetWriter } from 'hyparquet-writer'

const rowsPerGroup = 20_000

const schema = [
  { name: 'root', num_children: 8 },
  { name: 'index', type: 'INT64', repetition_type: 'REQUIRED' },
  { name: 'at', type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'REQUIRED' },
  { name: 'kind', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  { name: 'agent', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'action', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'effect', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'decision', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'record', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
] as const

/** Records as a Parquet file, for whoever evaluates many of them. Its record column is the evidence's own text. */
export class ParquetFile {
  readonly #path: string
  readonly #writer: ParquetWriter
  #rows: (readonly unknown[])[] = []

  constructor(path: string) {
    this.#path = path
    this.#writer = new ParquetWriter({
      writer: fileWriter(path),
      schema: [...schema],
      createdBy: 'bailiwick',
    })
  }

  add(record: LogRecord, text: string): void {
    const { index, at, kind } = record
    const member = (name: string) => (name in record ? textOrNull(record[name as keyof LogRecord]) : null)
    const decision = kind === 'decision' ? record.id : member('decision')
    this.#rows.push([
      BigInt(index),
      new Date(at),
      kind,
      member('agent'),
      member('action'),
      member('effect'),
      decision,
      text,
    ])
    if (this.#rows.length >= rowsPerGroup) this.#flush()
  }

  finish(): void {
    this.#flush()
    void this.#writer.finish()
  }

  #flush(): void {
    const rows = this.#rows
    this.#rows = []
    if (rows.length === 0) return
    const columnData = schema.slice(1).map(({ name }, at) => ({ name, data: rows.map((row) => row[at]) }))
    void this.#writer.write({ columnData, rowGroupSize: rowsPerGroup })
    // As the files of lines, which see.
    const file = openSync(this.#path, 'r+')
    fdatasyncSync(file)
    closeSync(file)
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
