import { canonicalJson } from '../model/canonical-json.ts'
import type { ToolCall } from '../model/call.ts'
import type { Json } from '../model/json.ts'
import type { CompiledPolicy } from '../model/policy.ts'
import { valueAt } from './readers.ts'

const nobody: readonly string[] = Object.freeze([])

/**
 * Whose data a call holds, by its policy: the canonical JSON of the texts and numbers at its `subject` paths, each once.
 * A list stands for each of its items; anything else is nobody. Values are taken as they are: `"A1"` and `"a1"`, `7` and
 * `"7"` are different subjects.
 */
export function subjectsOf(
  policy: Pick<CompiledPolicy, 'subjects' | 'actions'>,
  { action, params, context }: Pick<ToolCall, 'action' | 'params' | 'context'>,
): readonly string[] {
  const { subjects } = policy
  if (!subjects.named) return nobody
  const found = new Set<string>()
  for (const [root, ...path] of subjectPaths(policy, action)) {
    addSubjects(valueAt(root === 'context' ? context : params, path), found)
  }
  return [...found]
}

function subjectPaths(
  { subjects, actions }: Pick<CompiledPolicy, 'subjects' | 'actions'>,
  action: string,
): readonly (readonly string[])[] {
  const own = actions.filter(({ subject, pattern }) => subject !== undefined && pattern.matches(action))
  return own.length === 0 ? subjects.otherwise : own.flatMap(({ subject = [] }) => subject)
}

function addSubjects(value: Json | undefined, found: Set<string>): void {
  if (typeof value === 'string' || typeof value === 'number') found.add(canonicalJson(value))
  else if (Array.isArray(value)) for (const item of value as readonly Json[]) addItem(item, found)
}

function addItem(item: Json, found: Set<string>): void {
  if (typeof item === 'string' || typeof item === 'number') found.add(canonicalJson(item))
}
