import type { Mutant } from './mutants.ts'

const plannedRulesFile = 'core/src/decision/planned-rules.ts'
const plannedCountersFile = 'core/src/decision/planned-counters.ts'
const windowsFile = 'core/src/policy/windows.ts'

/** Noticed where calls follow one another. */
export const historyMutants: readonly Mutant[] = [
  {
    id: 'spent-up-to-the-last',
    breaks: 'a budget is used up before its last unit is taken',
    changes: [
      {
        file: plannedCountersFile,
        find: 'return fits(before, used.amount, max) ? undefined : matched',
        replace: 'return before + used.amount < max ? undefined : matched',
      },
    ],
  },
  {
    id: 'amount-not-added',
    breaks: 'what the call itself would use is not counted',
    changes: [
      {
        file: plannedCountersFile,
        find: 'return fits(before, used.amount, max) ? undefined : matched',
        replace: 'return before <= max ? undefined : matched',
      },
    ],
  },
  {
    id: 'unknown-use-is-none',
    breaks: 'a counter that nobody has read is taken for unused',
    changes: [
      {
        file: plannedCountersFile,
        find: 'const before = given.facts.counters?.get(used.key)',
        replace: 'const before = given.facts.counters?.get(used.key) ?? 0',
      },
    ],
  },
  {
    id: 'negative-amounts-allowed',
    breaks: 'a negative amount gives a budget back',
    changes: [
      {
        file: plannedCountersFile,
        find: 'return value < 0 ? `${source} is negative` : value',
        replace: 'return value',
      },
    ],
  },
  {
    id: 'all-calls-together',
    breaks: 'a counter is not kept apart by its `per`',
    changes: [
      {
        file: plannedCountersFile,
        find: 'const key = apart.length === 0 ? whole : keyOf(name, apart, given)',
        replace: 'const key = whole',
      },
    ],
  },
  {
    id: 'rates-given-back',
    breaks: 'a run that failed gives back what it took from a rate',
    changes: [
      {
        file: plannedCountersFile,
        find: "const releasable = kind === 'budget'",
        replace: 'const releasable = true',
      },
    ],
  },
  {
    id: 'window-an-instant-longer',
    breaks: 'a sliding window still holds what happened exactly its length ago',
    changes: [{ file: windowsFile, find: '(now - window.ms + 1)', replace: '(now - window.ms)' }],
  },
  {
    id: 'no-session-no-flow',
    breaks: 'a flow does not match where the call names no session',
    changes: [
      {
        file: plannedRulesFile,
        find: 'if (before === false) return undefined',
        replace: 'if (before !== true) return undefined',
      },
    ],
  },
  {
    id: 'flow-excused-by-error',
    breaks: 'an `unless` that cannot be evaluated excuses',
    changes: [
      {
        file: plannedRulesFile,
        find: "if (excuse?.kind !== 'error') return matched",
        replace: `if (excuse?.kind === 'error') return undefined
      return matched`,
      },
    ],
  },
]
