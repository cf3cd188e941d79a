import { createHash, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { Fault, parseTilePath, tileWidth, type Tile } from '@bailiwick/core'
import type { Ledger } from '@bailiwick/store'
import type { Context } from 'hono'
import { verifierScript, verifyPage } from '../verify-page.ts'
import { knownAsker, type Asker, type Authentication, type HttpEnv } from './asker.ts'
import { requirePermission } from './guard.ts'
import type { OpenRequests } from './open-requests.ts'
import type { Readings } from './readings.ts'
import { newRouter } from './router.ts'
import {
  getCosigned,
  getEntries,
  getPublishedCheckpoint,
  getTile,
  getVerifier,
  getVerifyPage,
} from './routes.ts'

/** Who may read the records of the log as tiles, beside people who are signed in. */
export interface LogReading {
  /** Anybody. */
  readonly isPublic: boolean
  /** Whoever has this key. */
  readonly readKey?: string | undefined
}

const readKeyLengthMin = 32

/**
 * What the environment says of it: `BAILIWICK_LOG_PUBLIC`, `BAILIWICK_LOG_READ_KEY`.
 *
 * @throws Fault `bad_input` for other values than these can have
 */
export function logReadingFrom(env: Readonly<Record<string, string | undefined>>): LogReading {
  const open = env['BAILIWICK_LOG_PUBLIC'] ?? ''
  if (!['', '0', '1'].includes(open)) {
    throw new Fault('bad_input', '`BAILIWICK_LOG_PUBLIC` is neither 0 nor 1', {
      fix: 'Set it to 1 to let anybody read the records of the log, or leave it out.',
    })
  }
  const readKey = env['BAILIWICK_LOG_READ_KEY'] ?? ''
  if (readKey !== '' && (readKey.length < readKeyLengthMin || !/^[A-Za-z0-9_-]{1,200}$/.test(readKey))) {
    throw new Fault('bad_input', '`BAILIWICK_LOG_READ_KEY` is no key', {
      fix: 'Give 32 to 200 random letters, digits, `_` or `-`, such as from `openssl rand -hex 32`.',
    })
  }
  return { isPublic: open === '1', ...(readKey === '' ? {} : { readKey }) }
}

/** What the tiles are served from, and to whom. */
interface TileParts {
  readonly ledger: Ledger
  readonly authentication: Authentication
  readonly readings: Readings
  readonly openRequests: OpenRequests
  readonly logReading?: LogReading | undefined
  readonly cosigned?: (() => Promise<string | undefined>) | undefined
}

/**
 * The log by C2SP tlog-tiles, under `/log/`: checkpoint, tiles, entry bundles; and the page that checks proof bundles.
 * Checkpoint and hashes are open to anyone, records to those who may read them. What a person reads of the records is
 * recorded; what programs read by the key, and anybody where the log is public, is not.
 */
export function tileRoutes({
  ledger,
  authentication,
  readings,
  openRequests,
  logReading,
  cosigned,
}: TileParts): OpenAPIHono<HttpEnv> {
  const reading = logReading ?? { isPublic: false }
  const router = newRouter()
  router.use('/log/*', async (context, next) => {
    await next()
    if (context.res.status >= 400) context.header('Cache-Control', 'no-store')
  })

  router.openapi(getPublishedCheckpoint, async (context): Promise<Response> => {
    const note = await ledger.checkpoint()
    return context.body(note, 200, {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-cache',
    })
  })

  router.openapi(getCosigned, async (context): Promise<Response> => {
    const note = await cosigned?.()
    if (note === undefined) {
      throw new Fault('not_found', 'no witness has cosigned a checkpoint of this log', {
        fix: 'Take /log/checkpoint; witnesses are named by BAILIWICK_WITNESSES.',
      })
    }
    return context.body(note, 200, {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-cache',
    })
  })

  router.openapi(getVerifyPage, async (context): Promise<Response> => {
    const { html, contentSecurityPolicy } = await verifyPage()
    return context.body(html, 200, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'content-security-policy': `${contentSecurityPolicy}; frame-ancestors 'none'`,
    })
  })

  router.openapi(getVerifier, async (context): Promise<Response> =>
    context.body(await verifierScript(), 200, {
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'no-cache',
    }),
  )

  // No pattern of a router says what is the address of a tile, so these two are described here and answered below.
  router.openAPIRegistry.registerPath(getTile)
  router.openAPIRegistry.registerPath(getEntries)
  router.get('/log/tile/*', async (context) => {
    const tile = parseTilePath(context.req.path.slice('/log/'.length))
    if (tile === undefined) {
      throw new Fault('bad_input', 'the address names no tile', {
        fix: 'Ask for /log/tile/LEVEL/INDEX, the index in groups of three digits such as x001/234, by C2SP tlog-tiles.',
      })
    }
    const isRecords = tile.level === 'entries'
    const asker =
      isRecords && !reading.isPublic ? await readerOf(context, authentication, reading) : undefined
    if (isRecords) openRequests.take(context, asker)
    const bytes = await ledger.tiles.read(tile)
    if (asker !== undefined) await readings.shown(asker, 'export', indicesOf(tile))
    const whose = isRecords && !reading.isPublic ? 'private' : 'public'
    // A full tile never changes. A partial one does not either, but nobody needs it once it has grown.
    const howLong = tile.width === tileWidth ? 'max-age=31536000, immutable' : 'max-age=60'
    context.header('Content-Type', 'application/octet-stream')
    context.header('Cache-Control', `${whose}, ${howLong}`)
    return isRecords ? await compressed(context, bytes) : context.body(new Uint8Array(bytes))
  })

  return router
}

