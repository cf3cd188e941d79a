import type { Json } from '../../src/index.ts'
import { readsBesideFacts, refsIn } from './model.ts'
import type {
  Atom,
  CallModel,
  Comparison,
  FactModel,
  NumberTree,
  PolicyModel,
  Ref,
  RuleModel,
  TextTree,
  Truth,
} from './model.ts'
import type { Verdict } from './verdict.ts'

// A second reading of docs/POLICY.md, written for these tests alone. It shares nothing with the product: it walks
// the generator's trees, never a policy's text, and looks up cells, never paths. Where both agree on every call, a
// mistake would have to have been made twice, in two ways. `undefined` stands for "cannot be evaluated".

/** Something of the policy that matched a call, or that could not be evaluated and so counts as matched. */
export interface Match {
  readonly rule: Pick<RuleModel, 'id' | 'effect' | 'route'> & { readonly shadow?: boolean }
  readonly because: 'matched' | 'condition_error'
}

/** What takes part in a decision beside the plain rules. */
export interface Beside {
  /** Flows, budgets and rates, and rules that have more than a condition. */
  readonly matches: readonly Match[]
  /** Constraints of the action that the call does not satisfy, and the code to answer with. */
  readonly broken?: { readonly code: string; readonly rules: readonly string[] } | undefined
  /** Obligations that the caller does not carry out, as lines of rules. */
  readonly undone?: readonly string[]
}

/** What the policy language's own description says about a call. */
export function naiveVerdict(
  policy: PolicyModel,
  call: CallModel,
  { matches, broken, undone = [] }: Beside = { matches: [] },
): Verdict {
  const forbidden = listed(policy.forbidden, 'forbidden_actions', 'deny', call.action)
  if (forbidden.length > 0) return denied('forbidden', forbidden)
  const allowed = listed(policy.allowed, 'allowed_actions', 'allow', call.action)
  if (allowed.length === 0) return denied('not_allowed', [])
  if (broken !== undefined) return denied(broken.code, broken.rules)
  const matching = [...policy.rules.flatMap((rule) => matchOf(rule, call)), ...matches]
  const denying = matching.filter(({ rule }) => rule.effect === 'deny')
  if (denying.some(isCounted)) return denied('denied_by_rule', denying.map(lineOf))
  if (call.claim.kind === 'refused') return denied('approval_refused', denying.map(lineOf))
  if (undone.length > 0) return denied('obligation_unsupported', undone)
  const granted = call.claim.kind === 'granted' ? call.claim.routes : []
  const counted = matching.filter(isCounted)
  const open = counted.filter(({ rule }) => rule.route === undefined || !granted.includes(rule.route))
  if (open.length > 0) return escalated(policy, matching)
  return {
    effect: 'allow',
    code: undefined,
    rules: [...allowed, ...matching.map(lineOf)].sort(),
    terms: undefined,
    usesApproval: call.claim.kind === 'granted',
  }
}

function isCounted({ rule }: Match): boolean {
  return rule.shadow !== true
}

function matchOf(rule: RuleModel, call: CallModel): Match[] {
  if (rule.on !== undefined && !rule.on.some((pattern) => covers(pattern, call.action))) return []
  if (rule.condition === undefined) return [{ rule, because: 'matched' }]
  if (isSilent(rule.condition, call.action)) return []
  const truth = truthOf(rule.condition, call)
  if (truth === false) return []
  return [{ rule, because: truth === true ? 'matched' : 'condition_error' }]
}

/** Whether a condition uses facts that do not exist for the action, and nothing else: then its rule is not about it. */
export function isSilent(condition: Truth, action: string): boolean {
  const refs = refsIn(condition)
  if (refs.length === 0 || readsBesideFacts(condition)) return false
  return refs.every((ref) => ref.kind === 'fact' && !existsFor(ref, action))
}

/** Whether a fact exists for an action. */
export function existsFor(fact: FactModel, action: string): boolean {
  return fact.for === undefined || fact.for.some((pattern) => covers(pattern, action))
}

/** Whether a pattern covers a whole name; one letter after the other, with `*` for any run of them. */
export function covers(pattern: string, name: string): boolean {
  if (pattern === '') return name === ''
  const rest = pattern.slice(1)
  if (pattern[0] !== '*') return name[0] === pattern[0] && covers(rest, name.slice(1))
  return covers(rest, name) || (name !== '' && covers(pattern, name.slice(1)))
}

/** The lines of the patterns that cover the action. */
export function listed(patterns: readonly string[], key: string, effect: string, action: string): string[] {
  return patterns.flatMap((pattern, at) =>
    covers(pattern, action) ? [`${key}[${at}] ${effect} matched`] : [],
  )
}

function lineOf({ rule, because }: Match): string {
  return `${rule.id} ${rule.effect} ${because}${rule.shadow === true ? ' shadow' : ''}`
}

function denied(code: string, rules: readonly string[]): Verdict {
  return { effect: 'deny', code, rules: [...rules].sort(), terms: undefined, usesApproval: false }
}

function escalated(policy: PolicyModel, matching: readonly Match[]): Verdict {
  const routes = [...new Set(matching.filter(isCounted).flatMap(({ rule }) => rule.route ?? []))].sort()
  const terms = routes.map((name) => policy.routes.find((route) => route.name === name)?.terms)
  return {
    effect: 'escalate',
    code: undefined,
    rules: matching.map(lineOf).sort(),
    terms: {
      routes,
      quorum: Math.max(...terms.map((one) => one?.quorum ?? 1)),
      deadlineMs: 60_000 * Math.min(...terms.map((one) => one?.minutes ?? 5)),
    },
    usesApproval: false,
  }
}

