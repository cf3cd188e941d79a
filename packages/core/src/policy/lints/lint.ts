import type { CompiledPolicy } from '../../model/policy.ts'
import type { Findings, PolicySource } from '../sources.ts'
import type { ActionSchemas } from './action-schemas.ts'
import { checkAlwaysDenied } from './always-denied.ts'
import { CallableActions } from './callable-actions.ts'
import { checkCounters } from './counters.ts'
import { Domains } from './domains.ts'
import { checkFacts } from './fact-lints.ts'
import { writtenRules, type Linted } from './linted.ts'
import { checkOutcomes } from './outcomes.ts'
import { checkPatterns } from './patterns.ts'
import { checkReach } from './reach.ts'
import { checkSchemaUse } from './schema-lints.ts'
import { checkShadowed } from './shadowed.ts'
import { checkStanding } from './standing.ts'
import { checkThresholds } from './thresholds.ts'

/**
 * Looks for likely mistakes in a policy that has no errors: rules that never speak or change nothing, limits that
 * leave a hole, facts that a model can make up. What cannot be decided is passed over in silence.
 *
 * @param sources the policy file, then the files that it extends
 */
export function lintPolicy(
  policy: CompiledPolicy,
  sources: readonly PolicySource[],
  schemas: ActionSchemas,
  findings: Findings,
): void {
  const [leaf] = sources
  if (leaf === undefined) return
  const callable = new CallableActions(policy, sources)
  const linted: Linted = {
    policy,
    leaf,
    sources,
    schemas,
    callable,
    domains: new Domains(policy, schemas),
    ...writtenRules(policy, sources, callable),
    findings,
  }
  checkFacts(linted)
  checkSchemaUse(linted)
  checkReach(linted)
  checkOutcomes(linted)
  checkThresholds(linted, checkShadowed(linted))
  checkAlwaysDenied(linted)
  checkPatterns(linted)
  checkCounters(linted)
  checkStanding(linted)
}
