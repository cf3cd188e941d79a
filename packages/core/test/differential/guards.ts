import type { Decision } from '../../src/index.ts'
import type { Engine } from './differential.ts'
import { generateGuardedCall, generateGuardedPolicy } from './generate-guards.ts'
import { guardedVerdict, type GuardedVerdict } from './naive-guards.ts'
import { Random } from './random.ts'
import { lineOf, verdictOf } from './verdict.ts'
import { writeGuardedCall, writeGuardedFacts, writeGuardedYaml } from './write-guards.ts'

/** The first call that is decided differently. */
export interface GuardedDisagreement {
  readonly seed: number
  readonly policy: string
  readonly call: object
  readonly ours: GuardedVerdict | string
  readonly naive: GuardedVerdict
}

/** Calls by what happened: each effect, each code, `shadow deny`, `redact`, `rule in shadow`, … */
export type GuardedTally = Readonly<Record<string, number>>

/** Decides random calls under random policies with guards with the product and naively, until they disagree. */
export function compareGuarded(
  engine: Engine,
  extent: { readonly seed: number; readonly policies: number; readonly callsEach: number },
): { readonly seen: GuardedTally } | GuardedDisagreement {
  const seen: Record<string, number> = {}
  for (let seed = extent.seed; seed < extent.seed + extent.policies; seed++) {
    const random = new Random(seed)
    const model = generateGuardedPolicy(random)
    const policy = writeGuardedYaml(model)
    const parsed = engine.parsePolicy(policy)
    for (let at = 0; at < extent.callsEach; at++) {
      const call = generateGuardedCall(random, model)
      const naive = guardedVerdict(model, call)
      const [written, facts] = [writeGuardedCall(model, call), writeGuardedFacts(call)]
      const ours =
        parsed.kind === 'valid'
          ? guardedOf(engine.decide(parsed.policy, written, facts))
          : `refused: ${JSON.stringify(parsed.problems)}`
      if (JSON.stringify(ours) !== JSON.stringify(naive))
        return { seed, policy, call: { ...written, facts }, ours, naive }
      for (const kind of kindsOf(naive)) seen[kind] = (seen[kind] ?? 0) + 1
    }
  }
  return { seen }
}

function guardedOf(decision: Decision): GuardedVerdict {
  const allowed = decision.effect === 'allow' ? decision : undefined
  const shadow = allowed?.shadow
  const code = shadow?.effect === 'deny' ? shadow.code : undefined
  const kinds = allowed?.obligations.map(({ kind }) => kind) ?? []
  return {
    ...verdictOf(decision),
    obligations: [...new Set(kinds)].sort().reverse(),
    would: shadow && [shadow.effect, code, ...shadow.rules.map(lineOf).sort()],
  }
}

function kindsOf({ effect, code, rules, obligations, would }: GuardedVerdict): readonly string[] {
  const inShadow = rules.some((line) => line.endsWith(' shadow')) ? ['rule in shadow'] : []
  const [wouldBe] = would ?? []
  return [effect, code ?? [], obligations, inShadow, wouldBe === undefined ? [] : `shadow ${wouldBe}`].flat()
}
