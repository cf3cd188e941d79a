import type { Json } from '../../src/index.ts'

/** The types that a policy can declare for a fact. */
export type ValueType = 'number' | 'bool' | 'string' | 'list<string>' | 'list<number>'

/** Something of the call that conditions read. Its `name` is unique in the policy, and so is its path. */
interface Source {
  readonly name: string
  readonly type: ValueType
  readonly root: 'params' | 'context'
  readonly path: readonly string[]
}

/** A declared fact. */
export interface FactModel extends Source {
  readonly kind: 'fact'
  readonly for: readonly string[] | undefined
  readonly default: Json | undefined
}

/** A path written straight into conditions, such as `params.order.total`; `type` is what is expected there. */
export interface RawModel extends Source {
  readonly kind: 'raw'
}

export type Ref = FactModel | RawModel

/** An expression with a number for its value. */
export type NumberTree =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'read'; readonly of: Ref }
  | { readonly kind: 'negate'; readonly operand: NumberTree }
  | {
      readonly kind: 'arithmetic'
      readonly operator: '+' | '-' | '*' | '/'
      readonly left: NumberTree
      readonly right: NumberTree
    }

/** An expression with a text for its value. */
export type TextTree =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'read'; readonly of: Ref }
  | { readonly kind: 'of_call'; readonly name: 'action' | 'agent' }

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>='

/** A condition, or a part of one. */
export type Truth =
  | { readonly kind: 'and' | 'or'; readonly left: Truth; readonly right: Truth }
  | { readonly kind: 'not'; readonly operand: Truth }
  | { readonly kind: 'choice'; readonly test: Truth; readonly yes: Truth; readonly no: Truth }
  | Atom

/** A part of a condition that is no combination of others. */
export type Atom =
  | {
      readonly kind: 'compare'
      readonly operator: Comparison
      readonly left: NumberTree
      readonly right: NumberTree
    }
  | { readonly kind: 'flag'; readonly of: Ref }
  | {
      readonly kind: 'same_flag'
      readonly negated: boolean
      readonly left: Ref
      readonly right: Ref | boolean
    }
  | {
      readonly kind: 'same_text'
      readonly negated: boolean
      readonly left: TextTree
      readonly right: TextTree
    }
  | {
      readonly kind: 'part'
      readonly place: 'startsWith' | 'endsWith' | 'contains'
      readonly of: Ref
      readonly part: string
    }
  | { readonly kind: 'one_of'; readonly item: TextTree; readonly list: readonly string[] }
  | { readonly kind: 'holds'; readonly of: Ref; readonly item: string | number }
  | { readonly kind: 'is_empty'; readonly of: Ref }
  | { readonly kind: 'has'; readonly of: RawModel }
  | { readonly kind: 'time'; readonly operator: Comparison; readonly at: number }
  | Around
  /** Not for Cedar, which cannot go over the items of a set. */
  | {
      readonly kind: 'any_item' | 'every_item'
      readonly of: Ref
      readonly operator: Comparison
      readonly than: number
    }

/** Something of what surrounds the call. Not for Cedar: it is asked about calls by themselves. */
export type Around =
  | { readonly kind: 'env'; readonly negated: boolean; readonly name: string }
  | { readonly kind: 'role'; readonly name: string }
  | { readonly kind: 'visited'; readonly list: 'labels' | 'actions'; readonly item: string }

export interface RuleModel {
  readonly id: string
  /** Whether the file names the id; otherwise it is the rule's place. */
  readonly named: boolean
  readonly place: 'escalation_rules' | 'rules'
  readonly effect: 'deny' | 'escalate'
  readonly on: readonly string[] | undefined
  readonly condition: Truth | undefined
  readonly route: string | undefined
}

export interface RouteModel {
  readonly name: string
  /** What the file says; undefined: the file does not describe the route. */
  readonly terms: { readonly quorum: number; readonly minutes: number } | undefined
}

