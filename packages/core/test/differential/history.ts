import type { Engine } from './differential.ts'
import { generateHistory, generateHistoryPolicy } from './generate-history.ts'
import { NaiveHistory } from './naive-history.ts'
import { OurHistory, writeHistoryYaml } from './our-history.ts'
import { Random } from './random.ts'
import { verdictOf, type Verdict } from './verdict.ts'

/** Calls by kind of what happened: `budget deny matched`, `allow`, … */
export type HistoryTally = Readonly<Record<string, number>>

/** The first call of a history that is decided differently. */
export interface HistoryDisagreement {
  readonly seed: number
  readonly policy: string
  readonly call: object
  readonly ours: Verdict | string
  readonly naive: Verdict
}

/** Decides random histories with the product and with the naive second reading, until they disagree. */
export function compareHistories(
  engine: Engine,
  extent: { readonly seed: number; readonly histories: number; readonly callsEach: number },
): { readonly seen: HistoryTally } | HistoryDisagreement {
  const seen: Record<string, number> = {}
  for (let seed = extent.seed; seed < extent.seed + extent.histories; seed++) {
    const random = new Random(seed)
    const model = generateHistoryPolicy(random)
    const policy = writeHistoryYaml(model)
    const parsed = engine.parsePolicy(policy)
    const naiveHistory = new NaiveHistory(model)
    const ours = parsed.kind === 'valid' ? new OurHistory(engine, parsed.policy, model) : undefined
    for (const call of generateHistory(random, model, extent.callsEach)) {
      const naive = naiveHistory.decide(call)
      const our = ours === undefined ? `refused: ${JSON.stringify(parsed)}` : verdictOf(ours.decide(call))
      if (JSON.stringify(our) !== JSON.stringify(naive)) return { seed, policy, call, ours: our, naive }
      const kinds = naive.rules.map((rule) => rule.replace(/^(\w+)\S* /, '$1 '))
      for (const kind of [...kinds, naive.effect]) seen[kind] = (seen[kind] ?? 0) + 1
    }
  }
  return { seen }
}
