import type { OpenAPIHono } from '@hono/zod-openapi'
import { Fault, instantText } from '@bailiwick/core'
import type { Access, ApprovalWaits, Ledger } from '@bailiwick/store'
import { HTTPException } from 'hono/http-exception'
import { secureHeaders } from 'hono/secure-headers'
import { version } from '../version.ts'
import { authenticated, type HttpEnv } from './asker.ts'
import { agentRoutes } from './agents.ts'
import { approvalRoutes } from './approvals.ts'
import { decisionRoutes } from './decisions.ts'
import { erasureRoutes } from './erasures.ts'
import { eventRoutes } from './events.ts'
import { limitedBody } from './body-limit.ts'
import { isJsonType, jsonBody } from './json-body.ts'
import { proofRoutes } from './log-proofs.ts'
import { policyRoutes } from './policies.ts'
import { tileRoutes, type LogReading } from './log-tiles.ts'
import { Masking } from './masking.ts'
import { Readings } from './readings.ts'
import { newRouter } from './router.ts'
import { problem, saysWhetherRecorded, toldFault } from './problems.ts'
import { getCheckpoint, getHealth, getReadiness } from './routes.ts'
import { sessionRoutes } from './session.ts'
import { serveConsole, type ConsoleFiles } from './console-files.ts'

/** What the HTTP API is built on. */
export interface AppParts {
  readonly ledger: Ledger
  readonly access: Access
  readonly waits: ApprovalWaits
  readonly consoleFiles: ConsoleFiles
  /** The address that people use, where it is not the one the service listens on. */
  readonly publicUrl?: string | undefined
  /** Who may read the log's records as tiles; people only, unless given. */
  readonly logReading?: LogReading | undefined
  /** The checkpoint that witnesses cosigned last, where there is one. */
  readonly cosigned?: (() => Promise<string | undefined>) | undefined
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
  app.use(async (context, next) => {
    if (context.req.method === 'POST' && !isJsonType(context.req.header('content-type') ?? '')) {
      throw new Fault('bad_input', 'the request body is not declared as JSON', {
        fix: 'Send `Content-Type: application/json`.',
      })
    }
    await next()
    if (context.req.path.startsWith('/v1/')) context.header('Cache-Control', 'no-store')
  })

  // Open to anyone: liveness, readiness, the log's checkpoint, the description of the API, and signing in.
  app.openapi(getHealth, (context): Response => context.json({ status: 'ok' }))
  app.openapi(getReadiness, async (context): Promise<Response> => {
    if (parts.ledger.halted !== undefined) throw parts.ledger.halted
    const { size } = await parts.ledger.head()
    return context.json({ status: 'ready', log: { size }, at: instantText(parts.ledger.now()) })
  })
  app.openapi(getCheckpoint, async (context) => context.text(await parts.ledger.checkpoint(), 200))
  app.route('/', tileRoutes(parts))
  app.use('/v1/session', jsonBody)
  app.route('/', sessionRoutes(parts.access, isHttps))

  // After authentication, so that only known callers have their bodies parsed.
  app.use('/v1/*', authenticated(parts.access), jsonBody)
  const masking = new Masking(parts.ledger)
  const readings = new Readings(parts.ledger, parts.log)
  app.route('/', decisionRoutes(parts.ledger, masking, readings, parts.log))
  app.route('/', approvalRoutes(parts.ledger, parts.access, parts.waits, masking, readings))
  app.route('/', agentRoutes(parts.ledger, parts.access))
  app.route('/', policyRoutes(parts.ledger, masking))
  app.route('/', erasureRoutes(parts.ledger))
  app.route('/', eventRoutes(parts.ledger))
  app.route('/', proofRoutes(parts.ledger))
  describeApi(app)
  app.all('/v1/*', () => {
    throw new Fault('not_found', 'no such endpoint', { fix: 'See /openapi.json.' })
  })
  serveConsole(app, parts.consoleFiles)
  app.notFound((context) => problem(context, new Fault('not_found', 'no such page', { fix: 'Start at /.' })))
  return app
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
    description: 'An API key bound to one agent, from `bailiwick keys create --agent ID`.',
  })
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: 'bailiwick_session',
    description: "A person's session.",
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
