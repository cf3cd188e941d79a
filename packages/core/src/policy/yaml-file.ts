import { isNode, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml'
import type { z } from 'zod'
import type { Problem } from '../model/problem.ts'
import { errorAt, inFileOrder } from './placed-problems.ts'
import { Positions, type Position } from './positions.ts'
import { shapeProblems, type KeyAdvice } from './shape-problems.ts'

/** A kind of file that people write as YAML. */
export interface YamlFormat<Content> extends KeyAdvice {
  /** As messages call it, such as `the policy`. */
  readonly name: string
  /** The schema for what was read; different contents may be of different forms. */
  schemaFor(json: unknown): z.ZodType<Content>
  readonly bytesMax: number
  /** What to do with a file that is larger. */
  readonly tooLargeFix: string
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
  return errorAt(
    { line: 1, column: 1 },
    'too-large',
    `${format.name} is larger than ${format.bytesMax / 1024 / 1024} MiB`,
    format.tooLargeFix,
  )
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
  return errorAt(
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
      errorAt(
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
        errorAt(
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
          errorAt(positions.ofNode(node), 'unknown-key', 'unknown key `__proto__`', 'choose another name'),
        )
      }
      if (loneSurrogate.test(node.value)) {
        const fix = 'write the whole character, or remove the escape'
        problems.push(
          errorAt(positions.ofNode(node), 'invalid-yaml', 'the text contains half of a surrogate pair', fix),
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
    return errorAt({ line: 1, column: 1 }, 'invalid-yaml', `the YAML cannot be expanded: ${why}`, fix)
  }
  let place: Position = { line: 1, column: 1 }
  visit(document, {
    Alias: (_, node) => {
      if (node.source !== unresolved) return undefined
      place = positions.ofNode(node)
      return visit.BREAK
    },
  })
  return errorAt(
    place,
    'invalid-yaml',
    `no anchor \`&${unresolved}\` stands before this alias`,
    'write the value out',
  )
}
