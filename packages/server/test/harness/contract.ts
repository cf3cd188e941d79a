import type { z } from '@hono/zod-openapi'
import { expect } from 'vitest'
import type { RoutePermission } from '../../src/http/route.ts'
import * as routes from '../../src/http/routes.ts'
import { problemDocument } from '../../src/http/schemas.ts'

/** An endpoint as `/openapi.json` describes it. */
export interface DescribedRoute {
  readonly method: string
  readonly path: string
  readonly security?: readonly object[]
  readonly 'x-permission': RoutePermission
  readonly request?: { readonly body?: object }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: z.ZodType }>> }>
  >
}

/** Every endpoint that the API describes. */
export const describedRoutes: readonly DescribedRoute[] = Object.values<unknown>(routes).filter(
  (value): value is DescribedRoute => typeof value === 'object' && value !== null && 'responses' in value,
)

/** An answer as it came. */
export interface SeenAnswer {
  readonly method: string
  readonly pathname: string
  readonly status: number
  readonly type: string
  readonly text: string
}

/** The endpoint that a request met, or undefined where none is described. */
export function routeOf(method: string, pathname: string): DescribedRoute | undefined {
  const found = describedRoutes.filter((route) => {
    // The address of a tile has slashes.
    const pattern = route.path.replaceAll('{path}', '.+').replaceAll(/\{[a-z]+\}/g, '[^/]+')
    return route.method === method.toLowerCase() && new RegExp(`^${pattern}$`).test(pathname)
  })
  // The one that leaves least open, as OpenAPI says it.
  return found.sort((one, other) => openIn(one) - openIn(other))[0]
}

function openIn({ path }: DescribedRoute): number {
  return path.split('{').length
}

/** Fails the test where an answer is not one that `/openapi.json` promises, to the last field. */
export function holdToContract({ method, pathname, status, type, text }: SeenAnswer): void {
  const route = routeOf(method, pathname)
  const what = `${method} ${pathname} → ${status} ${text.slice(0, 500)}`
  if (status >= 400) {
    expect(type, what).toBe('application/problem+json')
    const problem = problemDocument.parse(JSON.parse(text))
    expect(problem, what).toEqual(JSON.parse(text))
    expect(problem.status, what).toBe(status)
    expect(problem.type, what).toMatch(/^urn:bailiwick:problem:[a-z_]+$/)
  }
  if (route === undefined) return
  const declared = route.responses[status]
  expect(declared, `${what}: a status that the description does not name`).toBeDefined()
  const content = Object.entries(declared?.content ?? {})
  if (content.length === 0) expect(text, what).toBe('')
  for (const [declaredType, { schema }] of content) {
    expect(type.split(';')[0], what).toBe(declaredType)
    const body: unknown = declaredType.endsWith('json') ? JSON.parse(text) : text
    // Schemas strip what they do not know, so a difference is a field that nobody described.
    expect(schema.parse(body), what).toEqual(body)
  }
}
