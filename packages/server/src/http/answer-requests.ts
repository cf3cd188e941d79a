import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { DecisionAnswer, DecisionRequest, Instant } from '@bailiwick/core'
import type { Access } from '@bailiwick/store'
import { agentAdmission, agentAuthentication, lookedUp } from '../identity/agent-tokens.ts'
import { createApp, type AppParts } from './app.ts'
import { decideBatch, decideSent, isPlainlyRequest, type Deciding } from './deciding.ts'
import { DecisionTexts } from './decision-text.ts'
import { fastPath, type FastAnswer, type FastPath, type FastText } from './fast-path.ts'
import { decisionRetryAfter } from './retry-after.ts'
import { postDecision, postDecisionBatch } from './routes.ts'
import { batchRequest, decisionRequest } from './schemas.ts'

/** All that the service answers over HTTP: decisions on the fast path, everything else by the app. */
export async function answerRequests(parts: AppParts): Promise<RequestListener> {
  const app = createApp(parts)
  const { log } = parts
  const headers = await headersOfEveryAnswer(app)
  const paths = decisionPaths(parts, log)
  return fastPath({ headers, paths, log }, listenerOf(app))
}

/** The app as Node calls it. */
export function listenerOf(app: ReturnType<typeof createApp>): RequestListener {
  const listener = getRequestListener(app.fetch)
  return (incoming, outgoing) => {
    // It answers whatever goes wrong, and does not reject.
    void listener(incoming, outgoing)
  }
}

/** What deciding over HTTP is made of. */
export interface DecidingParts extends Pick<AppParts, 'agentTokens'> {
  readonly access: Pick<Access, 'agentOf' | 'admissionOf'>
  readonly ledger: Deciding
}

/** How the fast path answers, by path. What is not as described is the app's to refuse. */
export function decisionPaths(
  { ledger, access, agentTokens }: DecidingParts,
  log: (line: string) => void,
): Map<string, FastPath> {
  const agentOf = agentAuthentication(access, agentTokens)
  const texts = new DecisionTexts()
  const single: FastAnswer = ({ agent, key }, body) =>
    isPlainlyRequest(body) || decisionRequest.safeParse(body).success
      ? decideSent(ledger, agent, body as DecisionRequest, key).then((answer) =>
          answered(answer, texts, ledger.now()),
        )
      : undefined
  const batch: FastAnswer = ({ agent }, body) =>
    batchRequest.safeParse(body).success
      ? decideBatch(ledger, agent, (body as { calls: readonly unknown[] }).calls, log).then((answer) =>
          texts.batch(answer),
        )
      : undefined
  return new Map([
    [postDecision.path, { admissionOf: agentAdmission(access, agentTokens), answer: single }],
    // Of several calls some may be recorded and others not: they come with a key that was looked up.
    [postDecisionBatch.path, { admissionOf: (key) => agentOf(key).then(lookedUp), answer: batch }],
  ])
}

// Most answers have no header of their own.
function answered(answer: DecisionAnswer, texts: DecisionTexts, now: Instant): FastText {
  const written = texts.written(answer)
  return answer.approval === undefined ? written : { ...written, headers: decisionRetryAfter(answer, now) }
}

/** What the app sends with everything below `/v1/`, asked of the app itself, so that there is one list. */
export async function headersOfEveryAnswer(
  app: ReturnType<typeof createApp>,
): Promise<Readonly<Record<string, string>>> {
  const { headers } = await app.request('/v1/')
  const own = new Set(['content-type', 'content-length', 'www-authenticate'])
  return Object.fromEntries([...headers].filter(([name]) => !own.has(name)))
}
