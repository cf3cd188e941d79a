import type { Json } from '../../src/index.ts'
import { zones } from './generate-history.ts'
import {
  week,
  type EntryModel,
  type GuardedPolicy,
  type GuardedRule,
  type MemberModel,
  type SchemaModel,
} from './guards-model.ts'
import type { CallModel, Ref } from './model.ts'
import { covers, isSilent, listed, naiveVerdict, truthOf, type Match } from './naive.ts'
import type { Verdict } from './verdict.ts'

/** A verdict with what an allowed call obliges to, and what a policy in shadow mode would have done. */
export interface GuardedVerdict extends Verdict {
  readonly obligations: readonly string[]
  /** The effect, the code and the rules, as far as there are any. */
  readonly would: readonly (string | undefined)[] | undefined
}

/** The second reading of the manual for constraints of actions, for rules with guards, and for shadow mode. */
export function guardedVerdict(policy: GuardedPolicy, call: CallModel): GuardedVerdict {
  const entries = policy.entries.filter(({ pattern }) => covers(pattern, call.action))
  const undone = call.around.supports.includes('redact') ? [] : entries.filter(({ redacts }) => redacts)
  const verdict = naiveVerdict(policy, call, {
    matches: policy.guarded.flatMap((rule) => guardedMatch(rule, policy, call)),
    broken: brokenBy(policy, entries, call),
    undone: undone.map(({ pattern }) => `actions.${pattern}.obligations deny matched`),
  })
  const obligations = [
    ...(entries.some(({ redacts }) => redacts) && undone.length === 0 ? ['redact'] : []),
    ...(entries.some(({ notifies }) => notifies) ? ['notify'] : []),
  ]
  const { effect, code, rules } = verdict
  if (effect === 'allow') return { ...verdict, obligations, would: undefined }
  if (policy.mode === 'enforce' || code === 'approval_refused')
    return { ...verdict, obligations: [], would: undefined }
  // A false claim is denied in any mode, and what else speaks against the call does not make it milder.
  if (call.claim.kind === 'refused') {
    return {
      effect: 'deny',
      code: 'approval_refused',
      rules: [],
      terms: undefined,
      usesApproval: false,
      obligations: [],
      would: undefined,
    }
  }
  return {
    effect: 'allow',
    code: undefined,
    rules: listed(policy.allowed, 'allowed_actions', 'allow', call.action).sort(),
    terms: undefined,
    usesApproval: call.claim.kind === 'granted',
    obligations,
    would: [effect, code, ...rules],
  }
}

// All of its parts hold: what is false ends it, and of the rest, what cannot be told counts as if it held.
function guardedMatch(rule: GuardedRule, policy: GuardedPolicy, call: CallModel): Match[] {
  const { on, condition, unless, window, outside, environments } = rule
  if (on !== undefined && !on.some((pattern) => covers(pattern, call.action))) return []
  if (condition !== undefined && isSilent(condition, call.action)) return []
  const excused = unless === undefined ? false : truthOf(unless, call)
  const parts = [
    window === undefined || isInside(window, policy, call),
    outside === undefined || !isInside(outside, policy, call),
    environments === undefined || (call.around.env && environments.includes(call.around.env)),
    condition === undefined || truthOf(condition, call),
    excused === undefined ? undefined : !excused,
  ]
  if (parts.includes(false)) return []
  return [{ rule, because: parts.includes(undefined) ? 'condition_error' : 'matched' }]
}

const codes = [
  'role_missing',
  'wrong_environment',
  'outside_window',
  'params_invalid',
  'when_false',
  'requirement_missing',
] as const

type Broken = readonly [code: (typeof codes)[number], line: string]

function brokenBy(policy: GuardedPolicy, entries: readonly EntryModel[], call: CallModel) {
  const own = isThere(policy.environments, call) ? [] : ['environments deny matched']
  const all = entries.flatMap((entry) => brokenOf(entry, policy, call))
  if (own.length + all.length === 0) return undefined
  const first = codes.find((code) => all.some(([broken]) => broken === code)) ?? ''
  // Where the policy as a whole is not made for this place, that comes before anything of the action.
  const code = own.length > 0 ? 'wrong_environment' : first
  return { code, rules: [...own, ...all.map(([, line]) => line)] }
}

