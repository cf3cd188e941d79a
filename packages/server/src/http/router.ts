import { OpenAPIHono } from '@hono/zod-openapi'
import { Fault } from '@bailiwick/core'
import type { HttpEnv } from './asker.ts'
import { fieldPath } from '../json/field-path.ts'
import { problem, type FieldError } from './problems.ts'

/** What a validator looks at, in words. */
const wholes: Readonly<Record<string, string>> = {
  json: 'the request body',
  query: 'the query',
  param: 'the address',
}

/** A router whose validation errors are problem documents. */
export function newRouter(): OpenAPIHono<HttpEnv> {
  return new OpenAPIHono<HttpEnv>({
    defaultHook: (result, context) => {
      if (result.success) return undefined
      const { fault, errors } = invalid(result.target, result.error.issues)
      return problem(context, fault, errors)
    },
  })
}

/**
 * What validators found, as a fault and field by field.
 *
 * @param target the part of the request, as validators call it
 * @param steps the way to what was validated, where it was not all of that part
 */
export function invalid(
  target: string,
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
  steps: readonly PropertyKey[] = [],
): { readonly fault: Fault; readonly errors: readonly FieldError[] } {
  const errors = issues.map(({ path, message }) => ({
    path: fieldPath([target, ...steps, ...path]),
    message,
  }))
  const [first] = issues
  const field = fieldPath([...steps, ...(first?.path ?? [])])
  const what = field === '' ? (wholes[target] ?? 'the request') : `\`${field}\``
  const fault = new Fault('bad_input', `${what} ${first?.message ?? 'is wrong'}`, {
    fix: 'Correct the request; /openapi.json describes it.',
  })
  return { fault, errors }
}
