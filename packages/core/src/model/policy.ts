import type { RuleId } from './ids.ts'
import type { ApprovalAsk, BusinessHours, Obligation, PolicyRef, StandingTerms } from './decision.ts'
import type { PlanMemo } from './plan.ts'
import type {
  Condition,
  ConditionRule,
  Counter,
  FactDeclaration,
  FlowRule,
  NamePattern,
  Standing,
} from './rule.ts'
import type { VoteChannel } from './vote-channel.ts'
import type { TimeWindow } from './window.ts'

export type {
  Condition,
  ConditionRule,
  Counter,
  FactDeclaration,
  FactSource,
  FactType,
  FlowRule,
  NamePattern,
  RuleBase,
  Standing,
  ValueExpression,
} from './rule.ts'

/** An entry of `allowed_actions` or `forbidden_actions`. */
export interface ListedAction extends Standing {
  readonly id: RuleId
  readonly pattern: NamePattern
}

/** The parameters that an action takes. Opaque: a JSON Schema, compiled. */
export interface ParamsSchema {
  /** Whether the parameters fit. */
  accepts(params: unknown): boolean
  /** Why they do not: paths below `params`, and sentences without values. Empty where they fit. */
  problems(params: unknown): readonly ParamsProblem[]
}

/** One thing that is wrong with the parameters of a call. */
export interface ParamsProblem {
  readonly path: readonly (string | number)[]
  /** To be read after the path: `must be a number`. */
  readonly message: string
}

/** What an action has to satisfy beyond being allowed, and what it entails. One entry of `actions`. */
export interface ActionConstraints extends Standing {
  /** `actions.` and the pattern as it is written. */
  readonly id: RuleId
  readonly pattern: NamePattern
  readonly params: ParamsSchema | undefined
  /** The agent needs one of these roles; undefined: none. */
  readonly roles: readonly string[] | undefined
  readonly when: Condition | undefined
  /** The names of facts that `when` uses. */
  readonly facts: readonly string[]
  readonly window: TimeWindow | undefined
  readonly environments: readonly string[] | undefined
  /** Paths such as `['params', 'iban']` that are masked wherever people or webhooks see them. */
  readonly sensitive: readonly (readonly string[])[]
  /** Paths to whose data a call holds; undefined where the entry does not say. */
  readonly subject: readonly (readonly string[])[] | undefined
  /** What the session is marked with once the action was allowed. */
  readonly labels: readonly string[]
  readonly obligations: readonly Obligation[]
  /** Paths that must be there and not empty: `['context', 'reason']`. */
  readonly requires: readonly (readonly string[])[]
}

/** Where calls say whose data they hold. */
export interface SubjectPaths {
  /** Whether any of the policy's files says so of any call. */
  readonly named: boolean
  /** For actions of which no entry says so. */
  readonly otherwise: readonly (readonly string[])[]
}

/** What an escalation's `action` means. */
export interface ApprovalRoute {
  readonly name: string
  /** `role:NAME`, `group:NAME` or `person:EMAIL`; empty: the roles `approver` and `administrator`. */
  readonly approvers: readonly string[]
  readonly quorum: number
  /** How many have to stand for an entry, by entry. */
  readonly quorumOf: ReadonlyMap<string, number>
  readonly deadlineMs: number
  readonly escalateTo: readonly { readonly afterMs: number; readonly approvers: readonly string[] }[]
  readonly remindMs: readonly number[]
  readonly hours: BusinessHours | undefined
  /** Entries like those of `approvers`. */
  readonly exclude: readonly string[]
  readonly asks: ApprovalAsk
  /** Over which channels votes come; undefined: over all. */
  readonly channels: readonly VoteChannel[] | undefined
  /** Votes have to be signed. */
  readonly signed: boolean
  readonly survivesPolicyChange: boolean
  /** Who may let a call through in an emergency; undefined: nobody. */
  readonly breakGlass: { readonly approvers: readonly string[]; readonly quorum: number } | undefined
  /** What people may grant beside the one call; undefined: nothing. */
  readonly standing: StandingTerms | undefined
}

/** The environments that a policy is made for, by all of its files. */
export interface EnvironmentList extends Standing {
  readonly names: readonly string[]
}

/** One file that a policy extends. */
export interface ParentFile {
  /** Seen from the policy file, such as `../org.yaml`. */
  readonly file: string
  readonly source: string
}

/** A policy that has been read, checked and compiled, with all that it extends; immutable. */
export interface CompiledPolicy {
  readonly ref: PolicyRef
  /** The policy's `agent_id`, or the first of its `agents`. */
  readonly agentId: string
  /** The agents that it binds. */
  readonly agents: readonly NamePattern[]
  readonly domain: string | undefined
  /** `shadow`: decided and recorded, and nothing is stopped. */
  readonly mode: 'enforce' | 'shadow'
  /** The environments it is made for; undefined: all. */
  readonly environments: EnvironmentList | undefined
  readonly allowed: readonly ListedAction[]
  /** The lists of the files it extends. An action has to be on every one of them, too. */
  readonly parentsAllow: readonly (readonly ListedAction[])[]
  readonly forbidden: readonly ListedAction[]
  readonly actions: readonly ActionConstraints[]
  /** Whose data calls hold. */
  readonly subjects: SubjectPaths
  readonly facts: ReadonlyMap<string, FactDeclaration>
  readonly rules: readonly ConditionRule[]
  readonly flows: readonly FlowRule[]
  readonly counters: readonly Counter[]
  readonly routes: ReadonlyMap<string, ApprovalRoute>
  /** Groups of agents: role → who has it. */
  readonly roles: ReadonlyMap<string, readonly NamePattern[]>
  /** The file's text, kept so that decisions can be replayed and people can read what decided. */
  readonly source: string
  /** What it extends, each file once; needed to replay, too. */
  readonly parents: readonly ParentFile[]
  readonly plans: PlanMemo
}
