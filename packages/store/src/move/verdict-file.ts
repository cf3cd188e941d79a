import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../engine/errno.ts'

/**
 * Where a log goes on is one file in the data directory, beside the checkpoint: no transaction spans two databases, but
 * a file can be renamed once and by one alone. An attempt to move begins with a file of its own, `main.move-…`. Whoever
 * moves renames it to `main.moved`: from then on the log goes on at its target. Whoever finds the attempt abandoned
 * renames it to `main.stays`: from then on that attempt can decide nothing any more. The loser finds no file.
 */
export class Verdict {
  readonly #dir: string
  readonly #ledger: string

  constructor(dataDir: string, ledger: string) {
    this.#dir = join(dataDir, 'checkpoints')
    this.#ledger = ledger
  }

  /** Begins an attempt. On disk when it returns. */
  async begin(id: string): Promise<Attempt> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 })
    const name = `${this.#ledger}.move-${randomBytes(8).toString('hex')}`
    const file = await open(join(this.#dir, name), 'wx', 0o600)
    try {
      await file.writeFile(`${id}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await this.#sync()
    return {
      decide: () => this.#rename(name, 'moved'),
      abandon: () => this.#rename(name, 'stays'),
    }
  }

  /** The move by which the log left for good; undefined where it did not. */
  async moved(): Promise<string | undefined> {
    return await this.#idIn(`${this.#ledger}.moved`)
  }

  /**
   * Decides that the log stays where it is, as far as this move goes.
   *
   * @returns false where the attempt was made with another data directory, or has succeeded
   */
  async stay(id: string): Promise<boolean> {
    for (const name of await this.#attempts()) {
      if ((await this.#idIn(name)) === id) await this.#rename(name, 'stays')
    }
    // Also where it had been decided before, and whoever decided it died before he could act on it.
    return (await this.#idIn(`${this.#ledger}.stays`)) === id && (await this.moved()) !== id
  }

  /** Removes what attempts that decided nothing have left. */
  async clear(): Promise<void> {
    const left = [...(await this.#attempts()), `${this.#ledger}.stays`]
    for (const name of left) await rm(join(this.#dir, name), { force: true })
  }

  async #attempts(): Promise<readonly string[]> {
    try {
      return (await readdir(this.#dir)).filter((name) => name.startsWith(`${this.#ledger}.move-`))
    } catch (cause) {
      if (hasCode(cause, 'ENOENT')) return []
      throw cause
    }
  }

  /** @returns whether the attempt's file was still there */
  async #rename(name: string, verdict: 'moved' | 'stays'): Promise<boolean> {
    try {
      await rename(join(this.#dir, name), join(this.#dir, `${this.#ledger}.${verdict}`))
    } catch (cause) {
      if (hasCode(cause, 'ENOENT')) return false
      throw cause
    }
    // Acted upon only once it is on disk: after a power failure the other side must not be taken for the right one.
    await this.#sync()
    return true
  }

  async #idIn(name: string): Promise<string | undefined> {
    try {
      return (await readFile(join(this.#dir, name), 'utf8')).trim()
    } catch (cause) {
      if (hasCode(cause, 'ENOENT')) return undefined
      throw cause
    }
  }

  async #sync(): Promise<void> {
    const dir = await open(this.#dir, 'r')
    try {
      await dir.sync()
    } finally {
      await dir.close()
    }
  }
}

/** One attempt to move a log. */
export interface Attempt {
  /** Decides that the log goes on at its target. @returns false where somebody has decided that it stays */
  decide(): Promise<boolean>
  /** Decides that it stays. @returns false where it had been decided, either way */
  abandon(): Promise<boolean>
}
