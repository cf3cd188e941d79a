import { lookup } from 'node:dns/promises'
import type { LookupAddress } from 'node:dns'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { isIP } from 'node:net'
import { Fault } from '@bailiwick/core'
import { createAddressClassifier } from './address-class.ts'

/** How long a receiver may take, from resolving its name to the end of its answer. */
export const postTimeoutMsDefault = 10_000
/** How much of an answer is read. */
const responseBytesMaxDefault = 16 * 1024

export interface Post {
  /** As `deliveryUrl` returned it. */
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** JSON text. */
  readonly body: string
  /** Whether receivers in private networks, and plain HTTP to them, are allowed. */
  readonly allowPrivate: boolean
  readonly timeoutMs?: number
  readonly responseBytesMax?: number
  /** Finds a name's addresses; the system's resolver unless a test says otherwise. */
  readonly resolve?: (hostname: string) => Promise<readonly LookupAddress[]>
}

/**
 * The address of a receiver, checked as far as that is possible without resolving its name: HTTPS (or HTTP,
 * with `allowPrivate`), no credentials, and not an address that must not be called. Throws a `Fault` that
 * never shows more than scheme and host, because the rest of such a URL is often a secret.
 */
export function deliveryUrl(text: string, options: { name: string; allowPrivate: boolean }): URL {
  const { name, allowPrivate } = options
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) {
    throw new Fault('bad_input', `\`${name}\` is not a URL`, {
      fix: 'Give a whole URL such as https://example.com/hooks/bailiwick.',
    })
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new Fault('bad_input', `\`${name}\` has the scheme \`${url.protocol}\``, {
      fix: 'Use an https URL.',
    })
  }
  if (url.username !== '' || url.password !== '') {
    throw new Fault('bad_input', `\`${name}\` carries a user name or password`, {
      fix: 'Remove them from the URL; receivers tell us by the signature or by a secret path.',
    })
  }
  if (url.protocol === 'http:' && !allowPrivate) throw plainHttp(url, name)

  const literal = hostOf(url)
  const family = isIP(literal)
  if (family !== 0) checkAddresses(url, [{ address: literal, family }], allowPrivate)
  return url
}

/** A post whose headers say what its body is. */
export type PlainPost = Omit<Post, 'body'> & { readonly body: string | Buffer }

/** What a receiver answered. */
export interface Answered {
  readonly status: number
  /** Empty where it says none. */
  readonly contentType: string
  /** Whole, or undefined where it was longer than what is read, or broke off. */
  readonly body: Buffer | undefined
}

/** As `postPlain`, for those to whom the status says all. */
export async function postJson(post: Post): Promise<{ readonly status: number }> {
  const { status } = await postPlain(post)
  return { status }
}

/**
 * Posts what the headers say and returns the answer, whatever it is. Redirects are answers like any other and
 * not followed. Throws a `Fault` where no answer came in time or the receiver's address must not be called.
 *
 * Every address is checked between resolving and connecting, so a name that resolves differently the second
 * time gains nothing.
 */
export function postPlain(post: PlainPost): Promise<Answered> {
  const { url, allowPrivate } = post
  return new Promise((settle, refuse) => {
    if (url.protocol === 'http:' && !allowPrivate) throw plainHttp(url)
    const literal = hostOf(url)
    const family = isIP(literal)
    // An address is never looked up, so the hook below would not see it.
    if (family !== 0) checkAddresses(url, [{ address: literal, family }], allowPrivate)

    let answer: IncomingMessage | undefined
    let body: (() => Buffer | undefined) | undefined
    const timeoutMs = post.timeoutMs ?? postTimeoutMsDefault
    const request = send(post)
    const timer = setTimeout(() => request.destroy(lateAnswer(url, timeoutMs)), timeoutMs)

    const end = (error?: Error) => {
      clearTimeout(timer)
      // Once the status is known the receiver has answered; that the rest broke off changes nothing.
      if (answer?.statusCode === undefined) refuse(error instanceof Fault ? error : noAnswer(url, error))
      else
        settle({
          status: answer.statusCode,
          contentType: answer.headers['content-type'] ?? '',
          body: body?.(),
        })
    }
    request.on('error', end)
    request.on('close', () => end())
    request.on('response', (response) => {
      answer = response
      body = readBounded(response, post.responseBytesMax ?? responseBytesMaxDefault)
    })
    request.end(post.body)
  })
}

