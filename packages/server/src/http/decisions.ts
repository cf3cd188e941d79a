import type { OpenAPIHono } from '@hono/zod-openapi'
import { indexOfId, type DecisionRequest, type JsonObject } from '@bailiwick/core'
import { archivedEnd, type Ledger } from '@bailiwick/store'
import { newRouter } from './router.ts'
import { asAgent, asPerson, type HttpEnv } from './asker.ts'
import { decideBatch, decideSent } from './deciding.ts'
import type { Masking } from './masking.ts'
import type { Readings } from './readings.ts'
import { decisionRetryAfter } from './retry-after.ts'
import {
  getDecision,
  getDecisions,
  getExplanation,
  pageLengthDefault,
  postDecision,
  postDecisionBatch,
  postOutcome,
  postReveal,
} from './routes.ts'

/** Deciding, looking up and explaining decisions, and reporting outcomes. */
export function decisionRoutes(
  ledger: Ledger,
  masking: Masking,
  readings: Readings,
  log: (line: string) => void,
): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(postDecision, async (context): Promise<Response> => {
    const agent = asAgent(context.get('asker'))
    const sent = await context.req.json<DecisionRequest>()
    const answer = await decideSent(ledger, agent, sent)
    return context.json(answer, 200, decisionRetryAfter(answer, ledger.now()))
  })

  router.openapi(postDecisionBatch, async (context): Promise<Response> => {
    const agent = asAgent(context.get('asker'))
    const { calls } = await context.req.json<{ calls: readonly unknown[] }>()
    return context.json(await decideBatch(ledger, agent, calls, log))
  })

  router.openapi(getDecisions, async (context): Promise<Response> => {
    const query = context.req.valid('query')
    const asker = context.get('asker')
    const limit = query.limit ?? pageLengthDefault
    const agent = asker.kind === 'agent' ? asker.agent : query.agent
    const { decisions, next } = await ledger.decisions({ ...query, agent, limit })
    const filter = filterOf(query)
    const isFiltered = Object.keys(filter).length > 0
    const indices = decisions.map(({ record }) => record.index)
    await readings.shown(asker, isFiltered ? 'search' : 'list', indices, isFiltered ? filter : undefined)
    const shown =
      query.brief === undefined
        ? await masking.allShown(decisions, asker)
        : decisions.map((decision) => ({ ...decision, params: null, context: null }))
    return context.json({ decisions: shown, next, ...(await archivedAfter(next, ledger)) })
  })

  router.openapi(getDecision, async (context): Promise<Response> => {
    const asker = context.get('asker')
    const { id } = context.req.valid('param')
    const decision = await ledger.decision(id, asker.kind === 'agent' ? asker.agent : undefined)
    await readings.shown(asker, 'decision', [decision.record.index])
    return context.json(await masking.shown(decision, asker))
  })

  router.openapi(getExplanation, async (context): Promise<Response> => {
    const asker = context.get('asker')
    const { id } = context.req.valid('param')
    const agent = asker.kind === 'agent' ? asker.agent : undefined
    const explanation = await ledger.explain(id, agent)
    await readings.shown(asker, 'decision', [indexOfId('dec', id) ?? 0])
    return context.json(explanation)
  })

  router.openapi(postReveal, async (context): Promise<Response> => {
    const viewer = asPerson(context.get('asker'))
    const { id } = context.req.valid('param')
    const { path, reason } = context.req.valid('json')
    const { value, index } = await ledger.reveal(viewer, { decision: id, path, reason })
    return context.json({ path, value, record: { index } }, 201)
  })

  router.openapi(postOutcome, async (context): Promise<Response> => {
    const agent = asAgent(context.get('asker'))
    const { id } = context.req.valid('param')
    const outcome = context.req.valid('json')
    const { result } = await context.req.json<{ result?: JsonObject }>()
    const { index } = await ledger.reportOutcome(agent, id, { ...outcome, result })
    return context.json({ decision: id, status: outcome.status, record: { index } }, 201)
  })

  return router
}

/** What was searched for, apart from how much of it is told. */
function filterOf(query: Readonly<Record<string, string | number | undefined>>): JsonObject {
  const sought = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || ['limit', 'before', 'brief'].includes(name) ? [] : [[name, value] as const],
  )
  return Object.fromEntries(sought)
}

/** Where the next page starts, or null where this one was the last. */
export function nextPage(indices: readonly number[], limit: number): number | null {
  return indices.length < limit ? null : (indices.at(-1) ?? null)
}

/** What a list says at its end: whether what is older lies in the archive, where it is not looked for. */
export async function archivedAfter(
  next: number | null,
  { pool, name }: Ledger,
): Promise<{ readonly archived?: true }> {
  return next === null && (await archivedEnd(pool, name)) > 0 ? { archived: true } : {}
}
