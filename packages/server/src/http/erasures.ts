import type { OpenAPIHono } from '@hono/zod-openapi'
import { Fault } from '@bailiwick/core'
import type { Ledger } from '@bailiwick/store'
import { asPerson, type HttpEnv } from './asker.ts'
import { newRouter } from './router.ts'
import { postErasure } from './routes.ts'

/** Erasing: what cannot be undone is for administrators alone. */
export function erasureRoutes(ledger: Ledger): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  router.openapi(postErasure, async (context): Promise<Response> => {
    const { id: by, session } = asPerson(context.get('asker'))
    const { decision, subject, reason, dryRun } = context.req.valid('json')
    const target = decision === undefined ? subjectTarget(subject) : { decision }
    return context.json(await ledger.erase({ target, reason, by, dryRun, session }), 201)
  })
  return router
}

function subjectTarget(subject: string | number | undefined): { readonly subject: string | number } {
  if (subject !== undefined) return { subject }
  throw new Fault('bad_input', 'the request body says not what to erase', {
    fix: 'Send either `decision`, the id of a decision, or `subject`, such as a customer id.',
  })
}
