import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Ledger } from '@bailiwick/store'
import { requireFresh } from './account.ts'
import { asPerson, asSession, type HttpEnv } from './asker.ts'
import { newRouter } from './router.ts'
import { getDelegations, postDelegation, postDelegationRevocation } from './routes.ts'

/** Voting in somebody else's stead. Who may give and take whose votes is judged where it is recorded. */
export function delegationRoutes(ledger: Ledger): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(getDelegations, async (context): Promise<Response> => {
    const person = asPerson(context.get('asker'))
    const seesAll = person.roles.some((role) => role === 'administrator' || role === 'auditor')
    return context.json({ delegations: await ledger.delegations.list(seesAll ? undefined : person.id) })
  })

  router.openapi(postDelegation, async (context): Promise<Response> => {
    // One's votes are as good as what lets one in: a browser that was left open, or a stolen session, gives none away.
    const asker = asSession(context.get('asker'))
    requireFresh(asker, ledger.now())
    const { id: by, session } = asPerson(asker)
    const { from = by, ...request } = context.req.valid('json')
    const { id, index } = await ledger.delegations.give({ ...request, from, by, session })
    return context.json({ id, record: { index } }, 201)
  })

  router.openapi(postDelegationRevocation, async (context): Promise<Response> => {
    const { id: by, session } = asPerson(context.get('asker'))
    const { id } = context.req.valid('param')
    const { index } = await ledger.delegations.revoke(id, {
      ...context.req.valid('json'),
      by,
      session,
    })
    return context.json({ id, record: { index } }, 201)
  })

  return router
}
