import type { OpenAPIHono } from '@hono/zod-openapi'
import { indexOfId } from '@bailiwick/core'
import type { Access, Ledger } from '@bailiwick/store'
import { streamSSE } from 'hono/streaming'
import { newRouter } from './router.ts'
import { asSession, type HttpEnv } from './asker.ts'
import type { Readings } from './readings.ts'
import { getEvents } from './routes.ts'

/** The shortest time between two events of one stream: people read no faster. */
const pauseMs = 250
/** How often to look for what other processes have appended and not told, and to show that the stream lives. */
const lookMs = 5_000

/**
 * A stream that says when the log has grown, so that pages know when to look again, and which approvals were opened. It ends
 * with its session.
 */
export function eventRoutes(ledger: Ledger, access: Access, readings: Readings): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  router.openapi(getEvents, (context): Response => {
    // Nobody reads the body of an answer to HEAD, and a stream that nobody reads never ends.
    if (context.req.method === 'HEAD') return context.body(null, 200, { 'content-type': 'text/event-stream' })
    const asker = asSession(context.get('asker'))
    const { session, voter } = asker
    return streamSSE(context, async (stream) => {
      let grown = false
      let told: number | undefined
      let wake: (() => void) | undefined
      const stopListening = ledger.onGrowth(() => {
        grown = true
        wake?.()
      })
      stream.onAbort(() => wake?.())
      try {
        while (!stream.aborted && (await access.sessions.goesOn(session.id))) {
          // Cleared before looking: what is committed from here on may not be in this head.
          grown = false
          const { size } = await ledger.head()
          await stream.writeSSE({ event: 'log', data: JSON.stringify({ size }) })
          // What was open before somebody looked is on the page already.
          const opened = told === undefined ? [] : await ledger.reads.opened(told, size, voter)
          told = size
          await readings.shown(
            asker,
            'list',
            opened.map(({ id }) => indexOfId('apr', id) ?? 0),
          )
          for (const { id, agent, action, voidedBy, deadline, mayVote } of opened) {
            await stream.writeSSE({
              event: 'approval',
              // What is undefined is left out.
              data: JSON.stringify({ id, agent, action, voidedBy, deadline, mayVote }),
            })
          }
          await stream.sleep(pauseMs)
          await new Promise<void>((resolve) => {
            if (grown || stream.aborted) return resolve()
            const timer = setTimeout(resolve, lookMs)
            wake = () => {
              clearTimeout(timer)
              resolve()
            }
          })
        }
      } finally {
        stopListening()
      }
    })
  })
  return router
}
