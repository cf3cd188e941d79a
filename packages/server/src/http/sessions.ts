import type { OpenAPIHono } from '@hono/zod-openapi'
import { personId, type Access } from '@bailiwick/store'
import { deleteOneSession, getSessions } from './access-routes.ts'
import { asPerson, asSession, type HttpEnv } from './asker.ts'
import { mayAsker, requirePermission } from './guard.ts'
import { newRouter } from './router.ts'

/** Sessions that go on, and ending them one by one. */
export function sessionListRoutes(access: Access): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(getSessions, async (context): Promise<Response> => {
    const asker = asSession(context.get('asker'))
    const { person = asker.voter.id } = context.req.valid('query')
    if (person !== asker.voter.id) requirePermission(asker, 'access:read')
    const sessions = await access.sessions.list(person === '*' ? undefined : personId(person))
    return context.json({
      sessions: sessions.map((session) => ({ ...session, isThis: session.id === asker.session.id })),
    })
  })

  router.openapi(deleteOneSession, async (context): Promise<Response> => {
    const asker = asSession(context.get('asker'))
    const { session } = context.req.valid('param')
    const { id: by, session: from } = asPerson(asker)
    // Of whose session it is, nobody else is told: it is not found.
    await access.sessions.end(
      session,
      mayAsker(asker, 'access:change') ? { by, session: from } : { of: by, session: from },
    )
    return context.body(null, 204)
  })

  return router
}
