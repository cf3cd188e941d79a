import { nearest } from '@bailiwick/cel'
import { isNode, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml'
import { z } from 'zod'
import type { Problem } from '../model/problem.ts'
import type { ProblemCode } from './problem-codes.ts'
import { Positions, type DocumentPath, type Position } from './positions.ts'

/** A kind of file that people write as YAML. */
export interface YamlFormat<Content> {
  /** As messages call it, such as `the policy`. */
  readonly name: string
  /** The schema for what was read; different contents may be of different forms. */
  schemaFor(json: unknown): z.ZodType<Content>
  readonly bytesMax: number
  /** What to do with a file that is larger. */
  readonly tooLargeFix: string
  /** Keys that are refused with a sentence of their own. */
  readonly refused: ReadonlyMap<string, { readonly why: string; readonly fix: string }>
}

/** A file whose shape holds, and the means to find places in it. */
export type ShapedYaml<Content> =
  | { readonly kind: 'shaped'; readonly file: Content; readonly json: unknown; readonly positions: Positions }
  | { readonly kind: 'misshapen'; readonly problems: readonly Problem[] }

/**
 * Reads YAML and checks which keys stand where. Reports every problem, in the order of the file; never
 * throws for what a file may contain.
 */
export function shapeYaml<Content>(text: string, format: YamlFormat<Content>): ShapedYaml<Content> {
  if (new TextEncoder().encode(text).length > format.bytesMax) {
    return { kind: 'misshapen', problems: [tooLargeProblem(format)] }
  }
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: true,
    uniqueKeys: true,
    logLevel: 'error',
  })
  const positions = new Positions(document, lines, text)
  const unread = unreadable(document)
  if (unread.length > 0) return { kind: 'misshapen', problems: unread }
  const content = expanded(document, positions)
  if (content.kind === 'refused') return { kind: 'misshapen', problems: content.problems }
  const { json } = content
  const schema = format.schemaFor(json)
  const parsed = schema.safeParse(json)
  if (parsed.success) return { kind: 'shaped', file: parsed.data, json, positions }
  return {
    kind: 'misshapen',
    problems: shapeProblems(parsed.error.issues, { format, schema, json, positions }),
  }
}

/** What is wrong with a file that is larger than its format allows; also for files that nobody has read. */
export function tooLargeProblem(
  format: Pick<YamlFormat<unknown>, 'name' | 'bytesMax' | 'tooLargeFix'>,
): Problem {
  return error(
    { line: 1, column: 1 },
    'too-large',
    `${format.name} is larger than ${format.bytesMax / 1024 / 1024} MiB`,
    format.tooLargeFix,
  )
}

/** Problems sorted by line and column, each once. */
export function inFileOrder(problems: readonly Problem[]): Problem[] {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
  return sorted.filter((problem, at) => {
    const before = sorted[at - 1]
    if (before === undefined || before.message !== problem.message) return true
    return before.line !== problem.line || before.column !== problem.column
  })
}

/** `['rules', 0, 'on']` as people write it: `rules[0].on`. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, at) =>
      typeof part === 'number' ? `[${part}]` : at === 0 ? String(part) : `.${String(part)}`,
    )
    .join('')
}

function error(place: Position, code: ProblemCode, message: string, fix: string): Problem {
  return { severity: 'error', line: place.line, column: place.column, message, fix, code }
}

interface YamlComplaint {
  readonly message: string
  readonly code: string
  readonly linePos?: readonly { readonly line: number; readonly col: number }[] | undefined
}

/**
 * What keeps the text from being read as YAML. Of several syntax errors only the first is told, because
 * the others are mostly its consequences; each key that stands twice is a mistake of its own.
 */
function unreadable(document: Document): Problem[] {
  const problems: Problem[] = []
  for (const complaint of document.errors as readonly YamlComplaint[]) {
    problems.push(yamlProblem(complaint))
    if (complaint.code !== 'DUPLICATE_KEY') return inFileOrder(problems)
  }
  return inFileOrder([...problems, ...(document.warnings as readonly YamlComplaint[]).map(yamlProblem)])
}

function yamlProblem(complaint: YamlComplaint): Problem {
  const place = complaint.linePos?.[0]
  const { sentence, fix } = complaintText(complaint)
  return error(
    { line: place?.line ?? 1, column: place?.col ?? 1 },
    'invalid-yaml',
    `not valid YAML: ${sentence}`,
    fix,
  )
}

