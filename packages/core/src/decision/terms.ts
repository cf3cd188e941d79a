import { voteChannels } from '../model/vote-channel.ts'
import type {
  ApprovalTerms,
  BusinessHours,
  EscalationTerms,
  StandingDifference,
  StandingTerms,
} from '../model/decision.ts'
import { approvalDeadlineMsDefault } from '../model/limits.ts'
import type { ApprovalRoute, CompiledPolicy, RuleBase } from '../model/policy.ts'

/** Whom a route asks that names nobody. */
const approversDefault: readonly string[] = ['role:approver', 'role:administrator']

/** The routes that matched rules ask for, each once. */
export function routesOf(matches: readonly { readonly rule: RuleBase }[]): readonly string[] {
  return [...new Set(matches.flatMap(({ rule }) => rule.route ?? []))]
}

/** The terms of several routes together: the most people, the shortest time, everyone's consent. What says nothing is absent. */
export function approvalTerms(policy: CompiledPolicy, names: readonly string[]): ApprovalTerms {
  const routes = names.flatMap((name) => policy.routes.get(name) ?? [])
  // A route that nobody describes asks for what is usual.
  const isWhole = routes.length === names.length && routes.length > 0
  const quorumOf = quorumsOf(routes)
  const quorums = Object.values(quorumOf)
  const named = quorums.reduce((sum, count) => sum + count, 0)
  const escalateTo = escalationsOf(routes)
  const remindMs = [...new Set(routes.flatMap((route) => route.remindMs))].sort((a, b) => a - b)
  const exclude = [...new Set(routes.flatMap((route) => route.exclude))].sort()
  const hours = isWhole ? commonHours(routes) : undefined
  return {
    routes: names,
    approvers: approverSets(routes),
    quorum: Math.max(1, named, ...routes.map(({ quorum }) => quorum)),
    ...(quorums.length > 0 ? { quorumOf } : {}),
    deadlineMs: Math.min(
      ...routes.map(({ deadlineMs }) => deadlineMs),
      routes.length > 0 ? Infinity : approvalDeadlineMsDefault,
    ),
    ...(escalateTo.length > 0 ? { escalateTo } : {}),
    ...(remindMs.length > 0 ? { remindMs } : {}),
    ...(hours === undefined ? {} : { hours }),
    ...(exclude.length > 0 ? { exclude } : {}),
    // Consent is more than having looked.
    asks: isWhole && routes.every(({ asks }) => asks === 'acknowledgement') ? 'acknowledgement' : 'consent',
    ...channelsOf(routes),
    ...(routes.some(({ signed }) => signed) ? { signed: true } : {}),
    ...(isWhole ? breakGlassOf(routes) : {}),
    ...(isWhole && routes.every((route) => route.survivesPolicyChange) ? { survivesPolicyChange: true } : {}),
    ...(isWhole ? standingOf(routes) : {}),
  }
}

// A person must be entitled by every route. A route that names nobody asks the usual people: beside routes
// that name somebody it must not fall away.
function approverSets(routes: readonly ApprovalRoute[]): readonly (readonly string[])[] {
  const named = routes.some(({ approvers, escalateTo }) => approvers.length > 0 || escalateTo.length > 0)
  if (!named) return []
  return routes.map(({ approvers }) => (approvers.length === 0 ? approversDefault : approvers))
}

// Every route has to take it. Where they have no channel in common, nobody can answer, and silence is a denial.
function channelsOf(routes: readonly ApprovalRoute[]): Pick<ApprovalTerms, 'channels'> {
  const lists = routes.flatMap(({ channels }) => (channels === undefined ? [] : [channels]))
  if (lists.length === 0) return {}
  return { channels: voteChannels.filter((channel) => lists.every((list) => list.includes(channel))) }
}

// Nobody breaks the glass of a route that has none.
function breakGlassOf(routes: readonly ApprovalRoute[]): Pick<ApprovalTerms, 'breakGlass'> {
  const glasses = routes.flatMap(({ breakGlass }) => breakGlass ?? [])
  if (glasses.length < routes.length) return {}
  return {
    breakGlass: {
      approvers: glasses.map(({ approvers }) => approvers),
      quorum: Math.max(...glasses.map(({ quorum }) => quorum)),
    },
  }
}

// What one route does not let people grant, nobody grants: the fewest calls, the shortest time, the parameters that all name.
function standingOf(routes: readonly ApprovalRoute[]): Pick<ApprovalTerms, 'standing'> {
  const all = routes.flatMap(({ standing }) => standing ?? [])
  const [first, ...others] = all
  if (first === undefined || all.length < routes.length) return {}
  // Consent for one route is none to what another only wants to be looked at.
  if (routes.some(({ asks }) => asks !== 'consent')) return {}
  const mayDiffer = first.mayDiffer.flatMap(({ param, how }): readonly StandingDifference[] => {
    const hows = [how, ...others.flatMap((other) => howIn(other, param))]
    if (hows.length < all.length) return []
    return [{ how: hows.includes('up_to') ? 'up_to' : 'any', param }]
  })
  return {
    standing: {
      uses: Math.min(...all.map(({ uses }) => uses)),
      lastsMs: Math.min(...all.map(({ lastsMs }) => lastsMs)),
      mayDiffer,
    },
  }
}

function howIn({ mayDiffer }: StandingTerms, param: string): readonly StandingDifference['how'][] {
  return mayDiffer.filter((each) => each.param === param).map(({ how }) => how)
}

// Sorted by name, as canonical JSON has them.
function quorumsOf(routes: readonly ApprovalRoute[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>()
  for (const { quorumOf } of routes) {
    for (const [entry, count] of quorumOf) counts.set(entry, Math.max(count, counts.get(entry) ?? 0))
  }
  return Object.fromEntries([...counts].sort(([one], [other]) => (one < other ? -1 : 1)))
}

function escalationsOf(routes: readonly ApprovalRoute[]): readonly EscalationTerms[] {
  return routes
    .flatMap(({ escalateTo }, set) =>
      escalateTo.map(({ afterMs, approvers }) => ({ afterMs, approvers, set })),
    )
    .sort((one, other) => one.afterMs - other.afterMs || one.set - other.set)
}

// The clock stands still only where it does for every route that asks.
function commonHours(routes: readonly ApprovalRoute[]): BusinessHours | undefined {
  const [first, ...others] = routes.map(({ hours }) => hours)
  const text = JSON.stringify(first)
  return others.every((other) => JSON.stringify(other) === text) ? first : undefined
}
