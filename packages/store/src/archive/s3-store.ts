import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AwsV4Signer } from 'aws4fetch'
import { Fault, instantText } from '@bailiwick/core'
import { missingObject, type ArchiveStore, type PutFile, type ReadPart } from './store.ts'

type Environment = Readonly<Record<string, string | undefined>>

const requestMsMax = 60_000
const answerBytesMax = 64 * 1024 * 1024

/** Where a bucket is, and who asks. */
interface Bucket {
  readonly endpoint: URL
  readonly name: string
  readonly prefix: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
  /** How objects are locked; undefined: not at all, which has to be said. */
  readonly lock: 'COMPLIANCE' | 'GOVERNANCE' | undefined
}

/**
 * A bucket of an S3-compatible store, by path-style addresses. It has to have object lock, unless the address says
 * `lock=none`: what must not change is locked until its retention ends.
 *
 * @throws Fault `bad_input` where address or credentials are not whole
 */
export function s3Store(url: URL, env: Environment): ArchiveStore {
  const bucket = bucketOf(url, env)
  const fullKey = (key: string) => (bucket.prefix === '' ? key : `${bucket.prefix}/${key}`)
  return {
    address: url.href,
    check: () => check(bucket),
    put: (key, file) => put(bucket, fullKey(key), file),
    read: (key, part) => read(bucket, fullKey(key), part),
    remove: (key) => remove(bucket, fullKey(key)),
  }
}

function bucketOf(url: URL, env: Environment): Bucket {
  const given = (name: string) => url.searchParams.get(name) ?? undefined
  const accessKeyId = env['BAILIWICK_ARCHIVE_KEY_ID'] ?? env['AWS_ACCESS_KEY_ID']
  const secretAccessKey = env['BAILIWICK_ARCHIVE_SECRET_KEY'] ?? env['AWS_SECRET_ACCESS_KEY']
  if (!accessKeyId || !secretAccessKey) {
    throw new Fault('bad_input', `there are no credentials for the archive \`${url.host}\``, {
      fix: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or BAILIWICK_ARCHIVE_KEY_ID and BAILIWICK_ARCHIVE_SECRET_KEY.',
    })
  }
  const region = given('region') ?? 'us-east-1'
  const endpoint = given('endpoint') ?? `https://s3.${region}.amazonaws.com`
  const lock = given('lock') ?? 'compliance'
  const unknown = [...url.searchParams.keys()].find((name) => !['endpoint', 'region', 'lock'].includes(name))
  if (
    unknown !== undefined ||
    !URL.canParse(endpoint) ||
    !['compliance', 'governance', 'none'].includes(lock)
  ) {
    throw new Fault('bad_input', `\`${url.href}\` is no place for an archive`, {
      fix: 'Its parameters are endpoint (an address), region, and lock (compliance, governance or none).',
    })
  }
  return {
    endpoint: new URL(endpoint),
    name: url.host,
    prefix: url.pathname.replace(/^\/+|\/+$/g, ''),
    region,
    accessKeyId,
    secretAccessKey,
    sessionToken: env['AWS_SESSION_TOKEN'],
    lock: lock === 'none' ? undefined : lock === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE',
  }
}

async function check(bucket: Bucket): Promise<void> {
  const answer = await ask(bucket, 'GET', '', { query: 'object-lock' })
  const enabled =
    answer.status === 200 && answer.body.includes('<ObjectLockEnabled>Enabled</ObjectLockEnabled>')
  if (bucket.lock !== undefined && answer.status === 404 && !answer.body.includes('NoSuchBucket')) {
    throw withoutLock(bucket)
  }
  if (answer.status === 200 && bucket.lock !== undefined && !enabled) throw withoutLock(bucket)
  if (answer.status === 200 || bucket.lock === undefined) {
    if (bucket.lock === undefined && answer.body.includes('NoSuchBucket')) throw refused(bucket, answer)
    if (answer.status !== 403) return
  }
  throw refused(bucket, answer)
}

