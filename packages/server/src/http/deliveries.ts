import type { OpenAPIHono } from '@hono/zod-openapi'
import { listDeliveries, retryDeliveries, type Ledger } from '@bailiwick/store'
import type { HttpEnv } from './asker.ts'
import { newRouter } from './router.ts'
import { getDeliveries, pageLengthDefault, postDeliveryRetry } from './routes.ts'

/** What was told to the outside, what was given up, and trying that again. */
export function deliveryRoutes(ledger: Ledger): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(getDeliveries, async (context): Promise<Response> => {
    const { state, limit = pageLengthDefault } = context.req.valid('query')
    return context.json({ deliveries: await listDeliveries(ledger.pool, ledger.name, { state, limit }) })
  })

  router.openapi(postDeliveryRetry, async (context): Promise<Response> => {
    const { id } = context.req.valid('param')
    await retryDeliveries(ledger.pool, ledger.name, id, ledger.now())
    return context.json({ id, state: 'waiting' })
  })

  return router
}
