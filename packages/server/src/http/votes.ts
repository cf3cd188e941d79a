import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Voter } from '@bailiwick/core'
import type { Ledger, VoteRequest } from '@bailiwick/store'
import { asPerson, type HttpEnv } from './asker.ts'
import { problemDocumentOf, saysWhetherRecorded, toldFault, type ProblemDocument } from './problems.ts'
import { newRouter } from './router.ts'
import { postVotes } from './routes.ts'

/** One of several votes that are sent at once. */
type SentVote = VoteRequest & { readonly approval: string }

/** What became of it. */
interface CastVote {
  readonly approval: string
  /** Where the approval stands after the vote. */
  readonly status: string
}

/** Several votes in one request: each is a vote of its own, on its own digest. */
export function voteRoutes(ledger: Ledger, log: (line: string) => void): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  router.openapi(postVotes, async (context): Promise<Response> => {
    const voter = asPerson(context.get('asker'))
    const { votes } = context.req.valid('json')
    // What many votes have met is one line for the operator.
    const lines = new Set<string>()
    const answers = await Promise.all(
      votes.map((sent) => castOne(ledger, voter, sent, (line) => lines.add(line))),
    )
    for (const line of lines) log(line)
    return context.json({ votes: answers })
  })
  return router
}

async function castOne(
  ledger: Ledger,
  voter: Voter,
  { approval, ...request }: SentVote,
  log: (line: string) => void,
): Promise<CastVote | ProblemDocument> {
  try {
    return { approval, status: await ledger.vote(voter, approval, { ...request, channel: 'console' }) }
  } catch (error) {
    return problemDocumentOf(saysWhetherRecorded(toldFault(error, log)))
  }
}
