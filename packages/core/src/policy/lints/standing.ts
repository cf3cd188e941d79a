import type { CompiledPolicy } from '../../model/policy.ts'
import { ruleSubjects } from './condition-region.ts'
import type { Subject } from './atoms.ts'
import type { Linted } from './linted.ts'

/** Parameters of the policy file's standing grants that may be anything, although people are asked because of a number in them. */
export function checkStanding({ policy, leaf, rules, findings }: Linted): void {
  for (const [name, { standing }] of Object.entries(leaf.content.approvals ?? {})) {
    for (const [param, how] of Object.entries(standing?.may_differ ?? {})) {
      if (how !== 'any') continue
      const asking = rules.find(
        ({ rule }) =>
          rule.route === name &&
          ruleSubjects(rule, policy.facts).some((subject) => isNumberOf(param, subject, policy)),
      )
      if (asking === undefined) continue
      const place = leaf.positions.ofValue(['approvals', name, 'standing', 'may_differ', param])
      const message = `\`${param}\` may be anything under a standing grant, and \`${asking.rule.id}\` asks people because of it`
      findings.warning(leaf, place, message, 'write up_to, or leave it out', { code: 'standing-any-number' })
    }
  }
}

function isNumberOf(param: string, { kind, read }: Subject, { facts }: CompiledPolicy): boolean {
  if (kind !== 'numbers') return false
  if (read.from === 'path') return read.path[0] === 'params' && read.path[1] === param
  const fact = read.from === 'name' ? facts.get(read.name) : undefined
  return fact?.source === 'params' && fact.path[0] === param
}
