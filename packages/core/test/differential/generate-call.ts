import type { ApprovalFact, Facts, Json, JsonObject, ToolCall } from '../../src/index.ts'
import type { ApprovalId } from '../../src/index.ts'
import type { ActionName, AgentId, Instant } from '../../src/index.ts'
import { dayMs, epoch } from './generate-condition.ts'
import { actions, valueOfType } from './generate-policy.ts'
import type { CallModel, Cell, Claim, PolicyModel, Ref, ValueType } from './model.ts'
import { covers } from './naive.ts'
import type { Random } from './random.ts'

/** Names of actions that no policy here lists, and that a careless comparison could take for one that is. */
const strangers = ['', '*', 'PAY', 'pay ', 'refund', 'issue_refund_now', 'toString', '__proto__', 'export_']

/** A call of the policy's agent: usually of an action that its rules speak of, often with something wrong in it. */
export function generateCall(random: Random, policy: PolicyModel, numbers: 'whole' | 'any'): CallModel {
  const careful = random.chance(0.5)
  const cells = new Map(
    [...policy.facts, ...policy.raws].map((ref) => [
      ref.name,
      cellOf(random, ref, careful ? 0.02 : 0.3, numbers),
    ]),
  )
  return {
    agent: policy.agent,
    action: actionOf(random, policy),
    now: epoch + random.whole(-3, 3) * dayMs + random.pick([-1, 0, 0, 1]),
    cells,
    noise: noise(random, policy),
    claim: claimOf(random, policy),
    around: { env: undefined, session: undefined, roles: [], supports: [] },
  }
}

function actionOf(random: Random, policy: PolicyModel): string {
  if (random.chance(0.06)) return random.pick(strangers)
  const open = actions.filter(
    (name) =>
      policy.allowed.some((pattern) => covers(pattern, name)) &&
      !policy.forbidden.some((pattern) => covers(pattern, name)),
  )
  return open.length > 0 && random.chance(0.85) ? random.pick(open) : random.pick(actions)
}

function cellOf(random: Random, ref: Ref, mishaps: number, numbers: 'whole' | 'any'): Cell {
  if (!random.chance(mishaps)) return { state: 'there', value: valueOfType(random, ref.type, numbers) }
  if (random.chance(0.5)) return { state: 'wrong', value: random.pick(wrongValues(ref)) }
  const nested = ref.path.length > 1 && random.chance(0.6)
  return { state: 'absent', parent: nested ? random.pick(['missing', 'scalar', 'list'] as const) : 'map' }
}

const strange: Readonly<Record<ValueType, readonly Json[]>> = {
  number: ['12', '', true, [5], { valueOf: 5 }],
  bool: ['true', '', 1, 0, [true], {}],
  string: [5, 0, false, ['EU'], { EU: true }],
  'list<string>': ['EU', 5, true, { EU: true }, { length: 0 }],
  'list<number>': ['5', 5, true, { 5: true }, { length: 0 }],
}

// An item of another type spoils a declared list. Of a path, `in` looks at each item, which is another matter.
function wrongValues(ref: Ref): readonly Json[] {
  const spoilt: Json[] = ref.type === 'list<string>' ? [['EU', 5], [null]] : [[5, '5'], [[5]]]
  const lists = ref.kind === 'fact' && ref.type.startsWith('list') ? spoilt : []
  return [null, ...strange[ref.type], ...lists]
}

function noise(random: Random, policy: PolicyModel): Record<string, Json> {
  if (!random.chance(0.3)) return {}
  // What looks like a fact or like the host's word, and is but a parameter.
  const names = [
    ...policy.facts.map(({ name }) => name),
    'context',
    'action',
    'agent',
    'now',
    'approval',
    'session',
  ]
  return Object.fromEntries(
    random.some(names, 1, 3).map((name) => [name, random.pick([true, 0, 'EU', { f0: 1 }])]),
  )
}

function claimOf(random: Random, policy: PolicyModel): Claim {
  const kind = random.fraction()
  if (kind < 0.8) return { kind: 'none' }
  if (kind < 0.87) return { kind: 'refused' }
  return { kind: 'granted', routes: random.some(policy.routes, 1, 3).map(({ name }) => name) }
}

/** The call as the product takes it. */
export function writeCall(policy: PolicyModel, model: CallModel): ToolCall {
  const roots: Record<'params' | 'context', JsonObject> = { params: { ...model.noise }, context: {} }
  for (const ref of [...policy.facts, ...policy.raws]) {
    const cell = model.cells.get(ref.name)
    if (cell !== undefined) put(roots[ref.root], ref.path, cell)
  }
  return { agent: model.agent as AgentId, action: model.action as ActionName, ...roots }
}

function put(root: JsonObject, [first = '', ...rest]: readonly string[], cell: Cell): void {
  const target = root as Record<string, Json>
  const [leaf] = rest
  if (cell.state === 'absent') {
    if (leaf === undefined || cell.parent === 'missing') return
    target[first] = { map: { other: 1 }, scalar: 'text', list: [{ [leaf]: 1 }] }[cell.parent]
    return
  }
  target[first] = leaf === undefined ? cell.value : { [leaf]: cell.value }
}

/** What the store would add to the call. */
export function writeFacts(model: CallModel): Facts {
  const now = model.now as Instant
  const id = 'apr_7' as ApprovalId
  const { claim } = model
  if (claim.kind === 'none') return { now }
  const approval: ApprovalFact =
    claim.kind === 'refused'
      ? { kind: 'refused', id, why: 'expired' }
      : { kind: 'granted', id, routes: claim.routes }
  return { now, approval }
}
