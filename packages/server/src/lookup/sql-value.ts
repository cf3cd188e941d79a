import type { Json } from '@bailiwick/core'
import { strictJson } from '../json/strict-json.ts'
import { questionFailed, type Asked } from './asked.ts'
import { readJson } from './json-answer.ts'

type Kind = 'bool' | 'number' | 'text' | 'json'

/** The types that have one meaning in JSON, by the object ids that PostgreSQL has fixed for its own types. */
const kindOfType: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  [16, 'bool'],
  [20, 'number'], // int8
  [21, 'number'], // int2
  [23, 'number'], // int4
  [700, 'number'], // float4
  [701, 'number'], // float8
  [1700, 'number'], // numeric
  [18, 'text'], // "char"
  [19, 'text'], // name
  [25, 'text'],
  [1042, 'text'], // char(n)
  [1043, 'text'], // varchar
  [2950, 'text'], // uuid
  [114, 'json'],
  [3802, 'json'], // jsonb
])

/**
 * What a column says, as JSON, from the text that PostgreSQL writes for it. Numbers only where JavaScript carries them
 * digit by digit. No dates: how they are written depends on the session, so a query says it itself with `to_char`.
 *
 * @param type the object id of the column's type
 */
export function jsonOfColumn(text: string | null, type: number, source: string): Asked<Json> {
  const kind = kindOfType.get(type)
  if (kind === undefined) {
    return questionFailed(
      `${source} answered with a type that has no form in JSON; cast it to text, numeric or json`,
    )
  }
  if (text === null) return { kind: 'got', value: null, bytes: 0 }
  const bytes = Buffer.byteLength(text)
  switch (kind) {
    case 'bool':
      return { kind: 'got', value: text === 't', bytes }
    case 'text':
      return { kind: 'got', value: text, bytes }
    case 'json':
      return readJson(Buffer.from(text), source)
    case 'number': {
      const read = strictJson(text)
      if (read.kind === 'read' && typeof read.value === 'number' && Number.isFinite(read.value)) {
        return { kind: 'got', value: read.value, bytes }
      }
      return questionFailed(`${source} answered with a number that JSON cannot carry exactly`)
    }
    default: {
      const never: never = kind
      return never
    }
  }
}
