import type {
  Atom,
  CallModel,
  FactModel,
  NumberTree,
  PolicyModel,
  Ref,
  RuleModel,
  TextTree,
  Truth,
} from './model.ts'
import { readsBesideFacts, refsIn } from './model.ts'

/** One set of Cedar policies, by id, for each of the two questions that Cedar is asked. */
export interface CedarPolicies {
  /** Deny or not: permits for what is allowed, forbids for all that denies. */
  readonly denying: Readonly<Record<string, string>>
  /** Asked where nothing denies: a permit for everything, forbids for all that escalates. */
  readonly escalating: Readonly<Record<string, string>>
}

/**
 * The policy in Cedar. Deny overrides there too, and it does not know escalations, so those are a second set.
 *
 * Cedar drops a policy that fails; here it counts as matched, so its errors are read as matches. And `a || error`
 * is an error there where CEL finds `a`: a rule whose condition combines several parts is written so that it never
 * fails, with `context.wrong` naming what is ill-typed. A condition of one part that Cedar refuses by itself is
 * written as it is, so that it is Cedar that finds what is missing or ill-typed.
 */
export function writeCedar(policy: PolicyModel): CedarPolicies {
  const lists = (patterns: readonly string[], key: string, effect: string): [string, string][] =>
    patterns.map((pattern, at) => [`${key}[${at}]`, policyText(effect, [`when { ${covered([pattern])} }`])])
  const rules = (effect: RuleModel['effect']): [string, string][] =>
    policy.rules.filter((rule) => rule.effect === effect).map((rule) => [rule.id, ruleText(rule)])
  return {
    denying: Object.fromEntries([
      ...lists(policy.allowed, 'allowed_actions', 'permit'),
      ...lists(policy.forbidden, 'forbidden_actions', 'forbid'),
      ['approval_refused', policyText('forbid', ['when { context.refused }'])],
      ...rules('deny'),
    ]),
    escalating: Object.fromEntries([['allow', policyText('permit', [])], ...rules('escalate')]),
  }
}

function policyText(effect: string, clauses: readonly string[]): string {
  return `${effect} (principal, action, resource)\n${clauses.join('\n')};`
}

function ruleText(rule: RuleModel): string {
  const clauses: string[] = []
  if (rule.route !== undefined) clauses.push(`unless { context.granted.contains(${quoted(rule.route)}) }`)
  if (rule.on !== undefined) clauses.push(`when { ${covered(rule.on)} }`)
  const { condition } = rule
  if (condition !== undefined) {
    const refs = refsIn(condition)
    const facts = refs.filter((ref): ref is FactModel => ref.kind === 'fact')
    if (refs.length > 0 && !readsBesideFacts(condition))
      clauses.push(`when { ${facts.map(exists).join(' || ')} }`)
    clauses.push(
      failsInCedar(condition) ? `when { ${plain(condition)} }` : `unless { ${isFalse(condition)} }`,
    )
  }
  return policyText('forbid', clauses)
}

function covered(patterns: readonly string[]): string {
  return patterns
    .map((pattern) =>
      pattern.includes('*')
        ? `context.action like ${quoted(pattern)}`
        : `action == Action::${quoted(pattern)}`,
    )
    .join(' || ')
}

function exists(fact: FactModel): string {
  return fact.for === undefined ? 'true' : `(${covered(fact.for)})`
}

/** Whether a condition is one part that Cedar itself refuses to evaluate where a value is missing or ill-typed. */
function failsInCedar(tree: Truth): tree is Atom {
  return tree.kind === 'compare'
    ? !['==', '!='].includes(tree.operator)
    : ['flag', 'part'].includes(tree.kind)
}

// Two translations instead of one: `isTrue` and `isFalse` are both false where the condition cannot be evaluated.
function isTrue(tree: Truth): string {
  switch (tree.kind) {
    case 'and':
      return `(${isTrue(tree.left)} && ${isTrue(tree.right)})`
    case 'or':
      return `(${isTrue(tree.left)} || ${isTrue(tree.right)})`
    case 'not':
      return isFalse(tree.operand)
    case 'choice':
      return `((${isTrue(tree.test)} && ${isTrue(tree.yes)}) || (${isFalse(tree.test)} && ${isTrue(tree.no)}))`
    default:
      return `(${[...usable(tree), `(${plain(tree)})`].join(' && ')})`
  }
}

function isFalse(tree: Truth): string {
  switch (tree.kind) {
    case 'and':
      return `(${isFalse(tree.left)} || ${isFalse(tree.right)})`
    case 'or':
      return `(${isFalse(tree.left)} && ${isFalse(tree.right)})`
    case 'not':
      return isTrue(tree.operand)
    case 'choice':
      return `((${isTrue(tree.test)} && ${isFalse(tree.yes)}) || (${isFalse(tree.test)} && ${isFalse(tree.no)}))`
    default:
      return `(${[...usable(tree), `!(${plain(tree)})`].join(' && ')})`
  }
}

