import { readFileSync } from 'node:fs'
import { isObject } from './permitted.ts'
import type { JsonObject } from '@bailiwick/core'

/**
 * The rows of a file with one JSON object a line.
 *
 * @throws Error that names the file and the line, where a line is no JSON object
 */
export function readRows(path: string): readonly JsonObject[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [rowOf(line, `${path}:${index + 1}`)]))
}

/** A field of a row that must be a text. */
export function textOf(row: JsonObject, field: string): string {
  const value = row[field]
  if (typeof value !== 'string') throw new TypeError(`a row has no \`${field}\``)
  return value
}

function rowOf(line: string, place: string): JsonObject {
  const value: unknown = JSON.parse(line)
  if (!isObject(value)) throw new TypeError(`${place} is no JSON object`)
  return value
}
