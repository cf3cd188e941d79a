import type { z } from '@hono/zod-openapi'
import { problemDocument } from './schemas.ts'

/** An agent's key. */
export const agentKey = [{ agentKey: [] }]
/** A person's session. */
export const session = [{ session: [] }]
/** Either of them. */
export const anyone = [{ agentKey: [] }, { session: [] }]

/** An answer in the description. */
export interface DescribedAnswer {
  readonly description: string
  readonly content?: Readonly<Record<string, { readonly schema: z.ZodType }>>
}

/**
 * What an endpoint answers: this, or a problem with one of these statuses. Typed as loosely as this on purpose: the views
 * of the store are the contract, and a test holds every answer against the schemas.
 */
export function answers(
  status: number,
  answer: DescribedAnswer,
  ...problemStatuses: readonly number[]
): Record<string, DescribedAnswer> {
  return { [status]: answer, ...problems(...problemStatuses) }
}

/** An answer in JSON. */
export function json(content: z.ZodType, description: string): DescribedAnswer {
  return { description, content: { 'application/json': { schema: content } } }
}

/** A request's body in JSON. */
export function body<Schema extends z.ZodType>(content: Schema) {
  return { required: true, content: { 'application/json': { schema: content } } } as const
}

function problems(...statuses: readonly number[]) {
  const description: Record<number, string> = {
    400: 'Bad input',
    401: 'Not authenticated',
    403: 'Not permitted',
    404: 'Not found',
    409: 'Conflict with what is recorded',
    410: 'What the answer would be made from has been erased',
    422: 'This version cannot read the policy as it was recorded',
    413: 'Too large',
    503: 'Store busy or unavailable: nothing runs; try again after `Retry-After`',
  }
  const content = { 'application/problem+json': { schema: problemDocument } }
  return Object.fromEntries(
    statuses.map((status) => [status, { description: description[status] ?? '', content }]),
  )
}
