import type { OpenAPIHono } from '@hono/zod-openapi'
import { indexOfId } from '@bailiwick/core'
import type { Access, ApprovalAsker, ApprovalWaits, Ledger } from '@bailiwick/store'
import { personAsking } from '../identity/person-asking.ts'
import { newRouter } from './router.ts'
import { asPerson, goesOn, sessionHasEnded, type Asker, type HttpEnv } from './asker.ts'
import { indicesOf } from './agents.ts'
import { approvalContext } from './approval-context.ts'
import { archivedAfter, nextPage } from './decisions.ts'
import type { Masking } from './masking.ts'
import type { Readings } from './readings.ts'
import { retryAfter } from './retry-after.ts'
import {
  getApproval,
  getApprovalContext,
  getApprovals,
  pageLengthDefault,
  postCancellation,
  postVote,
} from './routes.ts'

const nobody = { id: undefined, session: undefined }

/** Approvals and the votes on them. */
export function approvalRoutes(
  ledger: Ledger,
  access: Access,
  waits: ApprovalWaits,
  masking: Masking,
  readings: Readings,
): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(getApprovals, async (context): Promise<Response> => {
    const query = context.req.valid('query')
    const asker = context.get('asker')
    const limit = query.limit ?? pageLengthDefault
    const seen = await seenBy(asker, ledger, access)
    const approvals = await ledger.approvals({ ...query, limit, agent: seen.agent }, seen)
    const indices = approvals.map(({ id }) => indexOfId('apr', id) ?? 0)
    await readings.shown(asker, 'list', indices)
    const next = nextPage(indices, limit)
    return context.json({
      approvals: await masking.allShown(approvals, asker),
      next,
      ...(await archivedAfter(next, ledger)),
    })
  })

  router.openapi(getApproval, async (context): Promise<Response> => {
    const { id } = context.req.valid('param')
    const { wait = 0 } = context.req.valid('query')
    const asker = context.get('asker')
    const seen = await seenBy(asker, ledger, access)
    const approval = await waits.wait(id, wait, seen, context.req.raw.signal)
    if (wait > 0 && !(await goesOn(access, asker))) throw sessionHasEnded()
    await readings.shown(asker, 'approval', [indexOfId('apr', id) ?? 0])
    return context.json(await masking.shown(approval, asker), 200, retryAfter(approval.retryAt, ledger.now()))
  })

  router.openapi(getApprovalContext, async (context): Promise<Response> => {
    const asker = context.get('asker')
    const voter = asPerson(asker)
    const { id } = context.req.valid('param')
    const approval = await ledger.approval(id, { voter })
    const told = await approvalContext({ ledger, access, masking }, approval, asker, voter)
    const shown = [indexOfId('apr', id) ?? 0, ...(told.similar === null ? [] : [told.similar.index])]
    await readings.shown(asker, 'decision', shown)
    await readings.shown(asker, 'list', indicesOf(told.body.history))
    return context.json(told.body)
  })

  router.openapi(postVote, async (context): Promise<Response> => {
    const asker = context.get('asker')
    const { id } = context.req.valid('param')
    await ledger.vote(asPerson(asker), id, { ...context.req.valid('json'), channel: 'console' })
    const approval = await ledger.approval(id, await seenBy(asker, ledger, access))
    return context.json(await masking.shown(approval, asker), 201)
  })

  router.openapi(postCancellation, async (context): Promise<Response> => {
    const asker = context.get('asker')
    const { id } = context.req.valid('param')
    const { reason } = context.req.valid('json')
    const agent = asker.kind === 'agent' ? asker.agent : undefined
    const { id: by, session } = asker.kind === 'person' ? asPerson(asker) : nobody
    await ledger.cancel(id, { agent, by, reason, session })
    const approval = await ledger.approval(id, await seenBy(asker, ledger, access))
    return context.json(await masking.shown(approval, asker), 201)
  })

  return router
}

async function seenBy(asker: Asker, ledger: Ledger, access: Access): Promise<ApprovalAsker> {
  return asker.kind === 'agent' ? { agent: asker.agent } : await personAsking(asker.voter, ledger, access)
}
