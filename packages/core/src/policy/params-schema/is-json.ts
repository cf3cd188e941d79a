import { payloadDepthMax } from '../../model/limits.ts'

/** Whether a value is JSON all the way down: no NaN, infinity or undefined, and no deeper than a call may nest. */
export function isJson(value: unknown): boolean {
  return isJsonWithin(value, payloadDepthMax)
}

function isJsonWithin(value: unknown, depthLeft: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value)
    case 'object':
      return value === null || (depthLeft > 0 && membersAreJson(value, depthLeft - 1))
    default:
      return false
  }
}

function membersAreJson(value: object, depthLeft: number): boolean {
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) if (!isJsonWithin(value[at], depthLeft)) return false
    return true
  }
  const members = value as Readonly<Record<string, unknown>>
  for (const name in members) {
    if (Object.hasOwn(members, name) && !isJsonWithin(members[name], depthLeft)) return false
  }
  return true
}
