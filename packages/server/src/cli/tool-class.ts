import type { DeclaredTool } from './tool-list.ts'
import {
  addressParams,
  destructiveWords,
  firstVerb,
  lastingHarm,
  programParams,
  readingWords,
  wordsOf,
  writingNouns,
  writingWords,
} from './tool-words.ts'

/** What a draft does with a tool: allow it, let a person decide, or forbid it. In rising order of caution. */
export type ToolClass = 'read' | 'write' | 'destructive'

/** Where a tool belongs, and why, in a few words for a comment. */
export interface ClassifiedTool {
  readonly tool: DeclaredTool
  readonly class: ToolClass
  readonly why: string
}

interface Judgement {
  readonly class: ToolClass
  readonly why: string
}

const caution: readonly ToolClass[] = ['read', 'write', 'destructive']

/**
 * Where a tool belongs. Its annotations are hints of somebody whom nobody has checked: they can make a draft more
 * cautious than the name, the description and the parameters say, and decide where those say nothing, but never make
 * it less cautious. A harmless description decides nothing. What nothing speaks for waits for a person.
 */
export function classifyTool(tool: DeclaredTool): ClassifiedTool {
  const said = [nameSays(tool), descriptionSays(tool), paramsSay(tool)].flatMap((one) => one ?? [])
  const hinted = hintsSay(tool)
  const found = [...said, ...(hinted === undefined ? [] : [hinted])]
  const [first] = found
  if (first === undefined) {
    return { tool, class: 'write', why: 'nothing says what it does' }
  }
  const worst = found.reduce((most, one) => (rank(one) > rank(most) ? one : most), first)
  return { tool, ...worst }
}

function rank(judgement: Judgement): number {
  return caution.indexOf(judgement.class)
}

function nameSays({ name }: DeclaredTool): Judgement | undefined {
  const words = wordsOf(name)
  const start = words.findIndex(
    (word) => destructiveWords.has(word) || writingWords.has(word) || readingWords.has(word),
  )
  const verb = words[start]
  const [first = ''] = words
  if (writingNouns.has(first) && (verb === undefined || readingWords.has(verb))) {
    return { class: 'write', why: `the name says \`${first}\`` }
  }
  if (verb === undefined) return undefined
  const rest = words.slice(start + 1)
  const harm = rest.find((word) => destructiveWords.has(word))
  if (destructiveWords.has(verb)) return { class: 'destructive', why: `the name says \`${verb}\`` }
  if (writingWords.has(verb)) {
    if (harm !== undefined) return { class: 'destructive', why: `the name says \`${verb}\` and \`${harm}\`` }
    return { class: 'write', why: `the name says \`${verb}\`` }
  }
  const more = harm ?? rest.find((word) => writingWords.has(word))
  if (more !== undefined) return { class: 'write', why: `the name says \`${verb}\`, but also \`${more}\`` }
  return { class: 'read', why: `the name says \`${verb}\`` }
}

function descriptionSays({ description }: DeclaredTool): Judgement | undefined {
  const harm = firstVerb(description, destructiveWords)
  if (harm !== undefined) return { class: 'destructive', why: `its description begins with \`${harm}\`` }
  const verb = firstVerb(description, writingWords)
  if (verb !== undefined) return { class: 'write', why: `its description begins with \`${verb}\`` }
  const lasting = lastingHarm.exec(description)?.[0]
  return lasting === undefined
    ? undefined
    : { class: 'write', why: `its description says \`${lasting.toLowerCase()}\`` }
}

function paramsSay({ params }: DeclaredTool): Judgement | undefined {
  const names = paramNames(params)
  const program = names.find((name) => programParams.has(name.toLowerCase()))
  if (program !== undefined) return { class: 'write', why: `\`${program}\` can make it do anything` }
  const address = names.find((name) => addressParams.has(name.toLowerCase()))
  return address === undefined
    ? undefined
    : { class: 'write', why: `\`${address}\` can carry data to any address` }
}

function hintsSay({ hints }: DeclaredTool): Judgement | undefined {
  if (hints.destructive === true) return { class: 'destructive', why: 'it is annotated as destructive' }
  if (hints.readOnly === true) return { class: 'read', why: 'it is annotated as read-only, by its own word' }
  return hints.readOnly === false ? { class: 'write', why: 'it is annotated as not read-only' } : undefined
}

function paramNames(params: unknown): readonly string[] {
  if (typeof params !== 'object' || params === null || !('properties' in params)) return []
  const { properties } = params
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
}
