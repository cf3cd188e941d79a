import { OpenAPIHono } from '@hono/zod-openapi'
import { Fault } from '@bailiwick/core'
import type { HttpEnv } from './asker.ts'
import { problem, type FieldError } from './problems.ts'

/** A router whose validation errors are problem documents. */
export function newRouter(): OpenAPIHono<HttpEnv> {
  return new OpenAPIHono<HttpEnv>({
    defaultHook: (result, context) => {
      if (result.success) return undefined
      const errors: FieldError[] = result.error.issues.map((issue) => ({
        path: [result.target, ...issue.path].join('.'),
        message: issue.message,
      }))
      const first = errors[0]
      const fault = new Fault('bad_input', `\`${first?.path ?? ''}\`: ${first?.message ?? 'wrong'}`, {
        fix: 'Correct the request; /openapi.json describes it.',
      })
      return problem(context, fault, errors)
    },
  })
}
