import { z } from '@hono/zod-openapi'
import { commentLengthMax } from '@bailiwick/core'
import { mustBe, onlyKnown, text } from './schema-parts.ts'

/** What is to be erased, and why. */
export const erasureRequest = z
  .strictObject(
    {
      decision: text(40).optional().openapi({ description: 'A decision on the call.', example: 'dec_12' }),
      subject: z
        .union([text(2000), z.number()], mustBe('a string or a number'))
        .optional()
        .openapi({ description: "A value of what the policy's `subject` names. In place of `decision`." }),
      reason: text(commentLengthMax).openapi({
        description: 'Recorded, and not erased: leave out the person.',
        example: 'request 17',
      }),
      dryRun: z.boolean(mustBe('true or false')).optional(),
    },
    onlyKnown,
  )
  .refine(({ decision, subject }) => (decision === undefined) !== (subject === undefined), {
    error: 'must have either `decision` or `subject`',
  })
  .openapi('ErasureRequest')

const indices = z.array(z.int())

export const erasureAnswer = z
  .object({
    erased: indices.openapi({ description: 'The records whose payloads were erased.' }),
    before: z.int().openapi({
      description:
        'How many payloads were found erased already. Of a subject mostly 0, also where it was erased before: what a person is found by goes with the erasure.',
    }),
    recordedAs: indices.openapi({ description: 'The records that say so.' }),
    archived: indices.openapi({ description: 'Records that are in cold storage.' }),
    keys: z.array(z.string()).openapi({
      description:
        'The ids of the keys of the person that were destroyed: what was sealed with them cannot be read any more, wherever it is.',
    }),
    vacuumed: z.boolean().openapi({ description: 'Whether the space they took was freed.' }),
  })
  .openapi('Erasure')

export const signedNote = z
  .string()
  .openapi({ example: 'bailiwick.local/main\n42\nroot hash…\n\n— bailiwick.local/main signature…\n' })

export const htmlPage = z.string().openapi({ example: '<!doctype html>…' })

export const script = z.string().openapi({ example: 'export async function verifyText(text, trustedKeys) …' })

const tilePath = z.string().openapi({
  description:
    'Its index in groups of three digits, such as `067` or `x001/x234/067`; for a partial one with `.p/` and its width, such as `067.p/8`.',
  example: '000.p/5',
})

export const tileParam = z.object({
  level: z
    .string()
    .openapi({ description: '0 to 63: a hash of level L stands for 256^L records.', example: '0' }),
  path: tilePath,
})

export const entriesParam = z.object({ path: tilePath })

export const tile = z.string().openapi({ format: 'binary' })

const hash = z.string().openapi({ example: 'tK1Rg41EaQcZcEgwA47njPZsIFGFKyDXsG7E+5xHL2g=' })

export const proofBundle = z
  .object({
    format: z.literal('bailiwick-proof-bundle/v1'),
    index: z.int(),
    record: z.string().openapi({ description: 'Its text, exactly as it was hashed.' }),
    payload: z.object({ state: z.enum(['withheld', 'erased', 'none']) }),
    size: z.int().openapi({ description: 'Of the tree that the proof is for.' }),
    proof: z.array(hash).openapi({ description: 'By RFC 9162, nearest the leaf first.' }),
    checkpoint: z.string().nullable().openapi({ description: 'Null where another `size` was asked for.' }),
    verifierKeys: z.array(z.string()),
  })
  .openapi('ProofBundle')

export const consistencyProof = z
  .object({ from: z.int(), to: z.int(), fromRoot: hash, toRoot: hash, proof: z.array(hash) })
  .openapi('ConsistencyProof')
