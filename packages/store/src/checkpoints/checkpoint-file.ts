import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  decodeFrontier,
  encodeFrontier,
  Fault,
  frontierRoot,
  openCheckpoint,
  signCheckpoint,
  type Checkpoint,
  type Frontier,
} from '@bailiwick/core'
import { textIfThere, writeDurably } from './durable-file.ts'
import {
  checkpointDir,
  keyFilesStamp,
  openLogKeys,
  readLogKeys,
  type LogKeys,
  type LogKeySettings,
} from './log-keys.ts'

/**
 * The signed checkpoint that is kept outside the database, and the key that signs it. Whoever can
 * rewrite the database still cannot rewrite what was published here.
 */
export class CheckpointFile {
  readonly origin: string
  readonly #dataDir: string
  readonly #ledger: string
  readonly #settings: LogKeySettings
  readonly #path: string
  readonly #frontierPath: string
  #keys: LogKeys
  /** Of the key files when they were read last; undefined where they were not looked at yet. */
  #stamp: string | undefined
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(dataDir: string, ledger: string, settings: LogKeySettings, keys: LogKeys) {
    this.origin = keys.origin
    this.#dataDir = dataDir
    this.#ledger = ledger
    this.#settings = settings
    this.#keys = keys
    const path = join(checkpointDir(dataDir), ledger)
    this.#path = `${path}.checkpoint`
    this.#frontierPath = `${path}.frontier`
  }

  /**
   * Opens the keys and the checkpoint of a ledger below `dataDir`.
   *
   * @param make whether a key is made where there is none; without one, this process signs nothing
   */
  static async open(
    dataDir: string,
    ledger: string,
    settings: LogKeySettings = {},
    make = true,
  ): Promise<CheckpointFile> {
    await mkdir(checkpointDir(dataDir), { recursive: true, mode: 0o700 })
    return new CheckpointFile(dataDir, ledger, settings, await openLogKeys(dataDir, ledger, settings, make))
  }

  /** Whether this process has a key to sign with. */
  get signs(): boolean {
    return this.#keys.signers.length > 0
  }

  /** The current public key in the form that signed-note tools read, `name+id+base64`; empty where none is known. */
  get verifierKey(): string {
    return this.#keys.verifierKeys[0] ?? ''
  }

  /** By which checkpoints are accepted, the current one first: two while a key is being replaced. */
  get verifierKeys(): readonly string[] {
    return this.#keys.verifierKeys
  }

