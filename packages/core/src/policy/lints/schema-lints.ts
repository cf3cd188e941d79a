import { childrenOf, nearest, type Node } from '@bailiwick/cel'
import type { Condition } from '../../model/policy.ts'
import type { DocumentPath } from '../positions.ts'
import { pathOf } from './atoms.ts'
import { isOwn, type Linted } from './linted.ts'

/** What parameter schemas do not speak of: actions without one, paths that they do not admit. */
export function checkSchemaUse(linted: Linted): void {
  if (!linted.schemas.any) return
  checkUncovered(linted)
  for (const written of linted.rules.filter(isOwn)) {
    const { rule, path, actions, others } = written
    if (others) continue
    checkPaths(rule.condition, [...path, 'condition'], actions, linted)
    checkPaths(rule.unless, [...path, 'unless'], actions, linted)
  }
  for (const { when, pattern, file } of linted.policy.actions) {
    if (file !== undefined || !pattern.exact) continue
    checkPaths(when, ['actions', pattern.text, 'when'], linted.callable.coveredBy([pattern]), linted)
  }
}

function checkUncovered({ leaf, schemas, callable, findings }: Linted): void {
  for (const [at, text] of leaf.content.allowed_actions?.entries() ?? []) {
    if (text.includes('*') || !callable.isCallable(text) || schemas.has(text)) continue
    const message = `\`${text}\` has no parameter schema, so any parameters pass`
    const fix = `add \`params\` under \`actions\` for it`
    findings.warning(leaf, leaf.positions.ofValue(['allowed_actions', at]), message, fix, {
      code: 'no-params-schema',
    })
  }
}

function checkPaths(
  condition: Condition | undefined,
  documentPath: DocumentPath,
  actions: readonly string[],
  { schemas, leaf, findings }: Linted,
): void {
  if (condition === undefined || actions.length === 0) return
  for (const { node, path } of paramPaths(condition.ast)) {
    if (!actions.every((action) => schemas.presence(action, path) === 'never')) continue
    const above = path.slice(0, -1)
    const names = actions.flatMap((action) => schemas.names(action, above))
    const near = nearest(path[path.length - 1] ?? '', names)
    const message = `no call that fits its schema has \`${['params', ...path].join('.')}\``
    const fix =
      near === undefined
        ? 'correct the path, or add it to the schema'
        : `did you mean \`${['params', ...above, near].join('.')}\`?`
    const place = leaf.positions.insideString(documentPath, node.start)
    findings.warning(leaf, place, message, fix, { code: 'unknown-parameter' })
  }
}

function paramPaths(node: Node): readonly { readonly node: Node; readonly path: readonly string[] }[] {
  const [root, ...path] = pathOf(node) ?? []
  if (root === 'params' && path.length > 0) return [{ node, path }]
  return childrenOf(node).flatMap(paramPaths)
}
