import { Fault } from '@bailiwick/core'
import type { MiddlewareHandler } from 'hono'
import { problem } from './problems.ts'
import { strictJson } from '../json/strict-json.ts'

/**
 * Reads the body of a POST, once and strictly. What it read is what `context.req.json()` gives from then on, so
 * that validators and handlers see one value.
 */
export const jsonBody: MiddlewareHandler = async (context, next) => {
  if (context.req.method !== 'POST') return await next()
  const read = strictJson(utf8Text(await bytesOf(context.req)))
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

async function bytesOf(request: { arrayBuffer(): Promise<ArrayBuffer> }): Promise<ArrayBuffer> {
  try {
    return await request.arrayBuffer()
  } catch (cause) {
    throw new Fault('bad_input', 'the request body ended early', { fix: 'Send the request again.', cause })
  }
}

// Bytes that are no text would else become U+FFFD, and two different calls one.
function utf8Text(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Fault('bad_input', 'the request body is not UTF-8', { fix, cause })
  }
}
