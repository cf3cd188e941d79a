import { createRoute as createDescribed, type RouteConfig, type z } from '@hono/zod-openapi'
import { mayDo, others, roles, type Permission } from './permissions.ts'
import { problemDocument } from './problem-schema.ts'

/** What a route says of who may use it: a permission, or that anyone may, unauthenticated. */
export type RoutePermission = Permission | 'anyone'

type Described<Path extends string> = Omit<RouteConfig, 'path' | 'security'> & {
  readonly path: Path
  readonly 'x-permission': RoutePermission
}

/**
 * Describes an endpoint together with the permission that it takes. How callers authenticate follows from who has
 * that permission. An endpoint that is described otherwise is answered to nobody.
 */
export function createRoute<Path extends string, const Config extends Described<Path>>(
  config: Config & Described<Path>,
) {
  const security = securityOf(config['x-permission'])
  if (security === undefined) return createDescribed<Path, Config>(config)
  // Whoever reads too much at once is refused before it is looked at what.
  const responses = config.method === 'get' ? { ...config.responses, ...problems(429) } : config.responses
  return Object.assign(createDescribed<Path, Config>({ ...config, responses }), { security })
}

function securityOf(permission: RoutePermission): Record<string, string[]>[] | undefined {
  if (permission === 'anyone') return undefined
  const people = [...roles, ...others.filter((actor) => actor !== 'agent')]
  return [
    ...(mayDo('agent', permission) ? [{ agentKey: [] }] : []),
    ...(people.some((actor) => mayDo(actor, permission)) ? [{ session: [] }] : []),
  ]
}

/** An answer in the description. */
export interface DescribedAnswer {
  readonly description: string
  readonly content?: Readonly<Record<string, { readonly schema: z.ZodType }>>
}

// Typed as loosely as this on purpose: the views of the store are the contract, and a test holds every
// answer against its schema.
/** The answers of an endpoint: the good one, and problems. */
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
    429: 'Too many tries, or too many requests at once; try again after `Retry-After`',
    422: 'This version cannot read the policy as it was recorded',
    413: 'Too large',
    503: 'Store busy or unavailable: nothing runs; try again after `Retry-After`',
  }
  const content = { 'application/problem+json': { schema: problemDocument } }
  return Object.fromEntries(
    statuses.map((status) => [status, { description: description[status] ?? '', content }]),
  )
}
