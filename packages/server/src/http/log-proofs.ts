import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Ledger } from '@bailiwick/store'
import type { HttpEnv } from './asker.ts'
import type { Readings } from './readings.ts'
import { newRouter } from './router.ts'
import { getConsistency, getProof } from './routes.ts'

/**
 * Proofs that a record is in the log, and that the log has only grown. Payloads stay out of them: they also say what was
 * looked up, and what people may see of them is for the policy to say. A record that a person takes out is a reading.
 */
export function proofRoutes(ledger: Ledger, readings: Readings): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(getProof, async (context): Promise<Response> => {
    const { id } = context.req.valid('param')
    const { size } = context.req.valid('query')
    const asker = context.get('asker')
    const agent = asker.kind === 'agent' ? asker.agent : undefined
    const bundle = await ledger.prove(id, { agent, size })
    await readings.shown(asker, 'export', [bundle.index])
    return context.json(bundle)
  })

  // Hashes only: whoever may ask anything may ask this.
  router.openapi(getConsistency, async (context): Promise<Response> => {
    const { from, to } = context.req.valid('query')
    return context.json(await ledger.consistency(from, to))
  })

  return router
}
