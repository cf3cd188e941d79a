import { readFileSync } from 'node:fs'
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { runToEnd } from './run-to-end.ts'
import { neutralEnvironment, ROOT } from './workspace.ts'

/**
 * A block of a document that is run, marked by `run` after its language:
 *
 *     ```sh run exit=1        (or `ts run`; `exit=1` where the command is meant to fail)
 *     ```text output          (directly after it: what it prints, `…` standing for what differs each time)
 */
export interface Snippet {
  readonly language: 'sh' | 'ts'
  readonly code: string
  /** One-based line of the document on which the code begins. */
  readonly line: number
  readonly exitCode: number
  /** What it prints on both streams, where the document says. */
  readonly output?: string | undefined
}

/** A place to run snippets: it looks like the repository's root, and what they write stays in it. */
export interface Workbench {
  readonly folder: string
  /** For every snippet; what one exports is there for those after it. */
  readonly environment: Readonly<Record<string, string>>
  /** Where the service of this run listens. The document says `documentedAddress`. */
  readonly address: string
}

/** The address that `npm start` listens on, and so the one that documents show. */
const documentedAddress = '127.0.0.1:7420'

const FENCE = /^(`{3,})([^\n`]*)\n(.*?)^\1`*[ \t]*$/gms
const SNIPPET_TIMEOUT_MS = 60_000

/** The snippets of a file, from the repository's root. */
export function readSnippets(file: string): Snippet[] {
  return parseSnippets(readFileSync(path.join(ROOT, file), 'utf8'))
}

/**
 * The snippets marked to run, in order.
 *
 * @throws for a mark that means nothing here, so that no block is skipped by a slip
 */
export function parseSnippets(markdown: string): Snippet[] {
  const snippets: Snippet[] = []
  let end = -1
  for (const match of markdown.replaceAll('\r\n', '\n').matchAll(FENCE)) {
    const [block, , info = '', code = ''] = match
    const [language = '', mark = '', ...options] = info.trim().split(/\s+/)
    const line = markdown.slice(0, match.index).split('\n').length + 1
    const before = snippets.at(-1)
    if (mark === 'run') {
      snippets.push({ language: languageOf(language, line), code, line, exitCode: exitCodeOf(options, line) })
      end = match.index + block.length
    } else if (mark === 'output') {
      const apart = before === undefined || markdown.slice(end, match.index).trim() !== ''
      if (apart) throw new Error(`line ${line}: an output block must directly follow the block that is run`)
      snippets[snippets.length - 1] = { ...before, output: code }
    } else if (mark !== '') {
      throw new Error(`line ${line}: \`${mark}\` is no mark; the marks are \`run\` and \`output\``)
    }
  }
  return snippets
}

function languageOf(language: string, line: number): Snippet['language'] {
  if (language === 'sh' || language === 'ts') return language
  throw new Error(`line ${line}: only sh and ts blocks can be run, not \`${language}\``)
}

function exitCodeOf(options: readonly string[], line: number): number {
  const [option, ...more] = options
  if (option === undefined) return 0
  const code = /^exit=(\d+)$/.exec(option)?.[1]
  if (code === undefined || more.length > 0)
    throw new Error(`line ${line}: \`${options.join(' ')}\` is no option`)
  return Number(code)
}

/** Makes an empty workbench inside the repository, so that its packages resolve as they do for a reader. */
export async function makeWorkbench(name: string, service: Omit<Workbench, 'folder'>): Promise<Workbench> {
  const folder = path.join(ROOT, 'node_modules/.cache', name)
  await rm(folder, { recursive: true, force: true })
  await mkdir(path.join(folder, '.snippets'), { recursive: true })
  const shown = (await readdir(ROOT)).filter((entry) => !entry.startsWith('.'))
  await Promise.all(shown.map((entry) => symlink(path.join(ROOT, entry), path.join(folder, entry))))
  return { folder, ...service }
}

/**
 * Type-checks and compiles the TypeScript snippets, against the packages as they are built.
 *
 * @returns the compiler's complaints, at the document's own lines; empty when there are none
 */
export async function compileSnippets(snippets: readonly Snippet[], bench: Workbench): Promise<string[]> {
  const sources = snippets.filter(({ language }) => language === 'ts')
  if (sources.length === 0) return []
  const folder = path.join(bench.folder, '.snippets')
  // Blank lines above the code give the compiler the document's line numbers.
  const text = (snippet: Snippet) => '\n'.repeat(snippet.line - 1) + localised(snippet.code, bench)
  await Promise.all(
    sources.map((snippet) => writeFile(path.join(folder, `${moduleName(snippet)}.ts`), text(snippet))),
  )
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(compilerConfig(sources)))

  const tsc = path.join(ROOT, 'node_modules/.bin/tsc')
  const { output, exitCode } = await runToEnd(tsc, ['-p', folder, '--pretty', 'false'], { cwd: folder })
  return exitCode === 0 ? [] : output.trim().split('\n')
}

function compilerConfig(sources: readonly Snippet[]) {
  return {
    extends: path.join(ROOT, 'tsconfig.base.json'),
    compilerOptions: { moduleDetection: 'force' },
    files: sources.map((snippet) => `${moduleName(snippet)}.ts`),
  }
}

function moduleName(snippet: Snippet): string {
  return `line-${snippet.line}`
}

/**
 * Runs one snippet as a reader would, in a shell at the root.
 *
 * @returns how its end or its output differs from what the document says; undefined when it does not
 */
export async function runSnippet(snippet: Snippet, bench: Workbench): Promise<string | undefined> {
  const exported = path.join(bench.folder, '.snippets/exported.sh')
  const code =
    snippet.language === 'sh'
      ? localised(snippet.code, bench)
      : `node --enable-source-maps .snippets/${moduleName(snippet)}.js\n`
  const script = `exec 2>&1\n[ ! -e ${exported} ] || . ${exported}\n${code}\nexport -p > ${exported}\n`
  const ended = await runToEnd('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: bench.folder,
    env: { ...neutralEnvironment(), npm_config_loglevel: 'error', NO_COLOR: '1', ...bench.environment },
    timeoutMs: SNIPPET_TIMEOUT_MS,
  })
  const output = ended.output
    .replaceAll(bench.address, documentedAddress)
    .replaceAll(bench.address.replace(/^.*:/, 'localhost:'), 'localhost:7420')
  if (ended.exitCode !== snippet.exitCode)
    return `it ended with ${ended.exitCode}, not ${snippet.exitCode}, and printed:\n${output}`
  if (snippet.output !== undefined && !matchesOutput(output, snippet.output))
    return `it printed:\n${output}\nwhere the document says:\n${snippet.output}`
  return undefined
}

/** Whether `actual` is what `expected` shows. `…` stands for any text in a line, alone for any lines. */
export function matchesOutput(actual: string, expected: string): boolean {
  const pattern = linesOf(expected).map((line) =>
    line.trim() === '…'
      ? String.raw`(?:[^\n]*\n)*?`
      : `${line
          .split('…')
          .map(escaped)
          .join(String.raw`[^\n]*`)}\n`,
  )
  return new RegExp(`^${pattern.join('')}$`).test(
    linesOf(actual)
      .map((line) => `${line}\n`)
      .join(''),
  )
}

function linesOf(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd())
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
}

function localised(code: string, bench: Workbench): string {
  return code.replaceAll(documentedAddress, bench.address).replaceAll('localhost:7420', bench.address)
}
