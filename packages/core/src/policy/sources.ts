import { parentFilesMax } from '../model/limits.ts'
import { besideFile, type Problem } from '../model/problem.ts'
import { inFileOrder } from './placed-problems.ts'
import type { DocumentPath, Position, Positions } from './positions.ts'
import type { PolicyFile } from './schema.ts'
import type { ProblemCode } from './problem-codes.ts'
import { parentFormat, policyFormat, shapePolicy } from './shape.ts'

/** One file of a policy, its shape checked. */
export interface PolicySource {
  /** Seen from the policy file; undefined: that file itself. */
  readonly file: string | undefined
  readonly content: PolicyFile
  readonly json: unknown
  readonly text: string
  readonly positions: Positions
  /** The files that it extends itself, seen from the policy file. */
  readonly extended: readonly string[]
}

/** A file that is not given, though it may be there. */
export interface RefusedFile {
  /** Goes on from the file: `lies outside the directory of the policies`. */
  readonly why: string
  readonly fix: string
}

/** Gives the text of a file that a policy extends, by its path seen from the policy file; undefined where there is none. */
export type LoadFile = (path: string) => string | RefusedFile | undefined

/** The policy file and all that it extends, or what is wrong with their shape. */
export type ReadSources =
  | { readonly kind: 'read'; readonly leaf: PolicySource; readonly parents: readonly PolicySource[] }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** What machines want to know of a problem. */
export interface ForMachines {
  readonly code: ProblemCode
  readonly edit?: Problem['edit']
}

/** Collects what is wrong in the files of one policy. */
export class Findings {
  readonly #problems: Problem[] = []

  /** `more`: what machines want to know of the problem. */
  error(source: PolicySource, place: Position, message: string, fix: string, more: ForMachines): void {
    this.#add(source, { ...more, severity: 'error', ...place, message, fix })
  }

  warning(source: PolicySource, place: Position, message: string, fix: string, more: ForMachines): void {
    this.#add(source, { ...more, severity: 'warning', ...place, message, fix })
  }

  /** Takes in what was found in one file by itself. */
  addAll(file: string | undefined, problems: readonly Problem[]): void {
    this.#problems.push(...problems.map((problem) => (file === undefined ? problem : { ...problem, file })))
  }

  get hasErrors(): boolean {
    return this.#problems.some(({ severity }) => severity === 'error')
  }

  /** The policy file first, then the files that it extends; each in its own order. */
  inOrder(files: readonly (string | undefined)[]): Problem[] {
    return files.flatMap((file) => inFileOrder(this.#problems.filter((problem) => problem.file === file)))
  }

  #add({ file }: PolicySource, problem: Problem): void {
    this.#problems.push(file === undefined ? problem : { ...problem, file })
  }
}

/** Reads a policy file and, through `load`, everything it extends, each file once. */
export function readSources(text: string, load: LoadFile | undefined): ReadSources {
  const shaped = shapePolicy(text, policyFormat)
  if (shaped.kind === 'misshapen') return { kind: 'invalid', problems: shaped.problems }
  const { file: content, json, positions } = shaped
  const leaf = sourceOf(undefined, content, { json, text, positions })
  const reading = new Reading(load)
  reading.follow(leaf, [])
  const parents = [...reading.read.values()]
  if (reading.findings.hasErrors) {
    return { kind: 'invalid', problems: reading.findings.inOrder([undefined, ...reading.files]) }
  }
  return { kind: 'read', leaf, parents }
}

class Reading {
  readonly findings = new Findings()
  readonly files = new Set<string>()
  readonly read = new Map<string, PolicySource>()
  readonly #load: LoadFile | undefined

  constructor(load: LoadFile | undefined) {
    this.#load = load
  }

  /** Reads what `source` extends, and what that extends. `chain`: the files that led here. */
  follow(source: PolicySource, chain: readonly string[]): void {
    const written = source.content.extends
    for (const [at, path] of [written ?? []].flat().entries()) {
      const file = besideFile(source.file ?? '', path)
      const documentPath: DocumentPath = typeof written === 'string' ? ['extends'] : ['extends', at]
      const place = source.positions.ofValue(documentPath)
      if (chain.includes(file)) {
        const message = `\`${path}\` extends itself, through ${chain.map((one) => `\`${one}\``).join(', ')}`
        this.findings.error(source, place, message, 'remove one of the `extends`', {
          code: 'circular-extends',
        })
      } else if (!this.files.has(file)) {
        this.#open(source, place, path, file, chain)
      }
    }
  }

  #open(source: PolicySource, place: Position, path: string, file: string, chain: readonly string[]): void {
    if (this.files.size >= parentFilesMax) {
      const fix = 'put what belongs together into one file'
      this.findings.error(source, place, `the policy extends more than ${parentFilesMax} files`, fix, {
        code: 'too-many-files',
      })
      return
    }
    this.files.add(file)
    const text = this.#load?.(file)
    if (text === undefined) {
      const fix = 'check the path: it is seen from this file'
      this.findings.error(source, place, `there is no file \`${path}\` to extend`, fix, {
        code: 'missing-file',
      })
      return
    }
    if (typeof text !== 'string') {
      const message = `\`${path}\`, which this file extends, ${text.why}`
      this.findings.error(source, place, message, text.fix, { code: 'refused-file' })
      return
    }
    const shaped = shapePolicy(text, parentFormat)
    if (shaped.kind === 'misshapen') {
      this.findings.addAll(file, shaped.problems)
      return
    }
    const { file: content, json, positions } = shaped
    const parent = sourceOf(file, content, { json, text, positions })
    this.read.set(file, parent)
    this.follow(parent, [...chain, file])
  }
}

function sourceOf(
  file: string | undefined,
  content: PolicyFile,
  read: Pick<PolicySource, 'json' | 'text' | 'positions'>,
): PolicySource {
  const extended = [content.extends ?? []].flat().map((path) => besideFile(file ?? '', path))
  return { file, content, extended, ...read }
}

/** The files that a file extends, also through another. */
export function ancestorsOf(source: PolicySource, sources: readonly PolicySource[]): readonly PolicySource[] {
  const above = new Set<PolicySource>()
  const open = [source]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const file of next.extended) {
      const parent = sources.find((candidate) => candidate.file === file)
      if (parent === undefined || above.has(parent)) continue
      above.add(parent)
      open.push(parent)
    }
  }
  return [...above]
}
