import type { Mutant } from './mutants.ts'

const decideFile = 'core/src/decision/decide.ts'
const matchesFile = 'core/src/decision/matches.ts'
const plannedRulesFile = 'core/src/decision/planned-rules.ts'
const constraintsFile = 'core/src/decision/planned-constraints.ts'
const shadowFile = 'core/src/decision/shadow.ts'
const windowsFile = 'core/src/policy/windows.ts'

/** Noticed where rules and actions have guards, and in shadow mode. */
export const guardMutants: readonly Mutant[] = [
  {
    id: 'unless-ignored',
    breaks: 'a rule matches although its `unless` holds',
    changes: [
      {
        file: plannedRulesFile,
        find: `if (excuse?.kind === 'true') return undefined
    if (environments`,
        replace: 'if (environments',
      },
    ],
  },
  {
    id: 'excused-by-error',
    breaks: 'the `unless` of a rule excuses where it cannot be evaluated',
    changes: [
      {
        file: plannedRulesFile,
        find: "return excuse?.kind === 'error' ? failed(given, excuse.message) : matched",
        replace: "return excuse?.kind === 'error' ? undefined : matched",
      },
    ],
  },
  {
    id: 'false-condition-beside-error',
    breaks: 'a rule counts as matched for its `unless`, although its condition is false',
    changes: [
      {
        file: plannedRulesFile,
        find: `if (result?.kind === 'false') return undefined
    const`,
        replace: `if (result?.kind === 'false' && unless === undefined) return undefined
    const`,
      },
    ],
  },
  {
    id: 'unnamed-environment-elsewhere',
    breaks: 'a rule is silent where nobody has named the environment',
    changes: [
      {
        file: plannedRulesFile,
        find: "if (environments !== undefined && env === undefined) return failed(given, 'the environment is not known')",
        replace: 'if (environments !== undefined && env === undefined) return undefined',
      },
    ],
  },
  {
    id: 'outside-ignored',
    breaks: 'a rule for the time outside of a window also matches inside',
    changes: [
      {
        file: plannedRulesFile,
        find: 'if (outside !== undefined && outside.contains(now)) return undefined',
        replace: '',
      },
    ],
  },
  {
    id: 'shadow-rule-counts',
    breaks: 'a deny rule in shadow mode denies',
    changes: [
      {
        file: matchesFile,
        find: `counts ||= !planned.rule.shadow
    memoKey = listed === planned.matched && memoKey >= 0 ? memoKey | (1 << at) : -1`,
        replace: `counts = true
    memoKey = listed === planned.matched && memoKey >= 0 ? memoKey | (1 << at) : -1`,
      },
    ],
  },
  {
    id: 'terms-of-shadow-rules',
    breaks: 'the routes of rules in shadow mode are asked too',
    changes: [
      {
        file: decideFile,
        find: 'approval: approvalTerms(policy, routesOf(escalating.filter(isCounted))),',
        replace: 'approval: approvalTerms(policy, routesOf(escalating)),',
      },
    ],
  },
  {
    id: 'any-role-of-all',
    breaks: 'a call needs all roles that its action names, and not one of them',
    changes: [
      {
        file: constraintsFile,
        find: 'rolesOf(policy.roles, call.agent).some((role) => roles.includes(role)) ? undefined : violation',
        replace:
          'roles.every((role) => rolesOf(policy.roles, call.agent).includes(role)) ? undefined : violation',
      },
    ],
  },
  {
    id: 'unnamed-environment-allowed',
    breaks: 'an action that is bound to environments may happen where nobody has named one',
    changes: [
      {
        file: constraintsFile,
        find: 'return ({ facts }) => (facts.env !== undefined && environments.includes(facts.env) ? undefined : violation)',
        replace:
          'return ({ facts }) => (facts.env === undefined || environments.includes(facts.env) ? undefined : violation)',
      },
    ],
  },
  {
    id: 'when-error-passes',
    breaks: 'a `when` that cannot be evaluated lets the call pass',
    changes: [
      {
        file: constraintsFile,
        find: "if (result.kind === 'true') return undefined",
        replace: "if (result.kind !== 'false') return undefined",
      },
    ],
  },
  {
    id: 'empty-fulfils',
    breaks: 'what is required may be there and empty',
    changes: [
      {
        file: constraintsFile,
        find: "if (typeof value === 'string') return value.trim() === ''",
        replace: "if (typeof value === 'string') return false",
      },
    ],
  },
  {
    id: 'last-code-first',
    breaks: 'the code is that of the last constraint that is broken',
    changes: [
      {
        file: decideFile,
        find: 'const code = violations[0]?.code',
        replace: 'const code = violations.at(-1)?.code',
      },
    ],
  },
  {
    id: 'duties-of-nobody',
    breaks: 'a caller that does not carry out an obligation is allowed all the same',
    changes: [{ file: decideFile, find: 'if (undone.length > 0) return unsupported(undone)', replace: '' }],
  },
  {
    id: 'end-is-inside',
    breaks: 'the instant at which a window ends is inside',
    changes: [
      {
        file: windowsFile,
        find: 'return today && minute >= fromMinute && minute < toMinute',
        replace: 'return today && minute >= fromMinute && minute <= toMinute',
      },
    ],
  },
  {
    id: 'early-hours-of-today',
    breaks: 'the hours after midnight belong to the day on which they are',
    changes: [
      {
        file: windowsFile,
        find: 'return minute < toMinute && begins[weekdayOf(local - dayMs)] === true',
        replace: 'return minute < toMinute && today',
      },
    ],
  },
  {
    id: 'refusals-softened',
    breaks: 'a policy in shadow mode allows a call whose approval does not hold',
    changes: [
      {
        file: shadowFile,
        find: "if (decision.effect === 'deny' && neverShadowed.has(decision.code)) return decision",
        replace: '',
      },
    ],
  },
  {
    id: 'shadow-promises-everything',
    breaks: 'a policy in shadow mode tells of obligations that the caller does not carry out',
    changes: [
      {
        file: shadowFile,
        find: "({ kind }) => kind === 'notify' || facts.supports?.includes(kind) === true,",
        replace: '() => true,',
      },
    ],
  },
]
