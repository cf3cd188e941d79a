import { z } from 'zod'
import { bareAddress } from '../approval/person-id.ts'
import { voteChannels } from '../model/vote-channel.ts'
import {
  approvalDeadlineMsMax,
  approvalPromptsMax,
  nameLengthMax,
  standingMsMax,
  standingParamsMax,
  standingUsesMax,
} from '../model/limits.ts'
import { durationMs, timeWindow } from './schema-values.ts'

const approverForm = new RegExp(`^(role:[a-z0-9-]+|group:[^\\s\\p{C}]+|person:${bareAddress})$`, 'u')
const approverError = 'must be role:NAME, group:NAME or person:EMAIL'
const approver = z
  .string({ error: approverError })
  .regex(approverForm, { error: approverError })
  .max(210, { error: 'is too long' })

const approvers = z
  .array(approver, { error: `must be a list; each entry ${approverError}` })
  .max(50, { error: 'must have at most 50 entries' })

const count = z
  .int({ error: 'must be a whole number' })
  .min(1, { error: 'must be at least 1' })
  .max(20, { error: 'must be at most 20' })

const span = durationMs(['s', 'm', 'h', 'd'], approvalDeadlineMsMax)

const escalationError = 'must be a list of maps with after and approvers'
const escalateTo = z
  .array(
    z.strictObject(
      { after: span, approvers: approvers.min(1, { error: 'must name at least one' }) },
      { error: 'must be a map with after and approvers' },
    ),
    { error: escalationError },
  )
  .max(approvalPromptsMax, { error: `must have at most ${approvalPromptsMax} entries` })

const breakGlass = z.strictObject(
  {
    approvers: approvers.min(1, { error: 'must name at least one' }),
    quorum: z
      .int({ error: 'must be a whole number' })
      .min(2, { error: 'must be at least 2: nobody breaks the glass alone' })
      .max(20, { error: 'must be at most 20' })
      .optional(),
  },
  { error: 'must be a map with approvers, and quorum' },
)

const mayDifferError = 'must be a map such as {order_id: any, amount: up_to}'
const standing = z.strictObject(
  {
    uses: z
      .int({ error: 'must be a whole number' })
      .min(1, { error: 'must be at least 1' })
      .max(standingUsesMax, { error: `must be at most ${standingUsesMax}` }),
    lasts: durationMs(['s', 'm', 'h', 'd'], standingMsMax),
    may_differ: z
      .record(
        z.string().min(1).max(nameLengthMax),
        z.enum(['any', 'up_to'], { error: 'must be any, or up_to for a number' }),
        { error: mayDifferError },
      )
      .refine((value) => Object.keys(value).length <= standingParamsMax, {
        error: `must name at most ${standingParamsMax} parameters`,
      })
      .optional(),
  },
  { error: 'must be a map with uses, lasts and may_differ' },
)

const channelsError = `must be a list of ${voteChannels.join(', ')}`
const channels = z
  .array(z.enum(voteChannels, { error: channelsError }), { error: channelsError })
  .min(1, { error: 'must name at least one' })

const excludeError = 'must be a list of policy_author, role:NAME, group:NAME or person:EMAIL'
const flag = z.boolean({ error: 'must be true or false' })

/** What an escalation's `action` means. */
export const route = z.strictObject(
  {
    approvers: approvers.optional(),
    quorum: count.optional(),
    quorum_of: z
      .record(approver, count, { error: 'must be a map such as {role:finance: 1, role:legal: 1}' })
      .refine((value) => Object.values(value).reduce((sum, each) => sum + each, 0) <= 20, {
        error: 'must ask for at most 20 people',
      })
      .optional(),
    deadline: span.optional(),
    escalate_to: escalateTo.optional(),
    remind: z
      .array(span, { error: 'must be a list of lengths of time such as [1m, 3m]' })
      .max(approvalPromptsMax, { error: `must have at most ${approvalPromptsMax} entries` })
      .optional(),
    hours: timeWindow.optional(),
    exclude: z
      .array(z.union([z.literal('policy_author'), approver], { error: excludeError }), {
        error: excludeError,
      })
      .max(50, { error: 'must have at most 50 entries' })
      .optional(),
    asks: z.enum(['consent', 'acknowledgement'], { error: 'must be consent or acknowledgement' }).optional(),
    signed: flag.optional(),
    channels: channels.optional(),
    survives_policy_change: flag.optional(),
    break_glass: breakGlass.optional(),
    standing: standing.optional(),
  },
  { error: 'must be a map with approvers, quorum, deadline and the like' },
)

/** The people who wrote a policy. */
export const authors = z
  .array(z.string().regex(new RegExp(`^${bareAddress}$`, 'u'), { error: 'must be an e-mail address' }), {
    error: 'must be a list of e-mail addresses',
  })
  .max(50, { error: 'must have at most 50 entries' })
