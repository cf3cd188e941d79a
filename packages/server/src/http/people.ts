import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Access, PolicySet } from '@bailiwick/store'
import {
  deletePerson,
  deletePersonSessions,
  getPeople,
  postPerson,
  postReset,
  postSignInLink,
} from './access-routes.ts'
import { asPerson, type HttpEnv } from './asker.ts'
import { newRouter } from './router.ts'
import { KnownRoles } from '../roles.ts'

/**
 * People who may sign in.
 *
 * @param policies those in force, which say which roles there are beside the service's own
 * @param linkBase the address that people use, or undefined: then links bear that of the request
 */
export function peopleRoutes(
  access: Access,
  policies: PolicySet,
  linkBase: string | undefined,
): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(getPeople, async (context): Promise<Response> => {
    return context.json({ people: await access.listPeople() })
  })

  router.openapi(postPerson, async (context): Promise<Response> => {
    const { id: by, session } = asPerson(context.get('asker'))
    const { id, roles } = context.req.valid('json')
    const wanted = [...new Set(roles)]
    new KnownRoles(policies.all).checked(wanted)
    return context.json(await access.setPerson(id, wanted, { by, session }), 201)
  })

  router.openapi(deletePerson, async (context): Promise<Response> => {
    const { id: by, session } = asPerson(context.get('asker'))
    await access.removePerson(context.req.valid('param').person, { by, session })
    return context.body(null, 204)
  })

  router.openapi(postSignInLink, async (context): Promise<Response> => {
    const { id: by, session } = asPerson(context.get('asker'))
    const id = await access.known(context.req.valid('param').person)
    const token = await access.createSignInToken(id, { by, session })
    const base = linkBase ?? new URL(context.req.url).origin
    return context.json({ id, url: `${base}/sign-in#token=${token}` }, 201)
  })

  router.openapi(postReset, async (context): Promise<Response> => {
    const { id: by, session } = asPerson(context.get('asker'))
    await access.reset(context.req.valid('param').person, { by, session })
    return context.body(null, 204)
  })

  router.openapi(deletePersonSessions, async (context): Promise<Response> => {
    const { id: by, session } = asPerson(context.get('asker'))
    await access.endSessions(context.req.valid('param').person, { by, session })
    return context.body(null, 204)
  })

  return router
}
