import { parsePolicy, parsePolicyTest, problemText, runPolicyTest } from '@bailiwick/core'
import { parse, stringify } from 'yaml'
import { matchesOutput } from './readme-snippets.ts'

/**
 * A block of a document about policies, by the mark after its language:
 *
 *     ```yaml policy           a whole policy, from which the next blocks go on
 *     ```yaml add              is added to that policy, and stays
 *     ```yaml parent=NAME      a file that the policy may extend
 *     ```yaml fragment         is added to the policy for once, with every action allowed
 *     ```yaml keys             is YAML, and no more is said of it
 *     ```yaml policy-test      runs against the policy as it is by then
 *     ```text check            (directly after a policy or an addition: what `check` says of it, `…` for any text)
 */
export interface PolicyBlock {
  readonly mark: Mark
  /** What follows the mark: the name of a parent. */
  readonly name: string
  readonly code: string
  /** One-based line of the document on which the code begins. */
  readonly line: number
  /** What the document says that `check` says; empty where it says nothing. */
  readonly check: string
}

const marks = ['policy', 'add', 'parent', 'fragment', 'keys', 'policy-test'] as const
type Mark = (typeof marks)[number]

const fence = /^```([^\n`]*)\n(.*?)^```[ \t]*$/gms

/**
 * The YAML blocks of a document, in order.
 *
 * @throws for a mark that means nothing here, and for YAML without one, so that no block is skipped by a slip
 */
export function policyBlocks(markdown: string): PolicyBlock[] {
  const blocks: PolicyBlock[] = []
  let end = -1
  for (const match of markdown.matchAll(fence)) {
    const [block, info = '', code = ''] = match
    const [language = '', written = '', ...more] = info.trim().split(/\s+/)
    const line = markdown.slice(0, match.index).split('\n').length + 1
    const [mark = '', name = ''] = written.split('=')
    if (language === 'text' && mark === 'check') {
      const before = blocks.pop()
      if (before === undefined || end === -1) throw new Error(`line ${line}: nothing is checked before it`)
      blocks.push({ ...before, check: code })
    } else if (language === 'yaml') {
      if (!isMark(mark) || more.length > 0) throw new Error(`line ${line}: \`${info}\` has no known mark`)
      blocks.push({ mark, name, code, line, check: '' })
      end = match.index + block.length
    } else if (written !== '') throw new Error(`line ${line}: \`${info}\` has no known mark`)
  }
  return blocks
}

function isMark(text: string): text is Mark {
  return (marks as readonly string[]).includes(text)
}

type Tree = Readonly<Record<string, unknown>>

/** Goes through the blocks of a document, and keeps the policy that they make grow. */
export class GrowingPolicy {
  #text = ''
  readonly #parents = new Map<string, string>()

  /** What is wrong with a block; undefined where nothing is. */
  take(block: PolicyBlock): string | undefined {
    switch (block.mark) {
      case 'policy':
        this.#text = block.code
        return this.#checked(block)
      case 'add':
        this.#text = stringify(merged(this.#tree(), parse(block.code) as Tree))
        return this.#checked(block)
      case 'parent':
        this.#parents.set(block.name, block.code)
        return undefined
      case 'fragment':
        return this.#fragment(block)
      case 'policy-test':
        return this.#tested(block)
      case 'keys':
        return isTree(parse(block.code)) ? undefined : 'it is no map'
      default:
        return block.mark
    }
  }

  #tree(): Tree {
    return parse(this.#text) as Tree
  }

  #parsed(text: string) {
    return parsePolicy(text, { load: (path) => this.#parents.get(path) })
  }

  #checked({ check }: PolicyBlock): string | undefined {
    const parsed = this.#parsed(this.#text)
    const problems = parsed.kind === 'valid' ? parsed.warnings : parsed.problems
    const said = problems.map((problem) => problemText('policy.yaml', problem)).join('\n')
    if (parsed.kind === 'valid' && matchesOutput(said, check)) return undefined
    return `check says:\n${said}\nwhere the document says:\n${check}`
  }

  // It may speak of actions, facts and routes that the policy does not have; what it says has to be right by itself.
  #fragment({ code }: PolicyBlock): string | undefined {
    const fragment = parse(code) as Tree
    const shown = { allowed_actions: ['*'], ...fragment }
    const { environments: _, ...base } = this.#tree()
    const parsed = this.#parsed(stringify(replacing(base, shown)))
    if (parsed.kind === 'valid') return undefined
    return parsed.problems.map((problem) => problemText('fragment', problem)).join('\n')
  }

  #tested({ code }: PolicyBlock): string | undefined {
    const policy = this.#parsed(this.#text)
    const suite = parsePolicyTest(code)
    if (policy.kind === 'invalid') return 'the policy above is invalid'
    if (suite.kind === 'invalid') {
      return suite.problems.map((problem) => problemText('test', problem)).join('\n')
    }
    if (suite.suite.policy !== 'policy.yaml') return 'its policy is not `policy.yaml`'
    const report = runPolicyTest(policy.policy, suite.suite)
    if (report.failed === 0) return undefined
    return report.cases
      .flatMap(({ name, differences }) => differences.map((one) => `${name}: ${one}`))
      .join('\n')
  }
}

/** What a reader gets who adds the keys of one map to another: lists go on, maps take in. */
function merged(base: Tree, more: Tree): Tree {
  const both = new Map(Object.entries(base))
  for (const [key, value] of Object.entries(more)) {
    const before = both.get(key)
    if (Array.isArray(before) && Array.isArray(value)) both.set(key, [...before, ...(value as unknown[])])
    else both.set(key, isTree(before) && isTree(value) ? merged(before, value) : value)
  }
  return Object.fromEntries(both)
}

/** The lists of the fragment in place of those of the policy, its maps beside theirs. */
function replacing(base: Tree, fragment: Tree): Tree {
  const entries = Object.entries(fragment).map(([key, value]) => {
    const before = base[key]
    return [key, isTree(before) && isTree(value) ? { ...before, ...value } : value]
  })
  return { ...base, ...Object.fromEntries(entries) }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
