import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  parsePolicy,
  parsePolicyTest,
  policyFormat,
  policyTestFormat,
  tooLargeProblem,
  Fault,
  type ParsedPolicy,
  type ParsedPolicyTest,
  type Problem,
} from '@bailiwick/core'
import { ParentFiles } from './parent-files.ts'

/**
 * Reads and compiles a policy file, with what it extends. A file over the limit is refused without reading it whole.
 *
 * @param root only files in or below this directory can be extended. Default: where the file is
 * @throws Fault `bad_input` where it cannot be read
 */
export async function readPolicy(file: string, root: string = dirname(file)): Promise<ParsedPolicy> {
  return (await readPolicyWithParents(file, root)).parsed
}

/** A policy file that has been read, and the real paths of the files that it extends. */
export interface PolicyWithParents {
  readonly parsed: ParsedPolicy
  readonly parents: ReadonlySet<string>
}

/** Reads as `readPolicy` does. */
export async function readPolicyWithParents(file: string, root: string): Promise<PolicyWithParents> {
  const text = await boundedText(file, policyFormat)
  if (typeof text !== 'string') return { parsed: { kind: 'invalid', problems: [text] }, parents: new Set() }
  const files = new ParentFiles(root, file)
  return { parsed: parsePolicy(text, { load: files.load }), parents: files.read }
}

/**
 * Reads a policy test file, in the same way.
 *
 * @throws Fault `bad_input` where it cannot be read
 */
export async function readPolicyTest(file: string): Promise<ParsedPolicyTest> {
  const read = await boundedText(file, policyTestFormat)
  return typeof read === 'string' ? parsePolicyTest(read) : { kind: 'invalid', problems: [read] }
}

type Bounds = Parameters<typeof tooLargeProblem>[0]

async function boundedText(file: string, bounds: Bounds): Promise<string | Problem> {
  const bytes = await firstBytes(file, bounds.bytesMax + 1)
  if (bytes.length > bounds.bytesMax) return tooLargeProblem(bounds)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return notUtf8(bytes)
  }
}

// Bounded by what is read and not by the size that the file claims: it may grow, or be no plain file.
async function firstBytes(file: string, bytesMax: number): Promise<Buffer> {
  try {
    const handle = await open(file, 'r')
    try {
      const buffer = Buffer.alloc(bytesMax)
      let length = 0
      for (;;) {
        const { bytesRead } = await handle.read(buffer, length, bytesMax - length, null)
        length += bytesRead
        if (bytesRead === 0 || length === bytesMax) return buffer.subarray(0, length)
      }
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

function unreadable(file: string, cause: unknown): Fault {
  const code = (cause as NodeJS.ErrnoException).code
  if (code === 'ENOENT') {
    return new Fault('bad_input', `there is no file \`${file}\``, { fix: 'Check the path.', cause })
  }
  const why = code === 'EISDIR' ? 'is a directory' : 'cannot be read'
  return new Fault('bad_input', `\`${file}\` ${why}`, { fix: 'Name a file that you may read.', cause })
}

function notUtf8(bytes: Buffer): Problem {
  const text = bytes.toString('utf8')
  const before = text.slice(0, Math.max(text.indexOf('\u{FFFD}'), 0)).split('\n')
  return {
    severity: 'error',
    line: before.length,
    column: (before[before.length - 1] ?? '').length + 1,
    message: 'the file is not UTF-8 text',
    fix: 'save it as UTF-8',
  }
}
