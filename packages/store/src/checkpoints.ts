import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createLogKey,
  decodeFrontier,
  encodeFrontier,
  Fault,
  frontierRoot,
  loadLogKey,
  openCheckpoint,
  signCheckpoint,
  type Checkpoint,
  type Frontier,
  type NoteSigner,
} from '@bailiwick/core'
import { durably } from './durably.ts'
import { hasCode } from './engine/errno.ts'

/**
 * The signed checkpoint that is kept outside the database, and the key that signs it. Whoever can
 * rewrite the database still cannot rewrite what was published here.
 */
export class CheckpointFile {
  readonly origin: string
  /** The public key in the form that signed-note tools read: `name+id+base64`. */
  readonly verifierKey: string
  readonly #signer: NoteSigner
  readonly #path: string
  readonly #frontierPath: string
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(origin: string, key: { signer: NoteSigner; verifierKey: string }, path: string) {
    this.origin = origin
    this.verifierKey = key.verifierKey
    this.#signer = key.signer
    this.#path = `${path}.checkpoint`
    this.#frontierPath = `${path}.frontier`
  }

  /** Opens the key and checkpoint of a ledger below `dataDir`; makes the key on first use. */
  static async open(dataDir: string, ledger: string): Promise<CheckpointFile> {
    const origin = originOf(ledger)
    const dir = join(dataDir, 'checkpoints')
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const pem = await logKey(join(dir, `${ledger}.key`), origin)
    const key = loadLogKey(origin, pem)
    const file = new CheckpointFile(origin, key, join(dir, ledger))
    await durably(join(dir, `${ledger}.vkey`), `${key.verifierKey}\n`)
    return file
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
   * @throws Fault `log_broken` where the head is behind, or contradicts, what was published (G6)
   */
  async publish(head: Frontier): Promise<string> {
    const next = this.#writing.then(() => this.#publishNow(head))
    // The caller of this write hears of its failure; the next write must not.
    this.#writing = next.catch(() => undefined)
    return await next
  }

  async #publishNow(head: Frontier): Promise<string> {
    const before = await this.#note()
    if (before !== undefined && before.checkpoint.size === head.size) {
      if (frontierRoot(head).equals(before.checkpoint.root)) return before.note
      throw new Fault('log_broken', `the log's ${head.size} records are not those that were published`, {
        fix: 'Run `bailiwick log verify`; somebody has rewritten the database, or it is another one.',
      })
    }
    // Two heads read one after the other may arrive here in the other order.
    if (before !== undefined && before.checkpoint.size > head.size) return before.note
    const note = signCheckpoint(
      { origin: this.origin, size: head.size, root: frontierRoot(head) },
      this.#signer,
    )
    await durably(this.#path, note)
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
    return await readNote(this.#path, this.origin, this.verifierKey)
  }
}

/** A checkpoint's signed note and what it says. */
export interface PublishedNote {
  readonly note: string
  readonly checkpoint: Checkpoint
}

/**
 * The checkpoint that was published for a ledger, its signature checked; undefined where none was. Only
 * reads: it makes no key and no directory.
 *
 * @throws Fault `log_broken` where the checkpoint is not signed by this ledger's key, or the key is gone
 */
export async function readCheckpoint(dataDir: string, ledger: string): Promise<PublishedNote | undefined> {
  const origin = originOf(ledger)
  const dir = join(dataDir, 'checkpoints')
  const path = join(dir, `${ledger}.checkpoint`)
  const pem = await textIfThere(join(dir, `${ledger}.key`))
  if (pem !== undefined) return await readNote(path, origin, loadLogKey(origin, pem).verifierKey)
  // Where the private key is kept away from, the public one is enough.
  const verifierKey = await textIfThere(join(dir, `${ledger}.vkey`))
  if (verifierKey !== undefined) return await readNote(path, origin, verifierKey.trim())
  if ((await textIfThere(path)) === undefined) return undefined
  throw new Fault('log_broken', `the checkpoint \`${path}\` cannot be checked: the key of its log is gone`, {
    fix: 'Put back the key of this ledger.',
  })
}

function originOf(ledger: string): string {
  return `bailiwick.local/${ledger}`
}

async function readNote(
  path: string,
  origin: string,
  verifierKey: string,
): Promise<PublishedNote | undefined> {
  const note = await textIfThere(path)
  if (note === undefined) return undefined
  const checkpoint = openCheckpoint(note, [verifierKey])
  if (checkpoint.origin === origin) return { note, checkpoint }
  throw new Fault('log_broken', `the checkpoint \`${path}\` is of another log, \`${checkpoint.origin}\``, {
    fix: 'Put back the checkpoint of this ledger.',
  })
}

async function textIfThere(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  })
}

async function logKey(path: string, origin: string): Promise<string> {
  const existing = await textIfThere(path)
  if (existing !== undefined) return existing
  const { privateKeyPem } = createLogKey(origin)
  try {
    await writeFile(path, privateKeyPem, { mode: 0o600, flag: 'wx' })
    return privateKeyPem
  } catch (cause) {
    // Another process made it first: there is one key for a ledger.
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return await readFile(path, 'utf8')
    throw new Fault('internal', `the log's key \`${path}\` cannot be written`, {
      fix: 'Make the data directory writable for the service.',
      cause,
    })
  }
}
