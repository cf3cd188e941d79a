import { isUtf8 } from 'node:buffer'
import { Fault } from '@bailiwick/core'
import type { MiddlewareHandler } from 'hono'
import { problem } from './problems.ts'
import { wholeBody } from './whole-body.ts'
import { strictJson, type StrictJson } from '../json/strict-json.ts'

/** Whether a `Content-Type` says that the body is JSON. */
export function isJsonType(contentType: string): boolean {
  return /^application\/json\s*(;|$)/i.test(contentType)
}

/** Reads the bytes of a body strictly; undefined where they are not UTF-8. */
export function readJson(bytes: Uint8Array): StrictJson | undefined {
  // Bytes that are no text would else become U+FFFD, and two different calls one.
  if (!isUtf8(bytes)) return undefined
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  // A mark at the start says only that it is UTF-8.
  return strictJson(text.startsWith('\uFEFF') ? text.slice(1) : text)
}

/**
 * Reads the body of a POST, once and strictly. What it read is what `context.req.json()` gives from then on, so
 * that validators and handlers see one value.
 */
export const jsonBody: MiddlewareHandler = async (context, next) => {
  if (context.req.method !== 'POST') return await next()
  const read = readJson(new Uint8Array(await wholeBody(context.req.arrayBuffer())))
  if (read === undefined) throw new Fault('bad_input', 'the request body is not UTF-8', { fix })
  if (read.kind === 'refused') {
    const { path, message } = read
    const what = path === '' ? 'the request body' : `\`${path}\``
    const errors =
      path === '' ? undefined : [{ path: `json${path.startsWith('[') ? '' : '.'}${path}`, message }]
    return problem(context, new Fault('bad_input', `${what} ${message}`, { fix }), errors)
  }
  context.req.json = <T>() => Promise.resolve(read.value as T)
  return await next()
}

const fix =
  'Send JSON in UTF-8 in which an object names each member once, and long numbers, such as account numbers, as strings.'
