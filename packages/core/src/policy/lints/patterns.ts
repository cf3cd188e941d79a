import { childrenOf, type Node } from '@bailiwick/cel'
import type { Condition } from '../../model/policy.ts'
import type { DocumentPath } from '../positions.ts'
import type { PolicySource } from '../sources.ts'
import type { Linted } from './linted.ts'
import { patternShape } from './pattern-shape.ts'

/** Regular expressions that find more or less than their author will have meant. */
export function checkPatterns(linted: Linted): void {
  for (const { rule, source, path } of linted.rules) {
    checkCondition(rule.condition, source, [...path, 'condition'], linted)
    checkCondition(rule.unless, source, [...path, 'unless'], linted)
  }
  for (const { rule, source, path } of linted.flows) {
    checkCondition(rule.unless, source, [...path, 'unless'], linted)
  }
  for (const { when, pattern, file } of linted.policy.actions) {
    const source = linted.sources.find((one) => one.file === file)
    if (source !== undefined) checkCondition(when, source, ['actions', pattern.text, 'when'], linted)
  }
}

function checkCondition(
  condition: Condition | undefined,
  source: PolicySource,
  path: DocumentPath,
  { findings }: Linted,
): void {
  if (condition === undefined) return
  for (const { node, pattern } of patternsIn(condition.ast)) {
    const place = source.positions.insideString(path, node.start)
    const shape = patternShape(pattern)
    if (shape.isImpossible) {
      const message = 'the pattern matches no text: it asks for something before `^` or behind `$`'
      findings.warning(source, place, message, 'correct the pattern', { code: 'pattern-never-matches' })
    } else if (shape.isUneven) {
      const message = '`^` and `$` belong to one alternative each, so the others match anywhere in a text'
      findings.warning(source, place, message, 'put the alternatives in brackets: `^(a|b)$`', {
        code: 'unanchored-pattern',
      })
    } else if (!shape.isTiedToStart && !shape.isTiedToEnd) {
      const message = '`matches` looks anywhere in the text: this pattern has neither `^` nor `$`'
      const fix = 'write `^` and `$` for the whole text, or `.*` where anything may stand'
      findings.warning(source, place, message, fix, { code: 'unanchored-pattern' })
    }
  }
}

function patternsIn(node: Node): readonly { readonly node: Node; readonly pattern: string }[] {
  const inner = childrenOf(node).flatMap(patternsIn)
  if (node.kind !== 'call' || node.name !== 'matches') return inner
  const pattern = node.args[node.args.length - 1]
  if (pattern?.kind !== 'literal' || typeof pattern.value !== 'string') return inner
  return [...inner, { node: pattern, pattern: pattern.value }]
}
