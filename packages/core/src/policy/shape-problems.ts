import { nearest } from '@bailiwick/cel'
import { z } from 'zod'
import type { Problem } from '../model/problem.ts'
import { errorAt, inFileOrder } from './placed-problems.ts'
import type { DocumentPath, Positions } from './positions.ts'

/** What a kind of file has to say of keys that are there and should not be, or the other way round. */
export interface KeyAdvice {
  /** Keys that are refused with a sentence of their own. */
  readonly refused: ReadonlyMap<string, { readonly why: string; readonly fix: string }>
  /** What to do where a key is absent, if not just to add it. */
  readonly missing?: ReadonlyMap<string, string> | undefined
}

/** What was read, and by what it is judged. */
interface Misshapen<Content> {
  readonly format: KeyAdvice
  readonly schema: z.ZodType<Content>
  readonly json: unknown
  readonly positions: Positions
}

/** What is wrong with the shape of a file, in the order of the file. */
export function shapeProblems<Content>(
  issues: readonly z.core.$ZodIssue[],
  misshapen: Misshapen<Content>,
): Problem[] {
  const { format, json, positions } = misshapen
  const problems: Problem[] = []
  const missing: { readonly path: string; readonly problem: Problem }[] = []
  const meant = new Set<string>()
  for (const issue of issues.flatMap(meantIssues)) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const { problem, near } = unknownKey(issue.path, key, misshapen)
        problems.push(problem)
        if (near !== undefined) meant.add(pathText([...issue.path, near]))
      }
    } else if (isMissing(issue.path, json)) {
      const path = pathText(issue.path)
      const place = positions.ofValue(asDocumentPath(issue.path))
      const fix = format.missing?.get(path) ?? 'add it'
      missing.push({ path, problem: errorAt(place, 'missing-key', `\`${path}\` is missing`, fix) })
    } else {
      problems.push(wrongValue(issue, positions))
    }
  }
  // A misspelt key is one mistake, not an unknown key and a missing one.
  const reallyMissing = missing.filter(({ path }) => !meant.has(path)).map(({ problem }) => problem)
  return inFileOrder([...problems, ...reallyMissing])
}

/**
 * Where a value may have several forms and has one of them, but wrongly: what is wrong with that form, and not
 * that none fits.
 */
function meantIssues(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const [meant, ...others] = issue.errors.filter(
    (branch) => !branch.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
  )
  if (meant === undefined || others.length > 0) return [issue]
  return meant.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(meantIssues)
}

function wrongValue(issue: z.core.$ZodIssue, positions: Positions): Problem {
  const path = asDocumentPath(issue.path)
  const place = issue.code === 'invalid_key' ? positions.ofKey(path) : positions.ofValue(path)
  const where = path.length > 0 ? `\`${pathText(path)}\`` : 'the file'
  const inner = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
  return errorAt(place, 'wrong-value', `${where} ${inner}`, 'correct the value')
}

function unknownKey<Content>(
  parent: readonly PropertyKey[],
  key: string,
  { format, schema, positions }: Misshapen<Content>,
): { readonly problem: Problem; readonly near: string | undefined } {
  const place = positions.ofKey(asDocumentPath([...parent, key]))
  const refused = format.refused.get(key)
  if (refused !== undefined) {
    return {
      problem: errorAt(place, 'refused-key', `\`${key}\` ${refused.why}`, refused.fix),
      near: undefined,
    }
  }
  const known = keysAt(schema, parent)
  const near = nearest(key, known)
  const fix =
    near === undefined ? `remove it, or write one of ${known.join(', ')}` : `did you mean \`${near}\`?`
  return { problem: errorAt(place, 'unknown-key', `unknown key \`${key}\``, fix), near }
}

/** The keys that a format knows at a place. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  const [part, ...rest] = path
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return keysAt(schema.unwrap(), path)
  if (schema instanceof z.ZodPipe) return keysAt(schema.out, path)
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path))
  if (schema instanceof z.ZodArray) return part === undefined ? [] : keysAt(schema.element, rest)
  if (schema instanceof z.ZodRecord) return part === undefined ? [] : keysAt(schema.valueType, rest)
  if (!(schema instanceof z.ZodObject)) return []
  if (part === undefined) return Object.keys(schema.shape)
  const member: unknown = schema.shape[String(part)]
  return member instanceof z.ZodType ? keysAt(member, rest) : []
}

/** `['rules', 0, 'on']` as people write it: `rules[0].on`. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, at) =>
      typeof part === 'number' ? `[${part}]` : at === 0 ? String(part) : `.${String(part)}`,
    )
    .join('')
}

/** Whether the path's last key is absent from a map that is there. */
function isMissing(path: readonly PropertyKey[], json: unknown): boolean {
  let parent = json
  for (const part of path.slice(0, -1)) parent = memberOf(parent, part)
  const key = path[path.length - 1]
  if (key === undefined || typeof parent !== 'object' || parent === null) return false
  return !Object.hasOwn(parent, key)
}

function memberOf(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as Record<PropertyKey, unknown>)[key]
}

function asDocumentPath(path: readonly PropertyKey[]): DocumentPath {
  return path.map((part) => (typeof part === 'number' ? part : String(part)))
}
