import type { JsonObject } from '../model/json.ts'
import { personIdOf } from './person-id.ts'

/**
 * The people on whose behalf a call was made, as its host has said in `context.principal`. They may not vote on it.
 *
 * @param payload the decision's payload, as it is recorded
 */
export function principalsIn(payload: string): readonly string[] {
  const body: unknown = JSON.parse(payload)
  const named = listOf(memberOf(memberOf(body, 'context'), 'principal'))
  return named.flatMap((each) => (typeof each === 'string' ? (personIdOf(each) ?? []) : []))
}

/**
 * Why nobody can tell on whose behalf a call is made: `context.principal` is there and neither an e-mail address nor a list
 * of them. Undefined where it is well, or absent, null or an empty list, which all name nobody.
 */
export function principalProblem(context: JsonObject): string | undefined {
  const named = memberOf(context, 'principal')
  if (named === undefined) return undefined
  const isKnown = (each: unknown): boolean => typeof each === 'string' && personIdOf(each) !== undefined
  if (listOf(named).every(isKnown)) return undefined
  return 'context.principal must be an e-mail address such as ann@example.com, or a list of them'
}

function listOf(named: unknown): readonly unknown[] {
  if (named === undefined || named === null) return []
  return Array.isArray(named) ? named : [named]
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}
