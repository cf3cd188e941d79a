import type { OpenAPIHono } from '@hono/zod-openapi'
import { Fault, type CompiledPolicy } from '@bailiwick/core'
import { listPolicies, type Ledger } from '@bailiwick/store'
import { asPerson, type HttpEnv } from './asker.ts'
import type { Masking } from './masking.ts'
import { newRouter } from './router.ts'
import { getPolicies, getPolicy } from './routes.ts'

/** The policies, for people to read. */
export function policyRoutes(ledger: Ledger, masking: Masking): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(getPolicies, async (context): Promise<Response> => {
    asPerson(context.get('asker'))
    return context.json({ policies: await listPolicies(ledger.pool, ledger.name, ledger.policies) })
  })

  router.openapi(getPolicy, async (context): Promise<Response> => {
    asPerson(context.get('asker'))
    const { policy: sha256 } = context.req.valid('param')
    const inForce = ledger.policies.all.find(({ ref }) => ref.sha256 === sha256)
    const policy = inForce ?? (await earlierPolicy(ledger, masking, sha256))
    const { ref, source, parents } = policy
    return context.json({ policy: ref, inForce: inForce !== undefined, source, parents })
  })

  return router
}

async function earlierPolicy(ledger: Ledger, masking: Masking, sha256: string): Promise<CompiledPolicy> {
  const listed = await listPolicies(ledger.pool, ledger.name, ledger.policies)
  const found = listed.flatMap(({ earlier }) => earlier).find(({ policy }) => policy.sha256 === sha256)
  const policy = found && (await masking.policyOf(found.policy))
  if (policy !== undefined) return policy
  throw new Fault('not_found', 'no policy of this hash is in force, nor was one recorded', {
    fix: 'See /v1/policies; the hash is that of the policy with all that it extends.',
  })
}