  /** Takes up keys that were replaced or retired meanwhile, as their files tell. */
  async followKeys(): Promise<void> {
    const stamp = await keyFilesStamp(this.#dataDir, this.#ledger, this.#settings)
    if (stamp === this.#stamp) return
    this.#keys = await openLogKeys(this.#dataDir, this.#ledger, this.#settings, false)
    this.#stamp = stamp
  }

  /**
   * The checkpoint as last published, its signature checked, or undefined where none was.
   *
   * @throws Fault `log_broken` where the file is not signed by this ledger's key
   */
  async published(): Promise<Checkpoint | undefined> {
    return (await this.#note())?.checkpoint
  }

  /**
   * Signs a committed head, writes the note durably and returns it. One write after the other; where a
   * newer one has been published meanwhile, that one is returned.
   *
   * @throws Fault `log_broken` where the head is behind, or contradicts, what was published (G6); `conflict` where
   *   this process has no key
   */
  async publish(head: Frontier): Promise<string> {
    const next = this.#writing.then(() => this.#publishNow(head))
    // The caller of this write hears of its failure; the next write must not.
    this.#writing = next.catch(() => undefined)
    return await next
  }

  async #publishNow(head: Frontier): Promise<string> {
    if (!this.signs) {
      throw new Fault('conflict', 'this process has no key to sign checkpoints with', {
        fix: 'Ask the service that has it.',
      })
    }
    const before = await this.#note()
    if (before !== undefined && before.checkpoint.size === head.size) {
      if (!frontierRoot(head).equals(before.checkpoint.root))
        throw new Fault('log_broken', `the log's ${head.size} records are not those that were published`, {
          fix: 'Run `bailiwick log verify`; somebody has rewritten the database, or it is another one.',
        })
      // A key that was replaced or retired since signs anew.
      if (isSignedByAll(before.note, this.verifierKeys)) return before.note
    }
    // Two heads read one after the other may arrive here in the other order.
    if (before !== undefined && before.checkpoint.size > head.size) return before.note
    const note = signCheckpoint(
      { origin: this.origin, size: head.size, root: frontierRoot(head) },
      ...this.#keys.signers,
    )
    await writeDurably(this.#path, note)
    await writeFile(this.#frontierPath, `${head.size}\n${encodeFrontier(head).toString('hex')}\n`, {
      mode: 0o600,
    })
    return note
  }

  /**
   * The frontier at the published checkpoint, or undefined where it was not kept whole. It saves reading the
   * whole log to compare it with the checkpoint; nobody has to trust it, since its root is the signed one.
   */
  async frontier(published: Checkpoint): Promise<Frontier | undefined> {
    const [size = '', hashes = ''] = ((await textIfThere(this.#frontierPath)) ?? '').split('\n')
    try {
      const kept = decodeFrontier(Number(size), Buffer.from(hashes, 'hex'))
      return kept.size === published.size && frontierRoot(kept).equals(published.root) ? kept : undefined
    } catch (fault) {
      if (fault instanceof Fault) return undefined
      throw fault
    }
  }

  async #note(): Promise<PublishedNote | undefined> {
    return await readNote(this.#path, this.origin, this.verifierKeys)
  }
}

/** A checkpoint's signed note and what it says. */
export interface PublishedNote {
  readonly note: string
  readonly checkpoint: Checkpoint
}

/** Where the checkpoint lies that was published last. */
export function publishedPath(dataDir: string, ledger: string): string {
  return join(checkpointDir(dataDir), `${ledger}.checkpoint`)
}

/**
 * The checkpoint that was published for a ledger, its signature checked; undefined where none was. Only
 * reads: it makes no key and no directory.
 *
 * @throws Fault `log_broken` where the checkpoint is not signed by this ledger's key, or the key is gone
 */
export async function readCheckpoint(
  dataDir: string,
  ledger: string,
  settings: LogKeySettings = {},
): Promise<PublishedNote | undefined> {
  const path = publishedPath(dataDir, ledger)
  const { origin, verifierKeys } = await readLogKeys(dataDir, ledger, settings)
  if (verifierKeys.length > 0) return await readNote(path, origin, verifierKeys)
  if ((await textIfThere(path)) === undefined) return undefined
  throw new Fault('log_broken', `the checkpoint \`${path}\` cannot be checked: the key of its log is gone`, {
    fix: 'Put back the key of this ledger.',
  })
}

async function readNote(
  path: string,
  origin: string,
  verifierKeys: readonly string[],
): Promise<PublishedNote | undefined> {
  const note = await textIfThere(path)
  if (note === undefined) return undefined
  const checkpoint = openedNote(note, path, verifierKeys)
  if (checkpoint.origin === origin) return { note, checkpoint }
  throw new Fault('log_broken', `the checkpoint \`${path}\` is of another log, \`${checkpoint.origin}\``, {
    fix: 'Put back the checkpoint of this ledger.',
  })
}

// There may be several files of checkpoints about, of other ledgers and copies.
function openedNote(note: string, path: string, verifierKeys: readonly string[]): Checkpoint {
  try {
    return openCheckpoint(note, verifierKeys)
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    const { code, message, fix } = fault
    throw new Fault(code, `the checkpoint \`${path}\`: ${message}`, { fix, cause: fault })
  }
}

/** Whether each of the keys has signed the note, and nobody else has. */
function isSignedByAll(note: string, verifierKeys: readonly string[]): boolean {
  const lines = note
    .slice(note.lastIndexOf('\n\n') + 2)
    .split('\n')
    .filter((line) => line !== '')
  return lines.length === verifierKeys.length && verifierKeys.every((key) => isSignedBy(note, key))
}

/** Whether the key has signed the note. */
export function isSignedBy(note: string, verifierKey: string): boolean {
  try {
    openCheckpoint(note, [verifierKey])
    return true
  } catch (fault) {
    if (fault instanceof Fault) return false
    throw fault
  }
}
