import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, resolve, sep } from 'node:path'
import { policyBytesMax, type LoadFile, type RefusedFile } from '@bailiwick/core'

/**
 * The files that one policy extends. Only policy files (`*.yaml`, `*.yml`) in or below one directory are read, wherever
 * `..` and symbolic links lead: a policy that somebody else wrote must not read what is none of its business.
 */
export class ParentFiles {
  /** The real paths of those that were read. */
  readonly read = new Set<string>()
  readonly #root: string
  readonly #policy: string

  /**
   * @param root the directory; it has to exist
   * @param policy the file that extends others
   */
  constructor(root: string, policy: string) {
    this.#root = realpathSync(root)
    this.#policy = policy
  }

  readonly load: LoadFile = (path) => {
    const file = realPath(isAbsolute(path) ? path : resolve(dirname(this.#policy), path))
    if (isAbsolute(path) || (file !== undefined && !file.startsWith(this.#root + sep))) {
      return refused('lies outside the directory of the policies')
    }
    if (file === undefined) return undefined
    if (!/\.ya?ml$/.test(file)) return refused('is no policy file')
    const bytes = firstBytes(file, policyBytesMax + 1)
    if (bytes === undefined) return refused('cannot be read')
    try {
      // Of a file that is too large, this is enough to be told so.
      const text = new TextDecoder('utf-8', {
        fatal: bytes.length <= policyBytesMax,
        ignoreBOM: true,
      }).decode(bytes)
      this.read.add(file)
      return text
    } catch {
      return refused('is not UTF-8 text')
    }
  }
}

function refused(why: string): RefusedFile {
  const fix = 'extend files that end in .yaml or .yml and lie in or below the directory of the policies'
  return { why, fix }
}

/** The real path; undefined where there is no file. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function firstBytes(file: string, bytesMax: number): Buffer | undefined {
  try {
    // Before it is opened: opening a pipe would wait for whoever writes into it.
    if (!statSync(file).isFile()) return undefined
    const handle = openSync(file, 'r')
    try {
      const buffer = Buffer.alloc(bytesMax)
      let length = 0
      for (let more = -1; more !== 0 && length < bytesMax; length += more) {
        more = readSync(handle, buffer, length, bytesMax - length, null)
      }
      return buffer.subarray(0, length)
    } finally {
      closeSync(handle)
    }
  } catch {
    return undefined
  }
}