function withoutLock({ name }: Bucket): Fault {
  return new Fault('store_unavailable', `the bucket \`${name}\` has no object lock`, {
    fix: 'Make a bucket with object lock, or say lock=none in BAILIWICK_ARCHIVE; then whoever has the credentials can delete the archive.',
  })
}

async function put(bucket: Bucket, key: string, file: PutFile): Promise<string | null> {
  const there = await sameVersion(bucket, key, file)
  if (there !== undefined) return there
  const locked = isLocked(bucket, file)
  // What may be replaced holds personal data: no former version of it stays behind.
  if (file.keepUntil === undefined) await remove(bucket, key)
  const answer = await ask(bucket, 'PUT', key, {
    file,
    headers: {
      'content-md5': await md5Of(file.path),
      'x-amz-content-sha256': file.sha256,
      'x-amz-meta-sha256': file.sha256,
      ...(locked && file.keepUntil !== undefined
        ? {
            'x-amz-object-lock-mode': bucket.lock ?? '',
            'x-amz-object-lock-retain-until-date': instantText(file.keepUntil),
          }
        : {}),
    },
  })
  if (answer.status !== 200) throw refused(bucket, answer)
  return answer.version
}

// A store takes no lock that has ended: what is older than its retention may be deleted at once.
function isLocked({ lock }: Bucket, { keepUntil }: PutFile): boolean {
  return lock !== undefined && keepUntil !== undefined && keepUntil > Date.now()
}

// What a run before a crash has put there is not put again: a locked version could not be removed.
async function sameVersion(bucket: Bucket, key: string, file: PutFile): Promise<string | null | undefined> {
  const answer = await ask(bucket, 'HEAD', key, {})
  if (answer.status !== 200 || answer.headers['x-amz-meta-sha256'] !== file.sha256) return undefined
  if (Number(answer.headers['content-length']) !== file.bytes) return undefined
  if (isLocked(bucket, file) && file.keepUntil !== undefined) {
    const until = Date.parse(String(answer.headers['x-amz-object-lock-retain-until-date'] ?? ''))
    if (!(until >= file.keepUntil - 1000)) return undefined
  }
  return answer.version
}

async function read(bucket: Bucket, key: string, { version, offset, bytes }: ReadPart): Promise<Buffer> {
  if (bytes === 0) return Buffer.alloc(0)
  const answer = await ask(bucket, 'GET', key, {
    ...(version === null ? {} : { query: `versionId=${encodeURIComponent(version)}` }),
    headers: { range: `bytes=${offset}-${offset + bytes - 1}` },
  })
  if (answer.status === 404) throw missingObject(key, 'is not there')
  if (answer.status === 416) throw missingObject(key, 'is shorter than it was')
  if (answer.status !== 206 && answer.status !== 200) throw refused(bucket, answer)
  const part = answer.status === 200 ? answer.bytes.subarray(offset, offset + bytes) : answer.bytes
  if (part.length !== bytes) throw missingObject(key, 'is shorter than it was')
  return part
}

// A list may be cut short, so it is asked for until it names none; and the object itself is asked for in the end, because
// what is removed may be what somebody wanted erased.
async function remove(bucket: Bucket, key: string): Promise<void> {
  const removed = new Set<string>()
  for (;;) {
    const versions = await versionsOf(bucket, key)
    const again = versions.find((version) => removed.has(version))
    if (again !== undefined) throw notRemoved(bucket, key)
    if (versions.length === 0) break
    for (const version of versions) {
      const answer = await ask(bucket, 'DELETE', key, { query: `versionId=${encodeURIComponent(version)}` })
      if (answer.status !== 204 && answer.status !== 200) throw refused(bucket, answer)
      removed.add(version)
    }
  }
  const left = await ask(bucket, 'HEAD', key, {})
  if (left.status !== 404) throw left.status === 200 ? notRemoved(bucket, key) : refused(bucket, left)
}

