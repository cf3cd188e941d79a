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
const rulesFile = 'core/src/decision/rules.ts'
const factsFile = 'core/src/decision/facts.ts'
const patternFile = 'core/src/policy/pattern.ts'
const operatorsFile = 'cel/src/operators.ts'
const valuesFile = 'cel/src/values.ts'

const deniesByRule =
  "if (denying.length > 0) return denied('denied_by_rule', denialReasons(denying), listedOf(denying))"

export const mutants: readonly Mutant[] = [
  {
    id: 'forbidden-ignored',
    breaks: 'a forbidden pattern no longer beats an allowed one',
    changes: [
      {
        file: decideFile,
        find: "if (forbidden.length > 0) return denied('forbidden', [reasonForbidden], forbidden)",
        replace: '',
      },
    ],
  },
  {
    id: 'unlisted-allowed',
    breaks: 'what no pattern allows is not denied',
    changes: [
      {
        file: decideFile,
        find: "if (allowed.length === 0) return denied('not_allowed', [reasonNotAllowed], [])",
        replace: '',
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
        find: 'if (open.length > 0) return escalated(policy, escalating, open)',
        replace: `if (open.length > 0) return escalated(policy, escalating, open)\n  ${deniesByRule}`,
      },
    ],
  },
  {
    id: 'refused-approval-ignored',
    breaks: 'a claimed approval that does not hold is no reason to deny',
    changes: [
      {
        file: decideFile,
        find: "if (claim?.kind === 'refused') return denied('approval_refused', [refusalReason(claim)], [])",
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
    id: 'smallest-quorum',
    breaks: 'of several routes the one that asks the fewest people decides',
    changes: [
      {
        file: decideFile,
        find: 'quorum: Math.max(1, ...routes.map(({ quorum }) => quorum)),',
        replace: 'quorum: Math.min(...routes.map(({ quorum }) => quorum)),',
      },
    ],
  },
  {
    id: 'error-not-matched',
    breaks: 'a condition that cannot be evaluated counts as not matched',
    changes: [
      {
        file: rulesFile,
        find: "if (result?.kind === 'false') return undefined",
        replace: "if (result !== undefined && result.kind !== 'true') return undefined",
      },
    ],
  },
  {
    id: 'error-taken-for-match',
    breaks: 'a condition that could not be evaluated is reported as one that matched',
    changes: [
      {
        file: rulesFile,
        find: "return { ...listed, because: 'condition_error', condition, detail }",
        replace: "return { ...listed, because: 'matched', condition, detail }",
      },
    ],
  },
  {
    id: 'first-match-only',
    breaks: 'only the first rule that matches is found, so others and their routes are lost',
    changes: [
      {
        file: rulesFile,
        find: 'if (listed !== undefined) matched.push({ rule, listed })',
        replace: 'if (listed !== undefined) return [{ rule, listed }]',
      },
    ],
  },
  {
    id: 'on-ignored',
    breaks: 'a rule speaks of every action, whatever its `on` says',
    changes: [
      {
        file: rulesFile,
        find: 'if (rule.on !== undefined && !rule.on.some((pattern) => pattern.matches(action))) return false',
        replace: '',
      },
    ],
  },
  {
    id: 'one-absent-fact-silences',
    breaks: 'a rule falls silent as soon as one of its facts does not exist for the action',
    changes: [
      {
        file: rulesFile,
        find: 'return rule.facts.some((name) => {',
        replace: 'return rule.facts.every((name) => {',
      },
    ],
  },
  {
    id: 'for-ignored',
    breaks: 'a fact exists for every action, whatever its `for` says',
    changes: [
      {
        file: factsFile,
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
        file: factsFile,
        find: 'return value === undefined ? fact.default : value',
        replace:
          'return value === undefined || (fact.default !== undefined && typeof value !== typeof fact.default) ? fact.default : value',
      },
    ],
  },
  {
    id: 'default-ignored',
    breaks: 'a default never stands in',
    changes: [
      {
        file: factsFile,
        find: 'return value === undefined ? fact.default : value',
        replace: 'return value',
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
        find: 'matches: (action) => action === text }',
        replace: 'matches: (action) => action.toLowerCase() === text.toLowerCase() }',
      },
    ],
  },
  {
    id: 'greater-is-at-least',
    breaks: '`>` also holds where both sides are equal',
    changes: [
      {
        file: operatorsFile,
        find: "ordering('@>', (between) => between > 0)",
        replace: "ordering('@>', (between) => between >= 0)",
      },
    ],
  },
  {
    id: 'numbers-from-text',
    breaks: 'a text that looks like a number is taken for one',
    changes: [
      {
        file: valuesFile,
        find: "return typeof value === 'number' && Number.isFinite(value) ? value : undefined",
        replace: 'return value !== null && Number.isFinite(Number(value)) ? Number(value) : undefined',
      },
    ],
  },
]
