import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Ledger } from '@bailiwick/store'
import { asAgent, type HttpEnv } from './asker.ts'
import { retryAfter } from './retry-after.ts'
import { newRouter } from './router.ts'
import { getCall } from './routes.ts'

/** What stands for the call ids of an agent: what it goes on from when it was away. */
export function callRoutes(ledger: Ledger): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(getCall, async (context): Promise<Response> => {
    const agent = asAgent(context.get('asker'))
    const { call } = context.req.valid('param')
    const view = await ledger.reads.call(agent, call)
    return context.json(view, 200, retryAfter(view.approval?.retryAt, ledger.now()))
  })

  return router
}
