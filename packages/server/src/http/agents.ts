import type { OpenAPIHono } from '@hono/zod-openapi'
import { indexOfId } from '@bailiwick/core'
import { agentActivity, agentsOf, type Access, type Ledger } from '@bailiwick/store'
import { asPerson, type HttpEnv } from './asker.ts'
import type { Readings } from './readings.ts'
import { newRouter } from './router.ts'
import { getActivity, getAgents, postSuspension } from './routes.ts'

/** How many decisions say what an agent did lately. */
const activityLimit = 100

/** The agents, what they did lately, and suspending them. */
export function agentRoutes(ledger: Ledger, access: Access, readings: Readings): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(getAgents, async (context): Promise<Response> => {
    return context.json({ agents: await agentsOf(ledger, access) })
  })

  router.openapi(getActivity, async (context): Promise<Response> => {
    const { agent } = context.req.valid('param')
    const { similar: _similar, ...activity } = await agentActivity(ledger, { agent, limit: activityLimit })
    await readings.shown(context.get('asker'), 'list', indicesOf(activity))
    return context.json({ agent, ...activity })
  })

  router.openapi(postSuspension, async (context): Promise<Response> => {
    const { id: by, session } = asPerson(context.get('asker'))
    const { agent } = context.req.valid('param')
    const { state, reason } = context.req.valid('json')
    const { index } = await ledger.changeSuspension({ agent, state, reason, by, session })
    return context.json({ agent, state, record: { index } }, 201)
  })

  return router
}

/** The decisions that an account of what was done names one by one. */
export function indicesOf({ recent }: { readonly recent: readonly { readonly id: string }[] }): number[] {
  return recent.map(({ id }) => indexOfId('dec', id) ?? 0)
}