function usable(tree: Atom): string[] {
  if (tree.kind === 'has') return [`!context.lost.contains(${quoted(tree.of.name)})`]
  return [...new Set(refsIn(tree))].map((ref) => {
    const sound = `!context.wrong.contains(${quoted(ref.name)})`
    const there = `context has ${ref.name}`
    if (ref.kind === 'raw') return `${sound} && ${there}`
    return `${exists(ref)} && ${sound}${ref.default === undefined ? ` && ${there}` : ''}`
  })
}

function plain(tree: Atom): string {
  switch (tree.kind) {
    case 'compare':
      return `${number(tree.left)} ${tree.operator} ${number(tree.right)}`
    case 'flag':
      return read(tree.of)
    case 'same_flag': {
      const right = typeof tree.right === 'boolean' ? String(tree.right) : read(tree.right)
      return `${read(tree.left)} ${tree.negated ? '!=' : '=='} ${right}`
    }
    case 'same_text':
      return `${text(tree.left)} ${tree.negated ? '!=' : '=='} ${text(tree.right)}`
    case 'part': {
      const part = quoted(tree.part).slice(1, -1).replaceAll('*', '\\*')
      const [before, after] = [tree.place === 'startsWith' ? '' : '*', tree.place === 'endsWith' ? '' : '*']
      return `${read(tree.of)} like "${before}${part}${after}"`
    }
    case 'one_of':
      return `${JSON.stringify(tree.list)}.contains(${text(tree.item)})`
    case 'holds':
      return `${read(tree.of)}.contains(${JSON.stringify(tree.item)})`
    case 'is_empty':
      return `${read(tree.of)}.isEmpty()`
    case 'has':
      return `context has ${tree.of.name} || context.wrong.contains(${quoted(tree.of.name)})`
    case 'time':
      return `context.now ${tree.operator} ${tree.at}`
    default:
      throw new Error(`Cedar cannot say ${tree.kind}`)
  }
}

// A fact's default stands in where nothing is there. Outside its `for` the fact does not exist at all: `absent`
// is an attribute that no call has, so reading it is Cedar's own error.
function read(ref: Ref): string {
  const value = `context.${ref.name}`
  if (ref.kind === 'raw' || (ref.for === undefined && ref.default === undefined)) return value
  const filled =
    ref.default === undefined
      ? value
      : `(if context has ${ref.name} then ${value} else ${JSON.stringify(ref.default)})`
  return ref.for === undefined ? filled : `(if ${exists(ref)} then ${filled} else context.absent)`
}

function number(tree: NumberTree): string {
  switch (tree.kind) {
    case 'number':
      return `(${tree.value})`
    case 'read':
      return read(tree.of)
    case 'negate':
      return `(-${number(tree.operand)})`
    case 'arithmetic':
      if (tree.operator === '/') throw new Error('Cedar cannot divide')
      return `(${number(tree.left)} ${tree.operator} ${number(tree.right)})`
    default:
      return tree
  }
}

function text(tree: TextTree): string {
  if (tree.kind === 'text') return quoted(tree.value)
  return tree.kind === 'of_call' ? `context.${tree.name}` : read(tree.of)
}

function quoted(value: string): string {
  return JSON.stringify(value)
}

/** The call as Cedar's context. An ill-typed value is there too where Cedar can carry it. */
export function writeContext(call: CallModel): Record<string, unknown> {
  const context: Record<string, unknown> = {
    action: call.action,
    agent: call.agent,
    now: call.now,
    refused: call.claim.kind === 'refused',
    granted: call.claim.kind === 'granted' ? call.claim.routes : [],
  }
  const wrong: string[] = []
  const lost: string[] = []
  for (const [name, cell] of call.cells) {
    if (cell.state === 'wrong') wrong.push(name)
    if (cell.state === 'absent' && cell.parent !== 'map') lost.push(name)
    if (cell.state !== 'absent') Object.assign(context, carried(name, cell.value))
  }
  return { ...context, wrong, lost }
}

// Cedar's JSON knows neither null nor numbers that are not whole. A missing attribute fails as they should, but a
// default must not stand in for null: so a value that no condition takes is put in its place.
function carried(name: string, value: unknown): Record<string, unknown> {
  const foreign = JSON.stringify(value, (_, part: unknown) =>
    part === null || (typeof part === 'number' && !Number.isSafeInteger(part)) ? { strange: 'value' } : part,
  )
  return { [name]: JSON.parse(foreign) as unknown }
}
