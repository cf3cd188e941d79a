import type { OpenAPIHono } from '@hono/zod-openapi'
import { indexOfId, type ApprovalView } from '@bailiwick/core'
import type { Access, ApprovalWaits } from '@bailiwick/store'
import { streamSSE } from 'hono/streaming'
import { newRouter } from './router.ts'
import { goesOn, type HttpEnv } from './asker.ts'
import type { Readings } from './readings.ts'
import { getApprovalEvents } from './routes.ts'

/** How often a stream on which nothing happens shows that it lives; proxies end others. */
const aliveSeconds = 20
/** After how many of those it ends, so that whoever listens comes again and shows who it is. */
const aliveMax = 15
/** How long a client should wait before it connects again, in milliseconds. */
const reconnectMs = 2_000

/**
 * A stream for one approval: where it stands, and what became of it. It holds a timer, and no connection of the database. It
 * ends with its session, and after five minutes; who listens goes on with `Last-Event-ID`.
 */
export function approvalStreamRoutes(
  waits: ApprovalWaits,
  access: Access,
  readings: Readings,
): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  router.openapi(getApprovalEvents, async (context): Promise<Response> => {
    const { id } = context.req.valid('param')
    const asker = context.get('asker')
    const seen = asker.kind === 'agent' ? { agent: asker.agent } : { voter: asker.voter }
    const last = context.req.header('last-event-id')
    let approval = await waits.wait(id, 0, seen)
    // What makes a browser's EventSource stop asking.
    if (approval.status !== 'pending' && stateOf(approval) === last) return context.body(null, 204)
    if (context.req.method === 'HEAD') return context.body(null, 200, { 'content-type': 'text/event-stream' })
    await readings.shown(asker, 'approval', [indexOfId('apr', id) ?? 0])
    return streamSSE(
      context,
      async (stream) => {
        const gone = new AbortController()
        stream.onAbort(() => gone.abort())
        let sent = last
        for (let times = 0; times < aliveMax; times += 1) {
          if (stateOf(approval) === sent) await stream.write(': still so\n\n')
          else
            await stream.writeSSE({
              id: stateOf(approval),
              event: 'approval',
              data: dataOf(approval),
              retry: reconnectMs,
            })
          sent = stateOf(approval)
          if (approval.status !== 'pending' || stream.aborted || waits.closed) return
          approval = await waits.wait(id, aliveSeconds, seen, gone.signal)
          // Before anything is said of what came of it.
          if (!(await goesOn(access, asker))) return
        }
      },
      // The stream ends, and whoever listens connects again.
      async () => undefined,
    )
  })
  return router
}

// Whoever comes again after the policy has changed is told so, although the status is still the same.
function stateOf({ status, voidedBy }: ApprovalView): string {
  return voidedBy === undefined ? status : `${status}-void`
}

function dataOf({ id, status, voidedBy, deadline, retryAt }: ApprovalView): string {
  return JSON.stringify({
    id,
    status,
    ...(voidedBy === undefined ? {} : { voidedBy }),
    deadline,
    ...(retryAt === undefined ? {} : { retryAt }),
  })
}
