import { childrenOf, type Node, type TracedPart } from '@bailiwick/cel'
import type { ExplainedPart } from '../model/explanation.ts'
import { shownText, type Secrets } from './shown.ts'

/** How many parts of one condition are told. */
const partsMax = 200

/** What became of a condition, part by part. What literals and paths are made of tells nothing, and is left out. */
export function explainedParts(traced: TracedPart, secrets: Secrets): ExplainedPart {
  const left = { parts: partsMax }
  // A variable of a comprehension stands for items of its range: what is secret of those is secret of it.
  return explained(traced, secrets, new Set(), left)
}

function explained(
  { node, text, result, parts }: TracedPart,
  secrets: Secrets,
  secretVariables: ReadonlySet<string>,
  left: { parts: number },
): ExplainedPart {
  left.parts -= 1
  const variables =
    node.kind === 'macro' || node.kind === 'bind' ? within(node, secrets, secretVariables) : secretVariables
  const inner: ExplainedPart[] = []
  // What a field is taken from tells no more than the field.
  for (const part of isPath(node) ? [] : parts) {
    if (isWritten(part.node) || left.parts <= 0) continue
    inner.push(explained(part, secrets, variables, left))
  }
  const value = result.kind === 'value' ? shown(result.value, node, secrets, variables) : null
  return { text, value, error: result.kind === 'error' ? result.message : null, parts: inner }
}

/** Whether people read the value in the text itself: a literal, or a list of literals. */
function isWritten(node: Node): boolean {
  return node.kind === 'literal' || (node.kind === 'list' && childrenOf(node).every(isWritten))
}

/** `params.card.number`: a name and fields of it. */
function isPath(node: Node): boolean {
  return node.kind === 'select' && (node.operand.kind === 'name' || isPath(node.operand))
}

function within(
  node: Extract<TracedPart['node'], { kind: 'macro' | 'bind' }>,
  secrets: Secrets,
  known: ReadonlySet<string>,
): ReadonlySet<string> {
  const range = node.kind === 'macro' ? node.range : node.value
  if (!isSecret(range, secrets, known)) return known
  const second = node.kind === 'macro' ? node.second : undefined
  return new Set([...known, node.variable, ...(second === undefined ? [] : [second])])
}

function shown(
  value: unknown,
  node: TracedPart['node'],
  secrets: Secrets,
  variables: ReadonlySet<string>,
): string {
  // Whether something holds is what the decision says anyway.
  if (typeof value === 'boolean' && node.kind !== 'name' && node.kind !== 'select') return String(value)
  return isSecret(node, secrets, variables) ? secrets.mask : shownText(value)
}

function isSecret(node: TracedPart['node'], secrets: Secrets, variables: ReadonlySet<string>): boolean {
  return secrets.isSecretPart(node) || (variables.size > 0 && mentions(node, variables))
}

function mentions(node: TracedPart['node'], names: ReadonlySet<string>): boolean {
  if (node.kind === 'name') return names.has(node.name)
  return childrenOf(node).some((part) => mentions(part, names))
}
