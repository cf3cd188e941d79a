import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Instant } from '@bailiwick/core'
import type { Access } from '@bailiwick/store'
import { deleteKey, getKeys, postKey, postKeyRotation } from './access-routes.ts'
import { asPerson, type HttpEnv } from './asker.ts'
import { newRouter } from './router.ts'
import { withStates } from '../key-state.ts'

/**
 * API keys of agents.
 *
 * @param now by what a key is listed as ended
 */
export function keyRoutes(access: Access, now: () => Instant): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(getKeys, async (context): Promise<Response> => {
    return context.json({ keys: withStates(await access.listKeys(), now()) })
  })

  router.openapi(postKey, async (context): Promise<Response> => {
    const { id: by, session } = asPerson(context.get('asker'))
    const { agent, lifetimeSeconds } = context.req.valid('json')
    return context.json(
      await access.createKey(agent, { lifetimeMs: inMs(lifetimeSeconds), by, session }),
      201,
    )
  })

  router.openapi(postKeyRotation, async (context): Promise<Response> => {
    const { id: by, session } = asPerson(context.get('asker'))
    const { key } = context.req.valid('param')
    const { overlapSeconds, lifetimeSeconds } = context.req.valid('json')
    const rotation = { overlapMs: overlapSeconds * 1000, lifetimeMs: inMs(lifetimeSeconds), by, session }
    return context.json(await access.rotateKey(key, rotation), 201)
  })

  router.openapi(deleteKey, async (context): Promise<Response> => {
    const { id: by, session } = asPerson(context.get('asker'))
    await access.revokeKey(context.req.valid('param').key, { by, session })
    return context.body(null, 204)
  })

  return router
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000
}
