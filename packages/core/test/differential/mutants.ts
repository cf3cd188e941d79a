/**
 * Mistakes that the differential test has to notice. Each is made in a copy of the sources (mutated-engine.ts) by
 * replacing a text that must occur there exactly once.
 *
 * How to point a mutant at rewritten code: the test fails and names the mutant, the file and the text that is no
 * longer there. Find the line that does now what `breaks` describes, copy it into `find` with enough around it to be
 * unique, and write into `replace` what the line would be with the mistake in it. The result has to compile, and it
 * has to be the mistake that `breaks` describes: a mutant that throws, or that refuses policies, does not count. If
 * the product does not do any longer what a mutant breaks, remove the mutant in the same change.
 */
export interface Mutant {
  readonly id: string
  /** The mistake, as somebody could make it. */
  readonly breaks: string
  readonly changes: readonly SourceChange[]
}

export interface SourceChange {
  /** Relative to the folder `packages`. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

const decideFile = 'core/src/decision/decide.ts'
const planFile = 'core/src/decision/plan.ts'
const matchesFile = 'core/src/decision/matches.ts'
const plannedRulesFile = 'core/src/decision/planned-rules.ts'
const termsFile = 'core/src/decision/terms.ts'
const readersFile = 'core/src/policy/readers.ts'
const patternFile = 'core/src/policy/pattern.ts'
const binaryFile = 'cel/src/compile-binary.ts'
const admitFile = 'cel/src/admit.ts'

const deniesByRule = 'if (denying.counts) return remembered(plan, denying, deniedBy)'

/** Noticed where single calls are decided. */
export const mutants: readonly Mutant[] = [
  {
    id: 'forbidden-ignored',
    breaks: 'a forbidden pattern no longer beats an allowed one',
    changes: [
      {
        file: planFile,
        find: "if (forbidden.length > 0) return settled('forbidden', reasonForbidden, forbidden)",
        replace: '',
      },
    ],
  },
  {
    id: 'unlisted-allowed',
    breaks: 'what no pattern allows is not denied',
    changes: [
      {
        file: planFile,
        find: "return isAllowed ? undefined : settled('not_allowed', reasonNotAllowed, [])",
        replace: 'return undefined',
      },
    ],
  },
  {
    id: 'deny-after-escalate',
    breaks: 'an escalation is asked for before deny rules have had their say',
    changes: [
      { file: decideFile, find: deniesByRule, replace: '' },
      {
        file: decideFile,
        find: 'if (!escalating.counts) return allowed(plan, given, denying, escalating, uses)',
        replace: `if (!escalating.counts) {\n    ${deniesByRule}\n    return allowed(plan, given, denying, escalating, uses)\n  }`,
      },
    ],
  },
  {
    id: 'refused-approval-ignored',
    breaks: 'a claimed approval that does not hold is no reason to deny',
    changes: [
      {
        file: decideFile,
        find: "if (claim?.kind === 'refused')\n    return denied('approval_refused', [refusalReason(claim)], listedOf(denying.found))",
        replace: '',
      },
    ],
  },
  {
    id: 'approval-answers-every-route',
    breaks: 'an approval granted for one route answers for all others too',
    changes: [
      {
        file: decideFile,
        find: "return claim?.kind === 'granted' && route !== undefined && claim.routes.includes(route)",
        replace: "return claim?.kind === 'granted' && route !== undefined",
      },
    ],
  },
  {
    id: 'remembered-for-other-effect',
    breaks: 'a decision made for rules that deny is given where the same number of rules escalate',
    changes: [
      {
        file: matchesFile,
        find: "const key = matches.found[0]?.rule.effect === 'deny' ? memoKey * 2 : memoKey * 2 + 1",
        replace: 'const key = memoKey',
      },
    ],
  },
  {
    id: 'remembered-by-count',
    breaks: 'a decision is remembered by how many rules matched, and not by which',
    changes: [
      {
        file: matchesFile,
        find: 'const { memoKey } = matches',
        replace: 'const memoKey = matches.memoKey < 0 ? -1 : matches.found.length',
      },
    ],
  },
  {
    id: 'errors-remembered',
    breaks: 'the decision for rules that matched is given where one of them could not be evaluated',
    changes: [
      {
        file: matchesFile,
        find: 'memoKey = listed === planned.matched && memoKey >= 0 ? memoKey | (1 << at) : -1',
        replace: 'memoKey = memoKey >= 0 ? memoKey | (1 << at) : -1',
      },
    ],
  },
  {
    id: 'smallest-quorum',
    breaks: 'of several routes the one that asks the fewest people decides',
    changes: [
      {
        file: termsFile,
        find: 'quorum: Math.max(1, named, ...routes.map(({ quorum }) => quorum)),',
        replace: 'quorum: Math.min(...routes.map(({ quorum }) => quorum)),',
      },
    ],
  },
  {
    id: 'error-not-matched',
    breaks: 'a condition that cannot be evaluated counts as not matched',
    changes: [
      {
        file: plannedRulesFile,
        find: 'return found === true ? matched : failed(given, found.message)',
        replace: 'return found === true ? matched : undefined',
      },
    ],
  },
  {
    id: 'error-taken-for-match',
    breaks: 'a condition that could not be evaluated is reported as one that matched',
    changes: [
      {
        file: plannedRulesFile,
        find: "return { ...matched, because: 'condition_error', detail: why.join('; ') }",
        replace: "return { ...matched, detail: why.join('; ') }",
      },
    ],
  },
  {
    id: 'first-match-only',
    breaks: 'only the first rule that matches is found, so others and their routes are lost',
    changes: [
      {
        file: matchesFile,
        find: `memoKey = listed === planned.matched && memoKey >= 0 ? memoKey | (1 << at) : -1
  }
  for`,
        replace: `memoKey = listed === planned.matched && memoKey >= 0 ? memoKey | (1 << at) : -1
    break
  }
  for`,
      },
    ],
  },
  {
    id: 'on-ignored',
    breaks: 'a rule speaks of every action, whatever its `on` says',
    changes: [
      {
        file: plannedRulesFile,
        find: 'return on === undefined || on.some((pattern) => pattern.matches(action))',
        replace: 'return true',
      },
    ],
  },
  {
    id: 'one-absent-fact-silences',
    breaks: 'a rule falls silent as soon as one of its facts does not exist for the action',
    changes: [
      {
        file: plannedRulesFile,
        find: 'return condition.uses.some((name) => {',
        replace: 'return condition.uses.every((name) => {',
      },
    ],
  },
  {
    id: 'for-ignored',
    breaks: 'a fact exists for every action, whatever its `for` says',
    changes: [
      {
        file: readersFile,
        find: 'return fact.for === undefined || fact.for.some((pattern) => pattern.matches(action))',
        replace: 'return true',
      },
    ],
  },
  {
    id: 'default-for-ill-typed',
    breaks: 'a default stands in for a value of the wrong type',
    changes: [
      {
        file: readersFile,
        find: 'return value === undefined ? otherwise : value',
        replace:
          'return value === undefined || (otherwise !== undefined && typeof value !== typeof otherwise) ? otherwise : value',
      },
    ],
  },
  {
    id: 'default-for-null',
    breaks: 'a default stands in for null',
    changes: [
      {
        file: readersFile,
        find: 'return value === undefined ? otherwise : value',
        replace: 'return value ?? otherwise',
      },
    ],
  },
  {
    id: 'default-ignored',
    breaks: 'a default never stands in',
    changes: [
      {
        file: readersFile,
        find: 'const read = sourceReader(fact)',
        replace: 'const read = sourceReader({ ...fact, default: undefined })',
      },
    ],
  },
  {
    id: 'pattern-matches-beginnings',
    breaks: 'a pattern needs only to match the beginning of a name',
    changes: [
      {
        file: patternFile,
        find: 'if (!action.startsWith(first) || !action.endsWith(last)) return false',
        replace: 'if (!action.startsWith(first)) return false',
      },
    ],
  },
  {
    id: 'names-of-any-case',
    breaks: 'action names are compared without regard to case',
    changes: [
      {
        file: patternFile,
        find: 'matches: (name) => name === text }',
        replace: 'matches: (name) => name.toLowerCase() === text.toLowerCase() }',
      },
    ],
  },
  {
    id: 'greater-is-at-least',
    breaks: '`>` also holds where both sides are equal',
    changes: [
      {
        file: binaryFile,
        find: "return typeof a === 'number' ? a > fast : combine(a, value, frame)",
        replace: "return typeof a === 'number' ? a >= fast : combine(a, value, frame)",
      },
    ],
  },
  {
    id: 'numbers-from-text',
    breaks: 'a text that looks like a number is taken for one',
    changes: [
      {
        file: admitFile,
        find: `    case 'double':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined`,
        replace: `    case 'double':
      return value !== null && Number.isFinite(Number(value)) ? Number(value) : undefined`,
      },
    ],
  },
]