function send(post: PlainPost): ClientRequest {
  const { url, headers, body } = post
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  return request(url, {
    method: 'POST',
    // A connection of its own: one that was kept open would skip the look-up and its check.
    agent: false,
    lookup: checkedLookup(post),
    headers: {
      'user-agent': 'bailiwick',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...headers,
    },
  })
}

/** Reads the answer, so that the receiver can finish, but no more than `bytesMax` of it. What comes back tells what was read. */
function readBounded(response: IncomingMessage, bytesMax: number): () => Buffer | undefined {
  const chunks: Buffer[] = []
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > bytesMax) response.destroy()
    else chunks.push(chunk)
  })
  // A broken answer ends the request as well, which settles it; unheard, the event would end the process.
  response.on('error', () => response.destroy())
  return () => (response.complete && bytes <= bytesMax ? Buffer.concat(chunks) : undefined)
}

function checkedLookup(post: Pick<Post, 'url' | 'allowPrivate' | 'resolve'>): LookupFunction {
  const resolve = post.resolve ?? ((hostname) => lookup(hostname, { all: true }))
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const refusal = refusalOf(post.url, addresses, post.allowPrivate)
        const [first] = addresses
        if (refusal !== undefined || first === undefined) callback(refusal ?? noAnswer(post.url), '', 0)
        else if (options.all === true) callback(null, [...addresses])
        else callback(null, first.address, first.family)
      },
      (error: unknown) => callback(error instanceof Error ? error : noAnswer(post.url), '', 0),
    )
  }
}

function checkAddresses(url: URL, addresses: readonly LookupAddress[], allowPrivate: boolean): void {
  const refusal = refusalOf(url, addresses, allowPrivate)
  if (refusal !== undefined) throw refusal
}

/** Why a receiver must not be called. One bad address among several is enough: any of them may be used. */
function refusalOf(url: URL, addresses: readonly LookupAddress[], allowPrivate: boolean): Fault | undefined {
  const classify = createAddressClassifier()
  const classes = new Set(addresses.map(({ address, family }) => classify(address, family === 6 ? 6 : 4)))
  if (classes.has('never')) {
    return new Fault('not_permitted', `\`${url.origin}\` leads to an address that is no receiver's`, {
      fix: 'Use an address at which the receiver can be reached; metadata, link-local and multicast ones are refused.',
    })
  }
  if (classes.has('private') && !allowPrivate) {
    return new Fault('not_permitted', `\`${url.origin}\` leads into a private network`, {
      fix: 'Use a public receiver, or set BAILIWICK_ALLOW_PRIVATE_WEBHOOKS=1 if this one is meant.',
    })
  }
  return classes.has('public') && url.protocol === 'http:' ? plainHttp(url) : undefined
}

function plainHttp(url: URL, setting?: string): Fault {
  const where = setting === undefined ? '' : ` in \`${setting}\``
  return new Fault('not_permitted', `\`${url.origin}\`${where} is not encrypted`, {
    fix: 'Use https; plain http is only for private networks, with BAILIWICK_ALLOW_PRIVATE_WEBHOOKS=1.',
  })
}

function lateAnswer(url: URL, timeoutMs: number): Fault {
  return new Fault('service_unreachable', `\`${url.origin}\` gave no answer within ${timeoutMs} ms`, {
    fix: 'Check that the receiver runs and answers before it works.',
  })
}

/** The error's code only: what else it says may repeat the URL. */
function noAnswer(url: URL, cause?: NodeJS.ErrnoException): Fault {
  const code = cause?.code === undefined ? '' : `: ${cause.code}`
  return new Fault('service_unreachable', `\`${url.origin}\` could not be reached${code}`, {
    fix: 'Check the address, the network and the receiver’s certificate.',
    cause,
  })
}

/** The host without the brackets of an IPv6 address. `URL` has already made decimal, hex and octal forms plain. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}
