/**
 * The people on whose behalf a call was made, as its host has said in `context.principal`: an e-mail address or a list of
 * them, lower case. They may not vote on it.
 *
 * @param payload the decision's payload, as it is recorded
 */
export function principalsIn(payload: string): readonly string[] {
  const body: unknown = JSON.parse(payload)
  const context = memberOf(body, 'context')
  const named = memberOf(context, 'principal')
  const list: readonly unknown[] = Array.isArray(named) ? named : [named]
  return list.flatMap((each) => (typeof each === 'string' ? [each.trim().toLowerCase()] : []))
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}
