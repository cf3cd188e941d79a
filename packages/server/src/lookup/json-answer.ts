import { canonicalJson, frozenCopy, type Json } from '@bailiwick/core'
import { strictJson } from '../json/strict-json.ts'
import { questionFailed, type Asked } from './asked.ts'
import { answerDepthMax, valueBytesMax } from './limits.ts'

/**
 * What the bytes of an answer say: UTF-8, JSON that every parser reads alike, and not nested too deep.
 *
 * @param source who answered, for the sentence that says why not
 */
export function readJson(body: Uint8Array, source: string): Asked<Json> {
  const text = utf8(body)
  // Looked at before parsing: nothing that recurses may see an answer that nests without end.
  if (text !== undefined && nestsTooDeep(text)) {
    return questionFailed(`${source} answered with JSON that nests deeper than ${answerDepthMax} levels`)
  }
  const read = text === undefined ? undefined : strictJson(text)
  if (read?.kind === 'read') return { kind: 'got', value: read.value as Json, bytes: body.byteLength }
  const isJson = read !== undefined && read.message !== 'is not JSON'
  // Where and what is not said: names of members and digits are values of somebody's data.
  return questionFailed(
    isJson
      ? `${source} answered with JSON that names a member twice or has a number that cannot be kept exactly`
      : `${source} answered with something that is not JSON`,
  )
}

/**
 * The value at `path`, by members that the answer itself has. It fails where one is missing, and where the value
 * does not fit into the log.
 */
export function selectValue(answer: Json, path: readonly string[], source: string): Asked<Json> {
  let value: Json = answer
  for (const name of path) {
    if (typeof value !== 'object' || value === null || isList(value) || !Object.hasOwn(value, name)) {
      return questionFailed(`${source} answered without the member ${path.join('.')}`)
    }
    value = value[name] as Json
  }
  return recordable(value, source)
}

/** The value, where a record can hold it. */
export function recordable(value: Json, source: string): Asked<Json> {
  let text: string
  try {
    text = canonicalJson(value)
  } catch {
    return questionFailed(`${source} answered with a value that JSON cannot carry exactly`)
  }
  const bytes = Buffer.byteLength(text)
  if (bytes <= valueBytesMax) return { kind: 'got', value: frozenCopy(value), bytes }
  return questionFailed(`${source} answered with a value of more than ${valueBytesMax} bytes`)
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Whether the brackets of a text nest too deep. Of what is no JSON it says anything. */
function nestsTooDeep(text: string): boolean {
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (inString) {
      if (character === '\\') at++
      else if (character === '"') inString = false
    } else if (character === '"') {
      inString = true
    } else if (character === '{' || character === '[') {
      depth += 1
      if (depth > answerDepthMax) return true
    } else if (character === '}' || character === ']') {
      depth -= 1
    }
  }
  return false
}
