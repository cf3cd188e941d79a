import type { Json } from '../../src/index.ts'
import { generateTruth, texts, type Material } from './generate-condition.ts'
import { covers } from './naive.ts'
import { readsBesideFacts, refsIn } from './model.ts'
import type { FactModel, PolicyModel, RawModel, RouteModel, RuleModel, Truth, ValueType } from './model.ts'
import type { Random } from './random.ts'

/** Every action that policies and calls may speak of. No two are nearly alike: that would be taken for a slip. */
export const actions = [
  'issue_refund',
  'cancel_order',
  'export_table',
  'export_secret_keys',
  'send_mail',
  'crm.read',
  'delete_account',
  'pay',
  'constructor',
  'ship-parcel',
] as const

const types: readonly ValueType[] = ['number', 'number', 'bool', 'string', 'list<string>', 'list<number>']
const routeNames = ['human_approval_required', 'finance_review', 'legal_review'] as const

/** A policy that the product has to accept. */
export function generatePolicy(random: Random, language: Material['language']): PolicyModel {
  const allowed = distinct(random.some(actions, 3, 6).map((name) => loosened(random, name, 0.3)))
  const forbidden = distinct(random.some(actions, 0, 3).map((name) => loosened(random, name, 0.4)))
    // What stands in both lists is an error, and `*` would forbid everything.
    .filter((name) => !allowed.includes(name) && name !== '*')
  const known = actions.filter((name) => [...allowed, ...forbidden].some((pattern) => covers(pattern, name)))
  const facts = Array.from({ length: random.whole(2, 6) }, (_, at) => generateFact(random, at, known))
  const raws = Array.from({ length: random.whole(0, 3) }, (_, at) => generateRaw(random, at))
  const agent = random.pick(['support-agent', 'agent:7'])
  const material: Material = { refs: [...facts, ...raws], actions, agent, language }
  const rules = [
    ...Array.from({ length: random.whole(0, 3) }, (_, at) =>
      generateRule(random, material, 'escalation_rules', at, known),
    ),
    ...Array.from({ length: random.whole(1, 4) }, (_, at) =>
      generateRule(random, material, 'rules', at, known),
    ),
  ]
  return {
    agent,
    allowed,
    forbidden,
    facts,
    raws,
    rules,
    routes: routeNames.map((name) => route(random, name)),
  }
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)]
}

/** The name, or a pattern that covers it. */
function loosened(random: Random, name: string, share: number): string {
  if (!random.chance(share)) return name
  const cut = random.whole(1, name.length - 1)
  return random.pick([
    `${name.slice(0, cut)}*`,
    `*${name.slice(cut)}`,
    `${name.slice(0, 1)}*${name.slice(-1)}`,
  ])
}

/** Patterns for `on` and `for`: names that the policy lists, or patterns that cover them. */
export function namesFor(random: Random, known: readonly string[]): string[] {
  if (random.chance(0.05)) return ['*']
  return distinct(random.some(known, 1, 3).map((name) => loosened(random, name, 0.3)))
}

function generateFact(random: Random, at: number, known: readonly string[]): FactModel {
  const type = random.pick(types)
  const root = random.pick(['params', 'context'] as const)
  return {
    kind: 'fact',
    name: `fact_${at}`,
    type,
    root,
    path: pathOf(random, `f${at}`),
    for: random.chance(0.4) ? namesFor(random, known) : undefined,
    default: random.chance(0.25) ? valueOfType(random, type, 'whole') : undefined,
  }
}

function generateRaw(random: Random, at: number): RawModel {
  const root = random.pick(['params', 'context'] as const)
  const type = random.pick(types.filter((one) => one !== 'list<number>'))
  return { kind: 'raw', name: `raw_${at}`, type, root, path: pathOf(random, `r${at}`) }
}

// Each source has a branch of its own, so that each can be absent or ill-typed by itself.
function pathOf(random: Random, name: string): string[] {
  return random.chance(0.6) ? [name] : [`in_${name}`, name]
}

/** A value as declared. Numbers come from a narrow range, so that thresholds are met exactly now and then. */
export function valueOfType(random: Random, type: ValueType, numbers: 'whole' | 'any'): Json {
  const one = (): number => {
    if (numbers === 'whole' || random.chance(0.6)) return random.whole(-10, 20)
    // The product of two of the largest is no finite number, and so an error.
    return random.chance(0.1) ? random.pick([1e308, -1e308, 2 ** 63, 5e-324]) : random.whole(-40, 80) / 4
  }
  switch (type) {
    case 'number':
      return one()
    case 'bool':
      return random.chance(0.5)
    case 'string':
      return random.pick(texts)
    case 'list<string>':
      return random.some(texts, 0, 3)
    case 'list<number>':
      return Array.from({ length: random.whole(0, 3) }, one)
    default:
      return type
  }
}

function generateRule(
  random: Random,
  material: Material,
  place: RuleModel['place'],
  at: number,
  known: readonly string[],
): RuleModel {
  const escalates = place === 'escalation_rules' || random.chance(0.5)
  const always = place === 'rules' && random.chance(0.04)
  // Twice an 'and' keeps deny rules from matching nearly every call.
  const condition = always ? undefined : generateTruth(random, material, random.whole(0, 3))
  const written = random.chance(0.5) || always ? namesFor(random, known) : undefined
  const on = written?.filter((name) => condition === undefined || !isSilentFor(condition, name))
  const named = random.chance(0.4)
  return {
    id: named ? `${place === 'rules' ? 'rule' : 'escalation'}-${at}` : `${place}[${at}]`,
    named,
    place,
    effect: escalates ? 'escalate' : 'deny',
    on: on === undefined || on.length === 0 ? undefined : on,
    condition,
    route: escalates ? random.pick(routeNames) : undefined,
  }
}

// To name an action for which none of the rule's facts exist is an error of the policy.
function isSilentFor(condition: Truth, name: string): boolean {
  const refs = refsIn(condition)
  if (name.includes('*') || refs.length === 0 || readsBesideFacts(condition)) return false
  return refs.every(
    (ref) => ref.kind === 'fact' && ref.for?.every((pattern) => !covers(pattern, name)) === true,
  )
}

function route(random: Random, name: string): RouteModel {
  if (random.chance(0.3)) return { name, terms: undefined }
  return { name, terms: { quorum: random.whole(1, 4), minutes: random.whole(1, 90) } }
}