/** Which records an entry bundle holds. */
function indicesOf({ index, width }: Tile): readonly number[] {
  return Array.from({ length: width }, (_, place) => index * tileWidth + place)
}

/**
 * Who reads records; undefined for whoever has the read key.
 *
 * @throws Fault `not_authenticated` or `not_permitted` for all others
 */
async function readerOf(
  context: Context<HttpEnv, string>,
  authentication: Authentication,
  { readKey }: LogReading,
): Promise<Asker | undefined> {
  context.header('Vary', 'Authorization, Cookie', { append: true })
  const header = context.req.header('authorization')
  const given = /^Bearer ([A-Za-z0-9_-]{1,200})$/i.exec(header ?? '')?.[1]
  if (given !== undefined && readKey !== undefined && isSame(given, readKey)) return undefined
  const asker = await knownAsker(context, authentication).catch((error: unknown) => {
    const isNobody = error instanceof Fault && error.code === 'not_authenticated'
    // Who has a session that has ended is told of that.
    if (!isNobody || (header === undefined && context.req.header('cookie') !== undefined)) throw error
    throw noReadKey(header !== undefined, readKey !== undefined)
  })
  // Bundles hold the records of every agent.
  requirePermission(asker, 'log:read')
  return asker
}

// No agent's key opens these: whoever sends one, or nothing, needs the read key.
function noReadKey(isGiven: boolean, isSet: boolean): Fault {
  const given = isGiven
    ? 'the key is not the read key of this service'
    : 'the request carries no read key and no session'
  const message = isSet || !isGiven ? given : 'this service has no read key'
  return new Fault('not_authenticated', message, {
    fix: 'The read key is what BAILIWICK_LOG_READ_KEY was when the service started: send it as `Authorization: Bearer KEY`, or sign in.',
  })
}

// Hashes are of equal length, whatever was given, so the comparison takes as long for every wrong key.
function isSame(given: string, key: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(key))
}

const gzipped = promisify(gzip)

// Records repeat one another, and shrink to a fifth; hashes do not compress.
async function compressed(context: Context<HttpEnv>, bytes: Buffer): Promise<Response> {
  context.header('Vary', 'Accept-Encoding', { append: true })
  const accepted = context.req.header('accept-encoding') ?? ''
  if (!/(^|,)\s*gzip\s*(;(?!\s*q=0(\.0*)?\s*(,|$))|,|$)/i.test(accepted)) {
    return context.body(new Uint8Array(bytes))
  }
  context.header('Content-Encoding', 'gzip')
  return context.body(new Uint8Array(await gzipped(bytes)))
}
