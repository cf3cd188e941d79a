import type { decide, needsOf, parsePolicy, windowStart } from '../../src/index.ts'
import { cedarEngine, type CedarVerdict } from './cedar.ts'
import { generateCall, writeCall, writeFacts } from './generate-call.ts'
import type { Material } from './generate-condition.ts'
import { generatePolicy } from './generate-policy.ts'
import type { CallModel, PolicyModel } from './model.ts'
import { naiveVerdict } from './naive.ts'
import { Random } from './random.ts'
import { verdictOf, type Verdict } from './verdict.ts'
import { writeYaml } from './write-yaml.ts'

/** The product, or a copy of it with a mistake in it. */
export interface Engine {
  readonly parsePolicy: typeof parsePolicy
  readonly decide: typeof decide
  readonly needsOf: typeof needsOf
  readonly windowStart: typeof windowStart
}

/** How much is compared, and with whom. */
export interface Extent {
  readonly seed: number
  readonly policies: number
  readonly callsEach: number
  /** `shared`: what Cedar can say too. `own`: the whole language. */
  readonly language: Material['language']
  /** Whether Cedar is asked as well; needs the shared language. */
  readonly withCedar: boolean
}

/** The comparison with Cedar. */
export const sharedLanguage: Extent = {
  seed: 1,
  policies: 200,
  callsEach: 500,
  language: 'shared',
  withCedar: true,
}

/** The comparison in the whole language. */
export const ownLanguage: Extent = {
  seed: 10_001,
  policies: 200,
  callsEach: 500,
  language: 'own',
  withCedar: false,
}

/** What happened over a whole run, so that a test can see that it was no run over nothing. */
export interface Tally {
  calls: number
  readonly effects: Record<Verdict['effect'], number>
  /** Calls in which a condition could not be evaluated. */
  conditionErrors: number
  readonly codes: Record<string, number>
}

/** The first call that two engines decide differently, with all that is needed to look into it. */
export interface Disagreement {
  readonly seed: number
  readonly policy: string
  readonly call: object
  readonly ours: Verdict | string
  readonly naive: Verdict
  readonly cedar: CedarVerdict | undefined
}

/**
 * Decides random calls under random policies with each engine, until two of them disagree. Every policy has a
 * seed of its own, so that a disagreement can be had again without what came before it.
 */
export function compareEngines(engine: Engine, extent: Extent): Tally | Disagreement {
  const tally: Tally = {
    calls: 0,
    effects: { allow: 0, deny: 0, escalate: 0 },
    conditionErrors: 0,
    codes: {},
  }
  for (let at = 0; at < extent.policies; at++) {
    const found = comparePolicy(engine, extent.seed + at, extent, tally)
    if (found !== undefined) return found
  }
  return tally
}

function comparePolicy(engine: Engine, seed: number, extent: Extent, tally: Tally): Disagreement | undefined {
  const random = new Random(seed)
  const policy = generatePolicy(random, extent.language)
  const decideOurs = ourEngine(engine, policy)
  const askCedar = extent.withCedar ? cedarEngine(policy, `policy ${seed}`) : undefined
  for (let at = 0; at < extent.callsEach; at++) {
    const call = generateCall(random, policy, extent.language === 'own' ? 'any' : 'whole')
    const naive = naiveVerdict(policy, call)
    const ours = decideOurs(call)
    const cedar = askCedar?.(call)
    if (!isSame(ours, naive) || (cedar !== undefined && !agrees(cedar, naive, policy, call))) {
      const written = { ...writeCall(policy, call), facts: writeFacts(call) }
      return { seed, policy: writeYaml(policy), call: written, ours, naive, cedar }
    }
    count(tally, naive)
  }
  return undefined
}

function ourEngine(engine: Engine, model: PolicyModel): (call: CallModel) => Verdict | string {
  const parsed = engine.parsePolicy(writeYaml(model))
  if (parsed.kind === 'invalid') {
    const problems = parsed.problems.map(({ line, message }) => `${line}: ${message}`).join('\n')
    return () => `the policy is refused:\n${problems}`
  }
  return (call) => {
    try {
      return verdictOf(engine.decide(parsed.policy, writeCall(model, call), writeFacts(call)))
    } catch (error) {
      return `decide threw: ${String(error)}`
    }
  }
}

function isSame(ours: Verdict | string, naive: Verdict): boolean {
  return typeof ours === 'object' && JSON.stringify(ours) === JSON.stringify(naive)
}

// Cedar stops nowhere, so it also names rules of stages that come after the one that settled the call.
function agrees(cedar: CedarVerdict, naive: Verdict, policy: PolicyModel, call: CallModel): boolean {
  if (cedar.effect !== naive.effect) return false
  const ids = naive.rules.map((line) => line.split(' ')[0] ?? '')
  const isRule = (id: string): boolean => policy.rules.some((rule) => rule.id === id)
  if (naive.code === 'forbidden') return ids.every((id) => cedar.rules.includes(id))
  if (naive.code === 'denied_by_rule') return ids.join() === cedar.rules.filter(isRule).join()
  if (naive.effect !== 'escalate') return true
  const granted = call.claim.kind === 'granted' ? call.claim.routes : []
  const open = policy.rules.filter(({ route }) => route !== undefined && !granted.includes(route))
  return ids.filter((id) => open.some((rule) => rule.id === id)).join() === cedar.rules.join()
}

function count(tally: Tally, { effect, code, rules }: Verdict): void {
  tally.calls++
  tally.effects[effect]++
  if (rules.some((line) => line.endsWith('condition_error'))) tally.conditionErrors++
  if (code !== undefined) tally.codes[code] = (tally.codes[code] ?? 0) + 1
}
