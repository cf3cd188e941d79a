import { nearest } from '@bailiwick/cel'
import type { FlowRule } from '../model/policy.ts'
import { namePattern } from './pattern.ts'
import { ruleBase, type RuleContext } from './rules.ts'
import type { PolicyFile } from './schema.ts'
import type { PolicySource } from './sources.ts'

/** Compiles the `flows` of one file. `labels`: what the actions of the policy leave behind. */
export function compileFlows(
  source: PolicySource,
  labels: ReadonlySet<string>,
  context: RuleContext,
): readonly FlowRule[] {
  return (source.content.flows ?? []).map((written, at) => {
    const place = { source, path: ['flows', at] }
    const unless = context.conditions.compile(source, [...place.path, 'unless'], written.unless)
    const after = afterOf(written)
    if (after.kind === 'label' && !labels.has(after.label)) {
      const near = nearest(after.label, [...labels])
      const fix =
        near === undefined
          ? 'add it to the `labels` of an action, unless agents with other policies leave it behind'
          : `did you mean \`${near}\`?`
      const position = source.positions.ofValue([...place.path, 'after'])
      context.references.findings.warning(
        source,
        position,
        `no action leaves the label \`${after.label}\` behind`,
        fix,
        { code: 'unknown-label' },
      )
    }
    return {
      ...ruleBase(written, place, context.references),
      after,
      unless,
      facts: context.conditions.factsOf(unless),
    }
  })
}

function afterOf({ after }: NonNullable<PolicyFile['flows']>[number]): FlowRule['after'] {
  if (after.label !== undefined) return { kind: 'label', label: after.label }
  return { kind: 'action', pattern: namePattern(after.action ?? '') }
}
