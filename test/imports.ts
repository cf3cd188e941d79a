import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** One file of a package and what it imports. */
export interface SourceFile {
  /** From the repository's root, with forward slashes: `packages/core/src/model/ids.ts`. */
  readonly path: string
  readonly imports: readonly Import[]
}

/** One import, re-export or dynamic import. */
export interface Import {
  /** As written: `./ids.ts`, `node:crypto`, `@bailiwick/core`. */
  readonly specifier: string
  /** One-based. */
  readonly line: number
}

// Prettier puts every top-level statement at the start of a line, so text inside strings, templates and
// comments, which is indented or marked, is not taken for an import. Braces may span lines.
const CLAUSE = String.raw`(?:type\s+)?(?:[\w$]+\s*,\s*)?(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\}|[\w$]+)\s*from\s*`
const STATIC = new RegExp(String.raw`^(?:import|export)\s*(?:${CLAUSE})(['"])([^'"\n]+)\1`, 'gm')
const SIDE_EFFECT = /^import\s*(['"])([^'"\n]+)\1/gm
const DYNAMIC = /\bimport\(\s*(['"])([^'"\n]+)\1/g
const COMMENT_LINE = /^\s*(?:\/\/|\/?\*).*$/gm
const CODE = /\.(?:[mc]?ts|tsx|mjs|js)$/

/** Every import in `text`: static, type-only, re-exporting, for its side effect, and dynamic. */
export function importsIn(text: string): Import[] {
  // Blanked, not removed: the places stay true.
  const code = text.replace(COMMENT_LINE, (comment) => ' '.repeat(comment.length))
  return [STATIC, SIDE_EFFECT, DYNAMIC]
    .flatMap((pattern) => [...code.matchAll(pattern)])
    .map((match) => ({ specifier: match[2] ?? '', line: lineAt(code, match.index + match[0].length) }))
    .sort((one, other) => one.line - other.line)
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

/** The code below `root/folder`; none where the folder is absent. */
export function readSources(root: string, folder: string): SourceFile[] {
  return filesBelow(path.join(root, folder))
    .filter((file) => CODE.test(file))
    .sort()
    .map((file) => ({
      path: path.relative(root, file).split(path.sep).join('/'),
      imports: importsIn(readFileSync(file, 'utf8')),
    }))
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
}

/** Whether an import names a file, not a package. */
export function isRelative(specifier: string): boolean {
  return specifier === '.' || specifier === '..' || specifier.startsWith('./') || specifier.startsWith('../')
}

/** The file, from the repository's root, that a relative import names. A style sheet's `?query` is dropped. */
export function importedFile(importer: string, specifier: string): string {
  const bare = specifier.replace(/\?.*$/, '')
  return path.posix.join(path.posix.dirname(importer), bare)
}

/** `zod` of `zod/v4`, `@bailiwick/core` of `@bailiwick/core/x`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
