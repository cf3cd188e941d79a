import type { OpenAPIHono } from '@hono/zod-openapi'
import { indexOfId } from '@bailiwick/core'
import type { Ledger } from '@bailiwick/store'
import { asPerson, type HttpEnv } from './asker.ts'
import type { Masking } from './masking.ts'
import type { Readings } from './readings.ts'
import { newRouter } from './router.ts'
import { getGrants, postGrantRevocation } from './routes.ts'

/** Standing grants. Who may end which is judged where it is recorded. */
export function grantRoutes(ledger: Ledger, masking: Masking, readings: Readings): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(getGrants, async (context): Promise<Response> => {
    const asker = context.get('asker')
    const grants = await ledger.grants.list(asPerson(asker))
    await readings.shown(
      asker,
      'list',
      grants.map(({ id }) => indexOfId('grt', id) ?? 0),
    )
    return context.json({ grants: await masking.allShown(grants, asker) })
  })

  router.openapi(postGrantRevocation, async (context): Promise<Response> => {
    const by = asPerson(context.get('asker'))
    const { id } = context.req.valid('param')
    const { index } = await ledger.grants.revoke(id, { ...context.req.valid('json'), by })
    return context.json({ id, record: { index } }, 201)
  })

  return router
}
