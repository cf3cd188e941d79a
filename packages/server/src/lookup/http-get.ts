import { lookup } from 'node:dns/promises'
import type { LookupAddress } from 'node:dns'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { isIP } from 'node:net'
import type { Json } from '@bailiwick/core'
import { createAddressClassifier } from '../delivery/address-class.ts'
import { questionFailed, sourceFailed, type Asked, type Failed } from './asked.ts'
import { readJson } from './json-answer.ts'
import { answerBytesMax } from './limits.ts'
import type { Target } from './target.ts'

/** Finds a name's addresses. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>

/** The system's resolver. */
export const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true })

/**
 * Asks for JSON. Never rejects. Only status 200 is an answer: redirects are not followed.
 *
 * Every address is checked between resolving and connecting, so a name that resolves differently the second time
 * gains nothing.
 *
 * @param signal gives up; what it comes to then is the caller's to say
 */
export function getJson(target: Target, signal: AbortSignal, resolve: Resolve): Promise<Asked<Json>> {
  const { url, source } = target
  return new Promise((settle) => {
    const literal = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const family = isIP(literal)
    // An address is never looked up, so the hook below would not see it.
    const refused = family === 0 ? undefined : refusalOf(target, [{ address: literal, family }])
    if (refused !== undefined) return settle(refused)

    const hook = checkedLookup(target, resolve)
    const request = send(target, signal, hook.lookup)
    const end = (asked: Asked<Json>) => {
      settle(asked)
      request.destroy()
    }
    request.on('error', (error) => end(hook.refusal() ?? unreachable(source.name, error)))
    request.on('response', (response) => receive(response, source.name, end))
    // The last word, where nothing else had one, as with a server that wants to switch protocols.
    request.on('close', () => settle(sourceFailed(`${source.name} broke its answer off`)))
    request.end()
  })
}

function send({ url, source }: Target, signal: AbortSignal, checked: LookupFunction): ClientRequest {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  return request(url, {
    method: 'GET',
    // A connection of its own: one that was kept open would skip the look-up and its check.
    agent: false,
    lookup: checked,
    signal,
    headers: {
      'user-agent': 'bailiwick',
      ...source.headers,
      accept: 'application/json',
      'accept-encoding': 'identity',
    },
  })
}

function receive(response: IncomingMessage, name: string, end: (asked: Asked<Json>) => void): void {
  const refusal = headRefusal(response, name)
  if (refusal !== undefined) return end(refusal)
  const chunks: Buffer[] = []
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    chunks.push(chunk)
    if (bytes > answerBytesMax) end(tooLarge(name))
  })
  response.on('error', () => end(sourceFailed(`${name} broke its answer off`)))
  response.on('end', () => {
    if (bytes <= answerBytesMax && response.complete) end(readJson(Buffer.concat(chunks), name))
  })
}

/** Why the body of an answer is not worth reading. */
function headRefusal({ statusCode: status = 0, headers }: IncomingMessage, name: string): Failed | undefined {
  if (status !== 200) {
    const why = `${name} answered with status ${status}`
    if (status >= 300 && status < 400) return questionFailed(`${why}, and redirects are not followed`)
    return status >= 500 || status === 429 ? sourceFailed(why) : questionFailed(why)
  }
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (!/^application\/(?:[a-z0-9.+-]+\+)?json$/.test(type) || encoding !== 'identity') {
    return questionFailed(`${name} answered with something that is not JSON`)
  }
  return Number(headers['content-length'] ?? 0) > answerBytesMax ? tooLarge(name) : undefined
}

function tooLarge(name: string): Failed {
  return questionFailed(`${name} answered with more than ${answerBytesMax} bytes`)
}

/** The error's code only: what else it says may repeat the address, and with it values of the call. */
function unreachable(name: string, { code }: NodeJS.ErrnoException): Failed {
  const shown = code !== undefined && /^[A-Z0-9_]{1,60}$/.test(code) ? ` (${code})` : ''
  return sourceFailed(`${name} could not be reached${shown}`)
}

interface CheckedLookup {
  readonly lookup: LookupFunction
  /** Why the addresses that were found must not be called. */
  refusal(): Failed | undefined
}

function checkedLookup(target: Target, resolve: Resolve): CheckedLookup {
  let refusal: Failed | undefined
  return {
    refusal: () => refusal,
    lookup: (hostname, options, callback) => {
      resolve(hostname).then(
        (addresses) => {
          const [first] = addresses
          refusal = refusalOf(target, addresses)
          if (refusal !== undefined || first === undefined) callback(new Error('not to be called'), '', 0)
          else if (options.all === true) callback(null, [...addresses])
          else callback(null, first.address, first.family)
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error('not resolved'), '', 0),
      )
    },
  }
}

/** Why a host must not be called. One bad address among several is enough: any of them may be used. */
function refusalOf({ url, source }: Target, addresses: readonly LookupAddress[]): Failed | undefined {
  const classify = createAddressClassifier()
  const classes = new Set(addresses.map(({ address, family }) => classify(address, family === 6 ? 6 : 4)))
  const { name, allowPrivate } = source
  if (classes.has('never')) return sourceFailed(`${name} leads to an address that is never asked`)
  if (classes.has('private') && !allowPrivate) {
    return sourceFailed(`${name} leads into a private network, which is not allowed for it`)
  }
  if (classes.has('public') && url.protocol === 'http:') {
    return sourceFailed(`${name} leads to a public address, and is not encrypted`)
  }
  return undefined
}
