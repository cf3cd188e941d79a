import type { JsonObject } from '@bailiwick/core'

/** The fields of a row that a policy may be shown. Everything else in the data is part of the answer key. */
export const permittedFields = ['tool', 'args', 'agent', 'context'] as const

/** One tool call as a policy may see it. Its id stays outside: ids in the data tell tasks from attacks. */
export interface PermittedCall {
  readonly tool: string
  readonly args: JsonObject
  readonly agent?: string
  readonly context: JsonObject
}

/**
 * The call in a row of the data, made anew from the permitted fields. What else the row holds, such as `kind`,
 * `expected` or `clause`, cannot reach a policy, whatever the row adds in future: fields are taken by name, never spread.
 *
 * @throws TypeError for a row whose permitted fields are no call
 */
export function permittedCall(row: JsonObject): PermittedCall {
  const { tool, args, agent } = row
  const context = row['context'] ?? {}
  if (typeof tool !== 'string') throw new TypeError('a row has no `tool`')
  if (!isObject(args)) throw new TypeError(`the \`args\` of a row for \`${tool}\` are no map`)
  if (!isObject(context)) throw new TypeError(`the \`context\` of a row for \`${tool}\` is no map`)
  if (agent !== undefined && typeof agent !== 'string') {
    throw new TypeError(`the \`agent\` of a row for \`${tool}\` is no text`)
  }
  return { tool, args, ...(agent === undefined ? {} : { agent }), context }
}

/** Whether a JSON value is a map. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
