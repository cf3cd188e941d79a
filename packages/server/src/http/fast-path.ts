import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Fault } from '@bailiwick/core'
import { AdmissionLapsed, type Admission } from '@bailiwick/store'
import { credentialOf } from './asker.ts'
import { bodyBytesMax } from './body-limit.ts'
import { isJsonType, readJson } from './json-body.ts'
import { problemDocumentOf, problemHeaders, saysWhetherRecorded, toldFault } from './problems.ts'

/**
 * What answers the well-formed requests of one path: JSON as text, with the headers that this answer bears beside those
 * of every one; or undefined where the body is not one that the path takes. It may do nothing before it returns, where it
 * returns undefined. Where the agent was let in by a remembered key, all that it does has to be recorded while the key is
 * good, or to reject.
 */
export type FastAnswer = (admission: Admission, body: unknown) => Promise<FastText> | undefined

/** A path, and whom it lets in. */
export interface FastPath {
  /** Who a credential lets in. */
  readonly admissionOf: (credential: string) => Promise<Admission | undefined>
  readonly answer: FastAnswer
}

/** JSON as text; with headers, where there are any, and its length in bytes, where that is known. */
export type FastText =
  | string
  | {
      readonly text: string
      readonly headers?: Readonly<Record<string, string>> | undefined
      readonly bytes?: number | undefined
    }

/** What the fast path is built on. */
export interface FastPathParts {
  /** By path. */
  readonly paths: ReadonlyMap<string, FastPath>
  /** The headers that every answer of the app bears. */
  readonly headers: Readonly<Record<string, string>>
  readonly log: (line: string) => void
}

/**
 * A fast path for what agents ask most: POSTs to a few paths, each with a key and a JSON body of a known length. It takes
 * only requests with which nothing is wrong. Whatever is unusual about one, it goes to the app, untouched or with the
 * bytes that were read from it, and the app finds and says what is wrong; so there is one place that refuses, and the
 * fast path can be no more lenient than its checks, which are the app's own functions.
 */
export function fastPath(parts: FastPathParts, app: RequestListener): RequestListener {
  return (incoming, outgoing) => {
    const path = incoming.method === 'POST' ? parts.paths.get(incoming.url ?? '') : undefined
    const head = path === undefined ? undefined : plainHead(incoming.rawHeaders)
    if (path === undefined || head === undefined) return app(incoming, outgoing)
    pass(parts, { ...head, path, incoming, outgoing, app }).catch((error: unknown) => {
      parts.log(`internal: ${error instanceof Error ? error.message : String(error)}`)
      outgoing.destroy()
    })
    return undefined
  }
}

/** What the head of a request says, where it says everything once and in the usual form. */
interface PlainHead {
  readonly key: string
  readonly length: number
}

interface Passing extends PlainHead {
  readonly path: FastPath
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly app: RequestListener
}

async function pass(parts: FastPathParts, passing: Passing): Promise<void> {
  const { path, incoming, outgoing, app } = passing
  // A key that could not be looked up is looked up again by the app, which says why it cannot.
  const admitted = () => path.admissionOf(passing.key).catch(() => undefined)
  let admission = await admitted()
  if (admission === undefined) return app(incoming, outgoing)
  const body = bodyOf(incoming, passing.length)
  const bytes = body instanceof Promise ? await body : body
  // The client has gone: nobody would hear the answer, and nothing has been decided.
  if (bytes === undefined) return
  // Where the app looks for a body that somebody else has read.
  const toApp = () => app(Object.assign(incoming, { rawBody: bytes }), outgoing)
  // A body may take its time, in which a key is revoked.
  if (body instanceof Promise) admission = await admitted()
  if (admission === undefined) return toApp()
  const read = readJson(bytes)
  const answering = read?.kind === 'read' ? path.answer(admission, read.value) : undefined
  if (answering === undefined) return toApp()
  let answer: FastText
  try {
    answer = await answering
  } catch (error) {
    // Only what is recorded proves that a remembered key is still good. Whoever is refused is looked up by the app.
    if (admission.key !== undefined && isCertainlyUnrecorded(error)) return toApp()
    return sendProblem(parts, outgoing, error)
  }
  const told: Exclude<FastText, string> = typeof answer === 'string' ? { text: answer } : answer
  send(
    outgoing,
    200,
    told.text,
    { ...parts.headers, 'content-type': 'application/json', ...told.headers },
    told.bytes,
  )
}

function isCertainlyUnrecorded(error: unknown): boolean {
  return error instanceof AdmissionLapsed || (error instanceof Fault && error.recorded !== 'unknown')
}

function sendProblem({ headers, log }: FastPathParts, outgoing: ServerResponse, error: unknown): void {
  const document = problemDocumentOf(saysWhetherRecorded(toldFault(error, log)))
  const { status } = document
  send(outgoing, status, JSON.stringify(document), { ...headers, ...problemHeaders(status) })
}

function send(
  outgoing: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>>,
  // Text that was put together of parts is put into one piece by who counts its bytes, and once more by who sends it.
  length = Buffer.byteLength(text),
): void {
  outgoing.writeHead(status, { ...headers, 'content-length': length })
  // Text of single bytes is copied as it is.
  outgoing.end(text, length === text.length ? 'latin1' : 'utf8')
}

/** A name with a port, or not: what every reader of URLs takes. */
const plainHost = /^[a-z0-9._-]+(?::\d{1,5})?$/
const plainLength = /^[1-9]\d{0,6}$/

/** What the head says, or undefined where the app should look at it. */
function plainHead(raw: readonly string[]): PlainHead | undefined {
  let key: string | undefined
  let length: number | undefined
  let isJson = false
  let isHostPlain = false
  for (let at = 0; at < raw.length; at += 2) {
    const value = raw[at + 1] ?? ''
    switch (raw[at]?.toLowerCase()) {
      case 'authorization':
        if (key !== undefined) return undefined
        key = credentialOf(value)
        if (key === undefined) return undefined
        break
      case 'content-type':
        if (isJson || !isJsonType(value)) return undefined
        isJson = true
        break
      case 'content-length':
        if (length !== undefined || !plainLength.test(value)) return undefined
        length = Number(value)
        if (length > bodyBytesMax) return undefined
        break
      case 'host':
        if (isHostPlain || !plainHost.test(value)) return undefined
        isHostPlain = true
        break
      case 'transfer-encoding':
      case 'content-encoding':
        return undefined
      default:
    }
  }
  if (key === undefined || length === undefined || !isJson || !isHostPlain) return undefined
  return { key, length }
}

/** A body of this length, or undefined where the connection ended first. */
function bodyOf(incoming: IncomingMessage, length: number): Promise<Buffer | undefined> | Buffer | undefined {
  // Mostly it came with the head, and lies ready.
  if (incoming.complete && incoming.readableLength === length) return incoming.read() as Buffer
  if (incoming.destroyed) return undefined
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.once('end', () => resolve(Buffer.concat(chunks)))
    incoming.once('error', () => resolve(undefined))
    incoming.once('close', () => resolve(undefined))
  })
}
