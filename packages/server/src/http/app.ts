import type { OpenAPIHono } from '@hono/zod-openapi'
import { Fault, instantText } from '@bailiwick/core'
import type { Access, ApprovalWaits, Ledger } from '@bailiwick/store'
import type { MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { secureHeaders } from 'hono/secure-headers'
import { agentAuthentication, type AgentTokens } from '../identity/agent-tokens.ts'
import { version } from '../version.ts'
import { accountRoutes } from './account.ts'
import type { Authentication, HttpEnv } from './asker.ts'
import { agentRoutes } from './agents.ts'
import { approvalRoutes } from './approvals.ts'
import { approvalStreamRoutes } from './approval-stream.ts'
import { callRoutes } from './calls.ts'
import { channelRoutes, type ChannelAnswers } from './channels.ts'
import { decisionRoutes } from './decisions.ts'
import { delegationRoutes } from './delegations.ts'
import { voteRoutes } from './votes.ts'
import { deliveryRoutes } from './deliveries.ts'
import { erasureRoutes } from './erasures.ts'
import { eventRoutes } from './events.ts'
import { grantRoutes } from './grants.ts'
import { guarded } from './guard.ts'
import { limitedBody } from './body-limit.ts'
import { isJsonType, jsonBody } from './json-body.ts'
import { keyRoutes } from './keys.ts'
import { proofRoutes } from './log-proofs.ts'
import { policyRoutes } from './policies.ts'
import { tileRoutes, type LogReading } from './log-tiles.ts'
import { Masking } from './masking.ts'
import { passkeyRoutes } from './passkeys.ts'
import { peopleRoutes } from './people.ts'
import { providerRoutes } from './provider.ts'
import { Readings } from './readings.ts'
import { OpenRequests } from './open-requests.ts'
import { newRouter } from './router.ts'
import { problem, saysWhetherRecorded, toldFault } from './problems.ts'
import * as routes from './routes.ts'
import { getCheckpoint, getHealth, getReadiness } from './routes.ts'
import { sessionCookieOf } from './session-cookie.ts'
import { sessionRoutes } from './session.ts'
import { sessionListRoutes } from './sessions.ts'
import type { SignInParts } from './sign-in-parts.ts'
import { serveConsole, type ConsoleFiles } from './console-files.ts'

/** What the HTTP API is built on. */
export interface AppParts {
  readonly ledger: Ledger
  readonly access: Access
  /** What agents' tokens are checked with, where an issuer of tokens is configured. */
  readonly agentTokens?: AgentTokens | undefined
  /** How people sign in beside links. */
  readonly signIn?: SignInParts | undefined
  readonly waits: ApprovalWaits
  readonly consoleFiles: ConsoleFiles
  /** The address that people use, where it is not the one the service listens on. */
  readonly publicUrl?: string | undefined
  /** Who may read the log's records as tiles; people only, unless given. */
  readonly logReading?: LogReading | undefined
  /** The checkpoint that witnesses cosigned last, where there is one. */
  readonly cosigned?: (() => Promise<string | undefined>) | undefined
  /** Shared with what shows calls elsewhere; one of its own, unless given. */
  readonly masking?: Masking | undefined
  /** What answers from channels are taken by; none, unless given. */
  readonly channels?: ChannelAnswers | undefined
  /** Told what nobody expected. */
  readonly log: (line: string) => void
}

/** The HTTP API and the console. Everything needs authentication but what says here that it does not. */
export function createApp(parts: AppParts): OpenAPIHono<HttpEnv> {
  const app = newRouter()
  app.onError((error, context) => {
    if (error instanceof HTTPException) return problem(context, httpFault(error))
    const fault = toldFault(error, parts.log)
    return problem(context, context.req.method === 'POST' ? saysWhetherRecorded(fault) : fault)
  })
  const isHttps = parts.publicUrl?.startsWith('https:') ?? false
  // A promise of TLS for this host alone, and only where people reach it so: other services may share the domain.
  app.use(
    secureHeaders({
      ...securityHeaders,
      overwrite: false,
      strictTransportSecurity: isHttps && 'max-age=15552000',
    }),
  )
  app.use(limitedBody)
  const authentication = authenticationOf(parts)
  // Before what wants JSON: these are forms.
  const readings = new Readings(parts.ledger, parts.log)
  app.route('/', channelRoutes(parts.channels ?? {}, authentication, readings, parts.log))
  app.use(async (context, next) => {
    if (context.req.method === 'POST' && !isJsonType(context.req.header('content-type') ?? '')) {
      throw new Fault('bad_input', 'the request body is not declared as JSON', {
        fix: 'Send `Content-Type: application/json`.',
      })
    }
    const encoding = context.req.header('content-encoding') ?? 'identity'
    if (encoding.trim().toLowerCase() !== 'identity') {
      throw new Fault('bad_input', 'the request body is declared as compressed', {
        fix: 'Send it as it is, without `Content-Encoding`.',
      })
    }
    await next()
    if (context.req.path.startsWith('/v1/')) context.header('Cache-Control', 'no-store')
  })

  app.use('/v1/*', refuseNul)
  // Only known callers who may do what they ask for have their bodies parsed. A body may take its time, in which a session
  // ends or a role is taken away: whoever it was is asked for again when it is there.
  const openRequests = new OpenRequests()
  const guard = guarded(authentication, Object.values(routes).filter(isRoute), openRequests)
  app.use('/v1/*', guard, jsonBody)
  app.on(['POST', 'PUT', 'PATCH', 'DELETE'], '/v1/*', guard)

  app.openapi(getHealth, (context): Response => context.json({ status: 'ok' }))
  app.openapi(getReadiness, async (context): Promise<Response> => {
    const { halted, full } = parts.ledger
    if (halted !== undefined) throw halted
    if (full !== undefined) throw full
    const { size } = await parts.ledger.head()
    const payloadKey = (await parts.ledger.sealing.refuses()) ? { payloadKey: 'missing' as const } : {}
    return context.json({
      status: 'ready',
      log: { size },
      at: instantText(parts.ledger.now()),
      ...payloadKey,
    })
  })
  app.openapi(getCheckpoint, async (context) => context.text(await parts.ledger.checkpoint(), 200))
  for (const router of routersOf(parts, authentication, readings, openRequests)) app.route('/', router)
  describeApi(app)
  serveConsole(app, parts.consoleFiles)
  app.notFound((context) => problem(context, new Fault('not_found', 'no such page', { fix: 'Start at /.' })))
  return app
}

/** What answers each part of the API to callers who may do what they ask for. */
function routersOf(
  parts: AppParts,
  authentication: Authentication,
  readings: Readings,
  openRequests: OpenRequests,
): readonly OpenAPIHono<HttpEnv>[] {
  const { ledger, access, waits, log } = parts
  const signIn = parts.signIn ?? { proxies: 0 }
  const now = () => ledger.now()
  const masking = parts.masking ?? new Masking(ledger)
  return [
    tileRoutes({ ...parts, authentication, readings, openRequests }),
    sessionRoutes(authentication, signIn),
    passkeyRoutes(ledger, authentication),
    accountRoutes(authentication, signIn, now),
    providerRoutes(authentication, signIn, log),
    peopleRoutes(access, ledger.policies, parts.publicUrl),
    keyRoutes(access, now),
    sessionListRoutes(access),
    decisionRoutes(ledger, masking, readings, log),
    approvalRoutes(ledger, access, waits, masking, readings),
    callRoutes(ledger),
    approvalStreamRoutes(waits, access, readings),
    deliveryRoutes(ledger),
    agentRoutes(ledger, access, readings),
    policyRoutes(ledger, masking),
    voteRoutes(ledger, log),
    delegationRoutes(ledger),
    grantRoutes(ledger, masking, readings),
    erasureRoutes(ledger),
    eventRoutes(ledger, access, readings),
    proofRoutes(ledger, readings),
  ]
}

// No text of PostgreSQL holds it, so nothing has such a name.
const refuseNul: MiddlewareHandler = async (context, next) => {
  if (context.req.path.includes('%00') || context.req.path.includes('\u0000')) {
    throw new Fault('not_found', 'nothing has a NUL character in its address', { fix: 'Leave it out.' })
  }
  await next()
}

function authenticationOf(parts: AppParts): Authentication {
  return {
    access: parts.access,
    agentOf: agentAuthentication(parts.access, parts.agentTokens),
    cookie: sessionCookieOf(parts.ledger.name, parts.publicUrl),
    publicUrl: parts.publicUrl,
  }
}

function isRoute<Value>(value: Value): value is Exclude<Value, number> {
  return typeof value === 'object'
}

const securityHeaders = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
  referrerPolicy: 'no-referrer',
  xFrameOptions: 'DENY',
}

function httpFault(error: HTTPException): Fault {
  const code = error.status === 413 ? 'too_large' : error.status === 404 ? 'not_found' : 'bad_input'
  return new Fault(code, 'the request cannot be read', {
    fix: 'Correct the request; /openapi.json describes it.',
  })
}

function describeApi(app: OpenAPIHono<HttpEnv>): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'agentKey', {
    type: 'http',
    scheme: 'bearer',
    description:
      'An API key bound to one agent, from `bailiwick keys create --agent ID`, or a token of the configured issuer.',
  })
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: 'bailiwick_session',
    description:
      "A person's session. The name goes on with ledger and port, as in `bailiwick_session_main_7420`, and begins with `__Host-` where people use TLS.",
  })
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Bailiwick',
      version,
      description: 'Decides what autonomous agents may do, and proves afterwards what was decided.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
  })
}
