import { z } from '@hono/zod-openapi'
import { faultCodes } from '@bailiwick/core'
import { problemType } from './problems.ts'

/** What is wrong with a request, or why it got no answer: a problem document (RFC 9457). */
export const problemDocument = z
  .object({
    type: z
      .enum(faultCodes.map(problemType))
      .openapi({ description: 'Stable.', example: 'urn:bailiwick:problem:not_found' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    fix: z.string().openapi({ description: 'What the caller can do next.' }),
    recorded: z.enum(['no', 'unknown']).optional().openapi({
      description:
        'With 5xx, of what was to be recorded: `no`, it is certainly not in the log; `unknown`, it may be. Nothing runs either way.',
    }),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem')
