import { expect, test } from 'vitest'
import { checkCondition } from '../../src/check.ts'
import { compileTree } from '../../src/compile.ts'
import { costOf } from '../../src/cost.ts'
import { Frame } from '../../src/frame.ts'
import { policyFunctions } from '../../src/function-table.ts'
import { policyGrammar } from '../../src/grammars.ts'
import { evaluationStepsMax, macroNestingMax } from '../../src/limits.ts'
import { nameReader, readFromMap } from '../../src/names.ts'
import { parseSource } from '../../src/parse.ts'
import { policyDialect } from '../../src/policy-dialect.ts'
import { runIn } from '../../src/runner.ts'
import type { SizeBounds } from '../../src/index.ts'
import { condition, names, valuesOf } from './conditions.ts'
import { Random } from './generator.ts'

/** How large the values are that `valuesOf` makes. */
const bounds: ReadonlyMap<string, SizeBounds> = new Map<string, SizeBounds>([
  ['s', { length: 2 }],
  ['l', { items: 2 }],
  ['l[]', { length: 2 }],
  ['p', { keys: 6 }],
  ['p.s', { length: 2 }],
  ['p.x', { length: 2, items: 2, keys: 1 }],
  ['p.x[]', { length: 2 }],
  ['p.l', { items: 2, keys: 1 }],
  ['p.l[]', { length: 2 }],
])

test('no evaluation takes more steps than were told when its condition was loaded', () => {
  const random = new Random(3)
  let most = 0
  for (let made = 0; made < 3000; made++) {
    const source = condition('bool', random, 1 + random.below(4))
    const parsed = parseSource(source, policyGrammar)
    if (parsed.kind === 'refused') continue
    const checked = checkCondition(parsed.root, { names, inferUnknown: false, macroNestingMax })
    if (checked.problems.length > 0) continue
    const formsOf = checked.forms.get.bind(checked.forms)
    const compiled = compileTree(
      parsed.root,
      {
        dialect: policyDialect,
        functions: policyFunctions,
        formsOf,
        readName: ({ name }, newSlot) =>
          nameReader(name, names.get(name) ?? 'dyn', readFromMap(name), newSlot),
        readQualified: () => undefined,
        observed: false,
      },
      true,
    )
    const cost = costOf(parsed.root, { bounds, formsOf })
    const frame = new Frame(compiled.slots)
    for (let round = 0; round < 4; round++) {
      const values = valuesOf(random)
      runIn(frame, compiled, values)
      const steps = evaluationStepsMax - frame.steps
      most = Math.max(most, steps)
      expect(steps, `${source} ${JSON.stringify([...values])}`).toBeLessThanOrEqual(cost)
    }
  }
  expect(most).toBeGreaterThan(20)
}, 120_000)
