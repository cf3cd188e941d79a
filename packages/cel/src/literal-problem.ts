import { labelOf } from './label.ts'
import type { CallNode, CelProblem } from './syntax.ts'
import type { CelFailure } from './value.ts'

/** What is wrong with a literal that a function cannot use. */
export function literalProblem(node: CallNode, offset: number, failure: CelFailure): CelProblem {
  switch (node.name) {
    case 'matches':
      return {
        offset,
        message: `the pattern is not a valid RE2 regular expression: it ${failure.message}`,
        fix: 'RE2 has no lookaround and no backreferences',
      }
    case 'timestamp':
      return {
        offset,
        message: `${labelOf(node)} is not a time`,
        fix: 'write it as "2030-01-31T00:00:00Z"',
      }
    case 'duration':
      return {
        offset,
        message: `${labelOf(node)} is not a span of time`,
        fix: 'write it as "90m" or "1h30m"; the units are h, m, s, ms, us, ns',
      }
    default:
      return zoneOrOther(node, offset, failure)
  }
}

function zoneOrOther(node: CallNode, offset: number, failure: CelFailure): CelProblem {
  if (failure.message.includes('time zone')) {
    const fix = 'write it as "Europe/Berlin", "+02:00" or "UTC"'
    return { offset, message: 'the time zone is unknown', fix }
  }
  const message = `this argument of \`${node.name}\` ${failure.message}`
  return { offset, message, fix: fixes.get(node.name) ?? 'correct it' }
}

const fixes: ReadonlyMap<string, string> = new Map([
  ['ipInRange', 'write the network and its prefix, as in "10.0.0.0/8" or "2001:db8::/32"'],
  ['hostMatches', 'write one name, or `*.` and a name for all names below it'],
  ['semverMatches', 'write whole versions, as in "^1.2.3" or ">=1.2.0 <2.0.0"'],
])