/** Whether a condition holds; undefined where it cannot be evaluated. */
export function truthOf(tree: Truth, call: CallModel): boolean | undefined {
  switch (tree.kind) {
    case 'and': {
      const sides = [truthOf(tree.left, call), truthOf(tree.right, call)]
      if (sides.includes(false)) return false
      return sides.includes(undefined) ? undefined : true
    }
    case 'or': {
      const sides = [truthOf(tree.left, call), truthOf(tree.right, call)]
      if (sides.includes(true)) return true
      return sides.includes(undefined) ? undefined : false
    }
    case 'not': {
      const operand = truthOf(tree.operand, call)
      return operand === undefined ? undefined : !operand
    }
    case 'choice': {
      const test = truthOf(tree.test, call)
      return test === undefined ? undefined : truthOf(test ? tree.yes : tree.no, call)
    }
    default:
      return atomOf(tree, call)
  }
}

function atomOf(atom: Atom, call: CallModel): boolean | undefined {
  switch (atom.kind) {
    case 'compare': {
      const [left, right] = [numberOf(atom.left, call), numberOf(atom.right, call)]
      return left === undefined || right === undefined ? undefined : holds(left, atom.operator, right)
    }
    case 'flag':
      return flagOf(atom.of, call)
    case 'same_flag': {
      const left = flagOf(atom.left, call)
      const right = typeof atom.right === 'boolean' ? atom.right : flagOf(atom.right, call)
      return left === undefined || right === undefined ? undefined : (left === right) !== atom.negated
    }
    case 'same_text': {
      const [left, right] = [textOf(atom.left, call), textOf(atom.right, call)]
      return left === undefined || right === undefined ? undefined : (left === right) !== atom.negated
    }
    case 'part': {
      const text = valueOf(atom.of, call)
      if (typeof text !== 'string') return undefined
      if (atom.place === 'startsWith') return text.slice(0, atom.part.length) === atom.part
      if (atom.place === 'contains') return text.split(atom.part).length > 1
      return text.length >= atom.part.length && text.slice(text.length - atom.part.length) === atom.part
    }
    case 'one_of': {
      const item = textOf(atom.item, call)
      return item === undefined ? undefined : atom.list.some((one) => one === item)
    }
    case 'holds':
      return listOf(atom.of, call)?.some((one) => one === atom.item)
    case 'is_empty': {
      const list = listOf(atom.of, call)
      return list === undefined ? undefined : list.length === 0
    }
    case 'has': {
      const cell = call.cells.get(atom.of.name)
      if (cell?.state !== 'absent') return true
      return cell.parent === 'map' ? false : undefined
    }
    case 'time':
      return holds(call.now, atom.operator, atom.at)
    case 'env': {
      const { env } = call.around
      return env === undefined ? undefined : (env === atom.name) !== atom.negated
    }
    case 'role':
      return call.around.roles.includes(atom.name)
    case 'visited':
      return call.around.session?.[atom.list].some((one) => one === atom.item)
    case 'any_item':
      return listOf(atom.of, call)?.some((one) => holds(Number(one), atom.operator, atom.than))
    case 'every_item':
      return listOf(atom.of, call)?.every((one) => holds(Number(one), atom.operator, atom.than))
    default:
      return atom
  }
}

function holds(left: number, operator: Comparison, right: number): boolean {
  switch (operator) {
    case '==':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
    default:
      return operator
  }
}

function numberOf(tree: NumberTree, call: CallModel): number | undefined {
  switch (tree.kind) {
    case 'number':
      return tree.value
    case 'read': {
      const value = valueOf(tree.of, call)
      return typeof value === 'number' ? value : undefined
    }
    case 'negate': {
      const value = numberOf(tree.operand, call)
      return value === undefined ? undefined : -value
    }
    case 'arithmetic': {
      const [left, right] = [numberOf(tree.left, call), numberOf(tree.right, call)]
      if (left === undefined || right === undefined) return undefined
      const result = { '+': left + right, '-': left - right, '*': left * right, '/': left / right }[
        tree.operator
      ]
      return Number.isFinite(result) ? result : undefined
    }
    default:
      return tree
  }
}

function textOf(tree: TextTree, call: CallModel): string | undefined {
  if (tree.kind === 'text') return tree.value
  if (tree.kind === 'of_call') return tree.name === 'action' ? call.action : call.agent
  const value = valueOf(tree.of, call)
  return typeof value === 'string' ? value : undefined
}

function flagOf(ref: Ref, call: CallModel): boolean | undefined {
  const value = valueOf(ref, call)
  return typeof value === 'boolean' ? value : undefined
}

function listOf(ref: Ref, call: CallModel): readonly Json[] | undefined {
  const value = valueOf(ref, call)
  return Array.isArray(value) ? value : undefined
}

/**
 * The value that conditions find, of the type that is expected; undefined where there is none. The generator says
 * whether a value is of that type, so nothing is told from the value itself.
 */
export function valueOf(ref: Ref, call: CallModel): Json | undefined {
  if (ref.kind === 'fact' && !existsFor(ref, call.action)) return undefined
  const cell = call.cells.get(ref.name)
  if (cell?.state === 'there') return cell.value
  return cell?.state === 'absent' && ref.kind === 'fact' ? ref.default : undefined
}