function brokenOf(entry: EntryModel, policy: GuardedPolicy, call: CallModel): Broken[] {
  const { pattern, roles, environments, window, params, when, requires } = entry
  const broken: Broken[] = []
  const breaks = (code: Broken[0], key: string, because = 'matched'): void => {
    broken.push([code, `actions.${pattern}.${key} deny ${because}`])
  }
  if (roles?.some((role) => call.around.roles.includes(role)) === false) breaks('role_missing', 'roles')
  if (!isThere(environments, call)) breaks('wrong_environment', 'environments')
  if (window !== undefined && !isInside(window, policy, call)) breaks('outside_window', 'window')
  if (params !== undefined && !fits(params, policy, call)) breaks('params_invalid', 'params')
  const holds = when === undefined ? true : truthOf(when, call)
  if (holds !== true) breaks('when_false', 'when', holds === false ? 'matched' : 'condition_error')
  if (requires !== undefined && isEmpty(requires, call)) breaks('requirement_missing', 'obligations')
  return broken
}

// Unlike in a rule, an environment that nobody has named is none of those that are asked for.
function isThere(environments: readonly string[] | undefined, { around: { env } }: CallModel): boolean {
  return environments === undefined || (env !== undefined && environments.includes(env))
}

function isEmpty(ref: Ref, call: CallModel): boolean {
  const cell = call.cells.get(ref.name)
  if (cell === undefined || cell.state === 'absent') return true
  return ['null', '""', '[]', '{}'].includes(JSON.stringify(cell.value))
}

function fits({ members, closed }: SchemaModel, policy: GuardedPolicy, call: CallModel): boolean {
  const named = members.map(({ of }) => of.path[0])
  const sent = [...policy.facts, ...policy.raws].filter(
    ({ root, name, path }) => root === 'params' && isSent(path, name, call),
  )
  const stranger = Object.keys(call.noise).length > 0 || sent.some(({ path }) => !named.includes(path[0]))
  return !(closed && stranger) && members.every((member) => memberFits(member, call))
}

/** Whether the params have a member of the first name of the path, whatever it is. */
function isSent(path: readonly string[], name: string, call: CallModel): boolean {
  const cell = call.cells.get(name)
  if (cell?.state !== 'absent') return true
  return path.length > 1 && cell.parent !== 'missing'
}

function memberFits({ of, required, bound }: MemberModel, call: CallModel): boolean {
  const cell = call.cells.get(of.name)
  if (cell === undefined || cell.state === 'wrong') return false
  if (cell.state === 'absent') return !required && (cell.parent === 'map' || cell.parent === 'missing')
  return isWithin(cell.value, bound)
}

function isWithin(value: Json, bound: number): boolean {
  if (typeof value === 'number') return value >= bound
  if (typeof value === 'string') return Array.from(value).length <= bound
  return Array.isArray(value) ? value.length <= bound : true
}

function isInside(name: string, { windows }: GuardedPolicy, { now }: CallModel): boolean {
  const window = windows.find((one) => one.name === name)
  if (window === undefined) throw new Error('unreachable')
  const { zone, days, from, to } = window
  const [day = '', time = ''] = localTime(now, zone).split(' ')
  const at = week.findIndex((one) => one === day.toLowerCase())
  const [today, yesterday] = [at, (at + 6) % 7].map((index) => days.some((one) => one === week[index]))
  // Times compare as texts: `08:30` comes before `18:00`.
  if (from < to) return today === true && from <= time && time < to
  return (today === true && from <= time) || (yesterday === true && time < to)
}

// To make one takes far longer than to use it.
const clocks: ReadonlyMap<string, Intl.DateTimeFormat> = new Map(
  zones.map((timeZone) => [
    timeZone,
    new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    }),
  ]),
)

/** Such as `Mon 08:30`. */
function localTime(at: number, zone: string): string {
  return (clocks.get(zone)?.format(at) ?? '').replace(',', '')
}
