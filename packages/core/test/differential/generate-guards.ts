import { generateCall } from './generate-call.ts'
import { dayMs, epoch, generateTruth, type Material } from './generate-condition.ts'
import { zones } from './generate-history.ts'
import { actions, generatePolicy, namesFor } from './generate-policy.ts'
import { week, type EntryModel, type GuardedPolicy, type NamedWindow } from './guards-model.ts'
import type { MemberModel, SchemaModel } from './guards-model.ts'
import type { CallModel, PolicyModel, Ref, Surroundings, Truth } from './model.ts'
import { covers } from './naive.ts'
import type { Random } from './random.ts'

const environments = ['prod', 'staging', 'lab'] as const
const roleNames = ['tier1', 'tier2', 'dpo'] as const
const labels = ['untrusted', 'pii', 'secret'] as const
const windowNames = ['office', 'night'] as const

/** A policy whose rules and actions have guards of all kinds. */
export function generateGuardedPolicy(random: Random): GuardedPolicy {
  const base = generatePolicy(random, 'own')
  const known = actions.filter((name) =>
    [...base.allowed, ...base.forbidden].some((pattern) => covers(pattern, name)),
  )
  const own = random.chance(0.25) ? random.some(environments, 2, 3) : undefined
  const maker = new GuardMaker(random, base, own ?? environments)
  return {
    ...base,
    rules: [],
    mode: random.chance(0.25) ? 'shadow' : 'enforce',
    roles: roleNames.map((name) => ({ name, agents: random.some(['support-*', 'agent:7', 'other'], 1, 2) })),
    windows: windowNames.map((name) => namedWindow(random, name)),
    environments: own,
    guarded: base.rules.map((rule, at) => ({
      ...rule,
      id: `rule-${at}`,
      named: true,
      place: 'rules',
      unless: maker.truth(0.4),
      window: maker.maybe(0.2, windowNames),
      outside: maker.maybe(0.2, windowNames),
      environments: maker.environments(0.25),
      shadow: random.chance(0.2),
    })),
    entries: [...new Set(namesFor(random, known))].map((pattern) => maker.entry(pattern)),
  }
}

function namedWindow(random: Random, name: string): NamedWindow {
  return {
    name,
    zone: random.pick(zones),
    days: random.some(week, 3, 7),
    from: random.pick(['00:00', '06:00', '08:30', '22:00']),
    to: random.pick(['05:30', '12:00', '18:00', '24:00']),
  }
}

/** Makes guards for one policy. Each kind is rare enough for calls to pass now and then. */
class GuardMaker {
  readonly #random: Random
  readonly #material: Material
  readonly #environments: readonly string[]

  constructor(random: Random, { agent, facts, raws }: PolicyModel, known: readonly string[]) {
    this.#random = random
    this.#material = { refs: [...facts, ...raws], actions, agent, language: 'own' }
    this.#environments = known
  }

  maybe<Item>(share: number, items: readonly Item[]): Item | undefined {
    return items.length > 0 && this.#random.chance(share) ? this.#random.pick(items) : undefined
  }

  environments(share: number): readonly string[] | undefined {
    return this.#random.chance(share) ? this.#random.some(this.#environments, 1, 2) : undefined
  }

  truth(share: number): Truth | undefined {
    if (!this.#random.chance(share)) return undefined
    const plain = generateTruth(this.#random, this.#material, 1)
    const kind = this.#random.pick(['and', 'or', 'plain', 'around'] as const)
    if (kind === 'plain') return plain
    return kind === 'around' ? this.#around() : { kind, left: this.#around(), right: plain }
  }

  #around(): Truth {
    const random = this.#random
    switch (random.pick(['env', 'role', 'labels', 'actions'] as const)) {
      case 'env':
        return { kind: 'env', negated: random.chance(0.5), name: random.pick(this.#environments) }
      case 'role':
        return { kind: 'role', name: random.pick(roleNames) }
      case 'labels':
        return { kind: 'visited', list: 'labels', item: random.pick(labels) }
      default:
        return { kind: 'visited', list: 'actions', item: random.pick(actions) }
    }
  }

  entry(pattern: string): EntryModel {
    const random = this.#random
    return {
      pattern,
      roles: random.chance(0.25) ? random.some(roleNames, 1, 2) : undefined,
      environments: this.environments(0.15),
      window: this.maybe(0.15, windowNames),
      params: random.chance(0.4) ? this.#schema() : undefined,
      when: this.truth(0.25),
      requires: this.maybe(0.2, this.#material.refs),
      redacts: random.chance(0.3),
      notifies: random.chance(0.3),
    }
  }

  #schema(): SchemaModel | undefined {
    const sent = this.#material.refs.filter(({ root }) => root === 'params')
    if (sent.length === 0) return undefined
    const members = this.#random.some(sent, 1, 3).map((of) => this.#member(of))
    return { members, closed: this.#random.chance(0.15) }
  }

  #member(of: Ref): MemberModel {
    const bound = of.type === 'number' ? this.#random.whole(-12, 0) : this.#random.whole(1, 6)
    return { of, required: this.#random.chance(0.5), bound }
  }
}

/** A call at any hour, with what surrounds it. */
export function generateGuardedCall(random: Random, policy: GuardedPolicy): CallModel {
  const quarters = random.whole(-3 * 96, 4 * 96)
  return {
    ...generateCall(random, policy, 'any'),
    now: epoch + (quarters * dayMs) / 96 + random.pick([-1, 0, 1]),
    around: surroundings(random, policy),
  }
}

function surroundings(random: Random, policy: GuardedPolicy): Surroundings {
  const visited = { labels: random.some(labels, 0, 2), actions: random.some(actions, 0, 4) }
  return {
    env: random.chance(0.1) ? undefined : random.pick(environments),
    session: random.chance(0.2) ? undefined : visited,
    roles: policy.roles
      .filter(({ agents }) => agents.some((pattern) => covers(pattern, policy.agent)))
      .map(({ name }) => name),
    supports: random.chance(0.7) ? ['redact'] : [],
  }
}
