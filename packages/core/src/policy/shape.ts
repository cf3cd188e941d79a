import { nearest } from '@bailiwick/cel'
import { LineCounter, parseDocument } from 'yaml'
import type { Problem } from '../model/problem.ts'
import { policyBytesMax } from '../model/limits.ts'
import { plannedKeys, policySchema, type PolicyFile } from './schema.ts'
import { Positions, type DocumentPath } from './positions.ts'

/** A policy file whose shape holds, and the means to find places in it. */
export type Shaped =
  | { readonly kind: 'shaped'; readonly file: PolicyFile; readonly json: unknown; readonly positions: Positions }
  | { readonly kind: 'misshapen'; readonly problems: readonly Problem[] }

/** Reads YAML and checks which keys stand where. Reports every problem, in the order of the file. */
export function shapePolicy(text: string): Shaped {
  if (new TextEncoder().encode(text).length > policyBytesMax) return tooLarge()
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true, uniqueKeys: true })
  if (document.errors.length > 0) {
    return { kind: 'misshapen', problems: document.errors.map((error) => yamlProblem(error)) }
  }
  let json: unknown
  try {
    json = document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    return misshapen(1, 1, `the YAML cannot be expanded: ${(cause as Error).message}`, 'write the values out instead of using aliases')
  }
  const positions = new Positions(document, lines, text)
  const parsed = policySchema.safeParse(json)
  if (parsed.success) return { kind: 'shaped', file: parsed.data, json, positions }
  const problems = parsed.error.issues.flatMap((issue) => schemaProblems(issue as SchemaIssue, positions))
  return { kind: 'misshapen', problems: inFileOrder(problems) }
}

/** Problems sorted by line and column, each once. */
export function inFileOrder(problems: readonly Problem[]): Problem[] {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
  return sorted.filter((problem, at) => {
    const before = sorted[at - 1]
    return !before || before.line !== problem.line || before.column !== problem.column || before.message !== problem.message
  })
}

function tooLarge(): Shaped {
  return misshapen(1, 1, `the policy is larger than ${policyBytesMax / 1024 / 1024} MiB`, 'split it into one file per agent')
}

function misshapen(line: number, column: number, message: string, fix: string): Shaped {
  return { kind: 'misshapen', problems: [{ severity: 'error', line, column, message, fix }] }
}

function yamlProblem(error: { message: string; linePos?: readonly { line: number; col: number }[] | undefined; code: string }): Problem {
  const place = error.linePos?.[0]
  const sentence = (error.message.split('\n')[0] ?? error.code).replace(/ at line \d+, column \d+:?$/, '')
  return {
    severity: 'error',
    line: place?.line ?? 1,
    column: place?.col ?? 1,
    message: `not valid YAML: ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`,
    fix: error.code === 'DUPLICATE_KEY' ? 'keep one of the two keys' : 'mend the YAML here or just before',
  }
}

interface SchemaIssue {
  readonly code: string
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly keys?: readonly string[]
  readonly input?: unknown
}

function schemaProblems(issue: SchemaIssue, positions: Positions): Problem[] {
  if (issue.code === 'unrecognized_keys' && issue.keys) {
    return issue.keys.map((key) => unknownKey([...issue.path, key], positions))
  }
  const place = issue.code === 'invalid_key' ? positions.ofKey(issue.path) : positions.ofValue(issue.path)
  const where = issue.path.length > 0 ? `\`${pathText(issue.path)}\` ` : 'the file '
  const missing = issue.code === 'invalid_type' && !positions.exists(issue.path)
  const message = missing ? `${where}is missing` : `${where}${issue.message}`
  return [{ severity: 'error', ...place, message, fix: missing ? 'add it' : 'correct the value' }]
}

function unknownKey(path: DocumentPath, positions: Positions): Problem {
  const key = String(path[path.length - 1])
  const place = positions.ofKey(path)
  if (plannedKeys.has(key)) {
    return {
      severity: 'error',
      ...place,
      message: `\`${key}\` is not enforced by this version`,
      fix: 'remove it: a policy must not promise what nothing enforces',
    }
  }
  const close = nearest(key, knownKeys(path))
  const fix = close ? `did you mean \`${close}\`?` : `remove it, or write one of ${knownKeys(path).join(', ')}`
  return { severity: 'error', ...place, message: `unknown key \`${key}\``, fix }
}

function knownKeys(path: DocumentPath): readonly string[] {
  if (path.length === 1) return Object.keys(policySchema.shape)
  if (path[0] === 'facts') return ['type', 'from', 'for', 'unit', 'default']
  if (path[0] === 'approvals') return ['approvers', 'quorum', 'deadline']
  if (path[0] === 'rules') return ['id', 'on', 'condition', 'effect', 'action', 'reason']
  return ['id', 'on', 'condition', 'action', 'reason']
}

/** `['rules', 0, 'on']` as people write it: `rules[0].on`. */
export function pathText(path: DocumentPath): string {
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`)).join('')
}