async function versionsOf(bucket: Bucket, key: string): Promise<readonly string[]> {
  const listed = await ask(bucket, 'GET', '', { query: `prefix=${encodeURIComponent(key)}&versions` })
  if (listed.status !== 200) throw refused(bucket, listed)
  const entries = listed.body.matchAll(/<(?:Version|DeleteMarker)>([^]*?)<\/(?:Version|DeleteMarker)>/g)
  return [...entries].flatMap(([, entry = '']) =>
    /<Key>([^<]*)<\/Key>/.exec(entry)?.[1] === key
      ? [/<VersionId>([^<]*)<\/VersionId>/.exec(entry)?.[1] ?? '']
      : [],
  )
}

function notRemoved({ name }: Bucket, key: string): Fault {
  return new Fault('store_unavailable', `the bucket \`${name}\` still has \`${key}\` after it was removed`, {
    fix: 'Remove it with all its versions by other means, then run this again.',
  })
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly version: string | null
  readonly bytes: Buffer
  /** The same as text. */
  readonly body: string
}

interface Asking {
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly file?: PutFile
}

async function ask(
  bucket: Bucket,
  method: string,
  key: string,
  { query, headers, file }: Asking,
): Promise<Answer> {
  const { endpoint, name, region, accessKeyId, secretAccessKey, sessionToken } = bucket
  const path = [
    endpoint.pathname.replace(/\/+$/, ''),
    name,
    ...(key === '' ? [] : key.split('/').map(encodeURIComponent)),
  ].join('/')
  const signed = await new AwsV4Signer({
    method,
    url: `${endpoint.origin}${path}${query === undefined ? '' : `?${query}`}`,
    headers: { 'x-amz-content-sha256': emptySha256, ...headers },
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    service: 's3',
    region,
  }).sign()
  try {
    return await exchange(signed.url, method, Object.fromEntries(signed.headers), file)
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    const why = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
    throw new Fault('store_unavailable', `the archive at \`${endpoint.origin}\` cannot be reached${why}`, {
      fix: 'Check the endpoint and the network; nothing has left the database.',
      cause,
    })
  }
}

const emptySha256 = createHash('sha256').digest('hex')

// Not by `fetch`: it sends a file of unknown length in chunks, which S3 refuses, or holds all of it in memory.
async function exchange(
  url: URL,
  method: string,
  headers: Record<string, string>,
  file: PutFile | undefined,
): Promise<Answer> {
  const begin = url.protocol === 'https:' ? httpsRequest : httpRequest
  return await new Promise<Answer>((resolve, reject) => {
    const length = file === undefined ? {} : { 'content-length': String(file.bytes) }
    const sent = begin(
      url,
      { method, headers: { ...headers, ...length }, timeout: requestMsMax },
      (answer) => {
        whole(answer).then(resolve, reject)
      },
    )
    sent.on('timeout', () =>
      sent.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })),
    )
    sent.on('error', reject)
    pipeline(file === undefined ? Readable.from([]) : createReadStream(file.path), sent).catch(reject)
  })
}

async function whole(answer: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > answerBytesMax) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  const version = answer.headers['x-amz-version-id']
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    version: typeof version === 'string' && version !== 'null' ? version : null,
    bytes,
    body: bytes.toString('utf8'),
  }
}

async function md5Of(path: string): Promise<string> {
  const digest = createHash('md5')
  for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer)
  return digest.digest('base64')
}

function refused({ name }: Bucket, { status, body }: Answer): Fault {
  const code = /<Code>([A-Za-z]{1,60})<\/Code>/.exec(body)?.[1] ?? `status ${status}`
  return new Fault('store_unavailable', `the bucket \`${name}\` refused: ${code}`, {
    fix: 'Check bucket, region and credentials, and what they permit; nothing has left the database.',
  })
}
