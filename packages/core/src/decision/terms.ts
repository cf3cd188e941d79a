import type { ApprovalTerms } from '../model/decision.ts'
import { approvalDeadlineMsDefault } from '../model/limits.ts'
import type { ApprovalRoute, CompiledPolicy, RuleBase } from '../model/policy.ts'

/** Whom a route asks that names nobody. */
const approversDefault: readonly string[] = ['role:approver', 'role:administrator']

/** The routes that matched rules ask for, each once. */
export function routesOf(matches: readonly { readonly rule: RuleBase }[]): readonly string[] {
  return [...new Set(matches.flatMap(({ rule }) => rule.route ?? []))]
}

/** The terms of several routes together: the most people, the shortest time, everyone's consent. */
export function approvalTerms(policy: CompiledPolicy, names: readonly string[]): ApprovalTerms {
  const routes = names.flatMap((name) => policy.routes.get(name) ?? [])
  return {
    routes: names,
    approvers: approverSets(routes),
    quorum: Math.max(1, ...routes.map(({ quorum }) => quorum)),
    deadlineMs: Math.min(
      ...routes.map(({ deadlineMs }) => deadlineMs),
      routes.length > 0 ? Infinity : approvalDeadlineMsDefault,
    ),
  }
}

// A person must be entitled by every route. A route that names nobody asks the usual people: beside routes
// that name somebody it must not fall away.
function approverSets(routes: readonly ApprovalRoute[]): readonly (readonly string[])[] {
  if (routes.every(({ approvers }) => approvers.length === 0)) return []
  return routes.map(({ approvers }) => (approvers.length === 0 ? approversDefault : approvers))
}