function complaintText({ message, code }: YamlComplaint): {
  readonly sentence: string
  readonly fix: string
} {
  const sentence = (message.split('\n')[0] ?? code).replace(/ at line \d+, column \d+:?$/, '')
  if (code === 'DUPLICATE_KEY') return { sentence: 'the key stands twice', fix: 'keep one of the two' }
  if (code === 'MULTIPLE_DOCS') {
    return {
      sentence: 'the file has more than one document',
      fix: 'split it at the `---` into one file each',
    }
  }
  if (code === 'TAG_RESOLVE_FAILED') return { sentence: lowerFirst(sentence), fix: 'remove the tag' }
  if (sentence.includes('call stack')) {
    return { sentence: 'it nests too deep to be read', fix: 'write it flatter' }
  }
  return { sentence: lowerFirst(sentence), fix: 'mend the YAML here or just before' }
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`
}

type Expanded =
  | { readonly kind: 'expanded'; readonly json: unknown }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

function expanded(document: Document, positions: Positions): Expanded {
  try {
    const problems = unwritable(document, positions)
    if (problems.length > 0) return { kind: 'refused', problems: inFileOrder(problems) }
    return { kind: 'expanded', json: document.toJS({ maxAliasCount: 100 }) as unknown }
  } catch (cause) {
    return { kind: 'refused', problems: [expansionProblem(cause, document, positions)] }
  }
}

const loneSurrogate = /\p{Surrogate}/u

/** What YAML can write and no file may contain: a name that JavaScript takes for something else, half a character. */
function unwritable(document: Document, positions: Positions): Problem[] {
  const problems: Problem[] = []
  const version = document.directives?.yaml
  if (version?.explicit === true && version.version !== '1.2') {
    problems.push(
      error(
        { line: 1, column: 1 },
        'invalid-yaml',
        `the file asks for YAML ${version.version}`,
        'remove the %YAML line: files are read as YAML 1.2',
      ),
    )
  }
  visit(document, {
    Pair: (_, pair) => {
      // An alias or a number may end up as a name that stands there already, and would replace it unseen.
      if (isScalar(pair.key) && typeof pair.key.value === 'string') return
      const place = isNode(pair.key) ? positions.ofNode(pair.key) : { line: 1, column: 1 }
      problems.push(
        error(
          place,
          'invalid-yaml',
          'a key is not a text',
          'write the key out, in quotes if it looks like a number',
        ),
      )
    },
    Scalar: (key, node) => {
      if (typeof node.value !== 'string') return
      if (key === 'key' && node.value === '__proto__') {
        problems.push(
          error(positions.ofNode(node), 'unknown-key', 'unknown key `__proto__`', 'choose another name'),
        )
      }
      if (loneSurrogate.test(node.value)) {
        const fix = 'write the whole character, or remove the escape'
        problems.push(
          error(positions.ofNode(node), 'invalid-yaml', 'the text contains half of a surrogate pair', fix),
        )
      }
    },
  })
  return problems
}

function expansionProblem(cause: unknown, document: Document, positions: Positions): Problem {
  const message = cause instanceof Error ? cause.message : String(cause)
  const unresolved = /^Unresolved alias .*: (.+)$/.exec(message)?.[1]
  if (unresolved === undefined) {
    const why = cause instanceof RangeError ? 'it nests too deep' : 'its aliases unfold into too much'
    const fix = 'write the values out instead of using aliases'
    return error({ line: 1, column: 1 }, 'invalid-yaml', `the YAML cannot be expanded: ${why}`, fix)
  }
  let place: Position = { line: 1, column: 1 }
  visit(document, {
    Alias: (_, node) => {
      if (node.source !== unresolved) return undefined
      place = positions.ofNode(node)
      return visit.BREAK
    },
  })
  return error(
    place,
    'invalid-yaml',
    `no anchor \`&${unresolved}\` stands before this alias`,
    'write the value out',
  )
}

/** What was read, and by what it is judged. */
interface Misshapen<Content> {
  readonly format: YamlFormat<Content>
  readonly schema: z.ZodType<Content>
  readonly json: unknown
  readonly positions: Positions
}

function shapeProblems<Content>(
  issues: readonly z.core.$ZodIssue[],
  misshapen: Misshapen<Content>,
): Problem[] {
  const { json, positions } = misshapen
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
      missing.push({ path, problem: error(place, 'missing-key', `\`${path}\` is missing`, 'add it') })
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
  return error(place, 'wrong-value', `${where} ${inner}`, 'correct the value')
}

function unknownKey<Content>(
  parent: readonly PropertyKey[],
  key: string,
  { format, schema, positions }: Misshapen<Content>,
): { readonly problem: Problem; readonly near: string | undefined } {
  const place = positions.ofKey(asDocumentPath([...parent, key]))
  const refused = format.refused.get(key)
  if (refused !== undefined) {
    return { problem: error(place, 'refused-key', `\`${key}\` ${refused.why}`, refused.fix), near: undefined }
  }
  const known = keysAt(schema, parent)
  const near = nearest(key, known)
  const fix =
    near === undefined ? `remove it, or write one of ${known.join(', ')}` : `did you mean \`${near}\`?`
  return { problem: error(place, 'unknown-key', `unknown key \`${key}\``, fix), near }
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
