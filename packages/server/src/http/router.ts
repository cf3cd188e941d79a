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
      const { target } = result
      const { issues } = result.error
      const errors: FieldError[] = issues.map(({ path, message }) => ({
        path: fieldPath([target, ...path]),
        message,
      }))
      const [first] = issues
      const field = fieldPath(first?.path ?? [])
      const what = field === '' ? (wholes[target] ?? 'the request') : `\`${field}\``
      const fault = new Fault('bad_input', `${what} ${first?.message ?? 'is wrong'}`, {
        fix: 'Correct the request; /openapi.json describes it.',
      })
      return problem(context, fault, errors)
    },
  })
}