/** A policy before it is written down in any language. */
export interface PolicyModel {
  readonly agent: string
  readonly allowed: readonly string[]
  readonly forbidden: readonly string[]
  readonly facts: readonly FactModel[]
  readonly raws: readonly RawModel[]
  readonly rules: readonly RuleModel[]
  readonly routes: readonly RouteModel[]
}

/** What a call carries for one source. */
export type Cell =
  | { readonly state: 'there'; readonly value: Json }
  /** `leaf`: only the last name of the path is missing. Otherwise what stands above it is no map. */
  | { readonly state: 'absent'; readonly parent: 'map' | 'missing' | 'scalar' | 'list' }
  /** A value of another type than expected. */
  | { readonly state: 'wrong'; readonly value: Json }

/** What the call says of an approval. */
export type Claim =
  | { readonly kind: 'none' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'granted'; readonly routes: readonly string[] }

/** A call before it is written down as params and context. */
export interface CallModel {
  readonly agent: string
  readonly action: string
  readonly now: number
  readonly cells: ReadonlyMap<string, Cell>
  /** Keys of the params that nothing reads, whatever they are called. */
  readonly noise: Readonly<Record<string, Json>>
  readonly claim: Claim
  readonly around: Surroundings
}

/** What is known of where a call happens, and of who makes it. */
export interface Surroundings {
  readonly env: string | undefined
  /** What the call's session has been through; undefined: the call names none. */
  readonly session: { readonly labels: readonly string[]; readonly actions: readonly string[] } | undefined
  /** The roles of the agent. */
  readonly roles: readonly string[]
  /** The obligations that the caller carries out. */
  readonly supports: readonly string[]
}

/** Every source that a condition reads, as often as it does. */
export function refsIn(tree: Truth): readonly Ref[] {
  switch (tree.kind) {
    case 'and':
    case 'or':
      return [...refsIn(tree.left), ...refsIn(tree.right)]
    case 'not':
      return refsIn(tree.operand)
    case 'choice':
      return [...refsIn(tree.test), ...refsIn(tree.yes), ...refsIn(tree.no)]
    case 'compare':
      return [...refsInNumber(tree.left), ...refsInNumber(tree.right)]
    case 'same_flag':
      return [tree.left, ...(typeof tree.right === 'boolean' ? [] : [tree.right])]
    case 'same_text':
      return [tree.left, tree.right].flatMap(refsInText)
    case 'one_of':
      return refsInText(tree.item)
    case 'time':
    case 'env':
    case 'role':
    case 'visited':
      return []
    default:
      return [tree.of]
  }
}

function refsInNumber(tree: NumberTree): readonly Ref[] {
  switch (tree.kind) {
    case 'number':
      return []
    case 'read':
      return [tree.of]
    case 'negate':
      return refsInNumber(tree.operand)
    case 'arithmetic':
      return [...refsInNumber(tree.left), ...refsInNumber(tree.right)]
    default:
      return tree
  }
}

function refsInText(tree: TextTree): readonly Ref[] {
  return tree.kind === 'read' ? [tree.of] : []
}

/** Whether a condition reads anything but declared facts: params, context, the time, the call's own names. */
export function readsBesideFacts(tree: Truth): boolean {
  switch (tree.kind) {
    case 'and':
    case 'or':
      return readsBesideFacts(tree.left) || readsBesideFacts(tree.right)
    case 'not':
      return readsBesideFacts(tree.operand)
    case 'choice':
      return [tree.test, tree.yes, tree.no].some(readsBesideFacts)
    case 'time':
    case 'env':
    case 'role':
    case 'visited':
      return true
    case 'same_text':
      return [tree.left, tree.right].some(isOfCall) || readsRaw(tree)
    case 'one_of':
      return isOfCall(tree.item) || readsRaw(tree)
    default:
      return readsRaw(tree)
  }
}

function readsRaw(tree: Truth): boolean {
  return refsIn(tree).some(({ kind }) => kind === 'raw')
}

function isOfCall(tree: TextTree): boolean {
  return tree.kind === 'of_call'
}
