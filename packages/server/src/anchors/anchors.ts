import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson, Fault, type Cosignature, type Instant } from '@bailiwick/core'
import { cosignedPath, newestCopyPath, textIfThere, writeDurably } from '@bailiwick/store'
import { postJson } from '../delivery/http-post.ts'
import { signWebhook } from '../delivery/standard-webhooks.ts'
import { repeat, type Repetition } from '../repeat.ts'
import type { AnchorSettings, Witness } from './settings.ts'
import { timeStamped } from './time-stamps.ts'
import { cosigned, type Submission } from './witness.ts'

/** What anchoring takes from the rest of the service. */
export interface AnchorPorts {
  readonly ledger: string
  /** Where cosigned checkpoints and time-stamps are kept. */
  readonly dataDir: string
  /** The committed head's checkpoint, published, with its size. */
  checkpoint(): Promise<{ readonly note: string; readonly size: number }>
  proof: Submission['proof']
  now(): Instant
  log(line: string): void
}

/** Whether there is anywhere to anchor. */
export function anchorsAnywhere({ directory, webhook, witnesses, timeStamps }: AnchorSettings): boolean {
  return directory !== undefined || webhook !== undefined || witnesses.length > 0 || timeStamps !== undefined
}

/**
 * Puts checkpoints where whoever owns the database and the data directory cannot take them back. Never on a decision's
 * way: what cannot be reached is tried again in the next round, with the checkpoint of then, which covers this one's records.
 */
export class Anchors {
  readonly #settings: AnchorSettings
  readonly #ports: AnchorPorts
  /** The size that each witness cosigned last, by its key id. */
  readonly #seen = new Map<string, number>()
  #anchored: string | undefined

  constructor(settings: AnchorSettings, ports: AnchorPorts) {
    this.#settings = settings
    this.#ports = ports
  }

  start(): Repetition {
    return repeat(
      this.#settings.everyMs,
      () => this.round(),
      (error) => this.#tell('anchors', error),
    )
  }

  /** Anchors the checkpoint of now, where it was not anchored yet. A place that fails does not keep the others from it. */
  async round(): Promise<void> {
    const checkpoint = await this.#ports.checkpoint()
    if (checkpoint.note === this.#anchored || checkpoint.size === 0) return
    const done = await Promise.all([
      this.#tried('checkpoint directory', () => this.#copy(checkpoint)),
      this.#tried('checkpoint webhook', () => this.#send(checkpoint)),
      this.#tried('witnesses', () => this.#witness(checkpoint)),
      this.#tried('time-stamps', () => this.#stamp(checkpoint)),
    ])
    if (done.every(Boolean)) this.#anchored = checkpoint.note
  }

  async #tried(what: string, anchor: () => Promise<void>): Promise<boolean> {
    try {
      await anchor()
      return true
    } catch (error) {
      this.#tell(what, error)
      return false
    }
  }

  async #copy({ note, size }: Anchored): Promise<void> {
    const { directory } = this.#settings
    if (directory === undefined) return
    const { ledger } = this.#ports
    const newest = newestCopyPath(directory, ledger)
    if (!(await this.#isNewest(newest, size))) return
    // The history first: the newest one is never of a size that the history lacks.
    await mkdir(join(directory, ledger), { recursive: true })
    await writeOnce(join(directory, ledger, `${size}.checkpoint`), note)
    await writeDurably(newest, note)
  }

  // Another service may have copied a later one meanwhile, and then the log has as many records. What counts more than
  // there are is the evidence that some are gone, and stays.
  async #isNewest(path: string, size: number): Promise<boolean> {
    const copied = Number((await textIfThere(path))?.split('\n')[1] ?? 0)
    if (!(copied > size)) return true
    const { size: now } = await this.#ports.checkpoint()
    if (copied <= now) return false
    throw new Fault(
      'log_broken',
      `the copy \`${path}\` is a checkpoint for ${copied} records of this log, which has ${now}`,
      { fix: 'Run `bailiwick log verify`: the log was cut off, or restored from an older backup.' },
    )
  }

  async #send({ note, size }: Anchored): Promise<void> {
    const { webhook, allowPrivate } = this.#settings
    if (webhook === undefined) return
    const now = this.#ports.now()
    const body = canonicalJson({
      type: 'bailiwick.log.checkpoint',
      timestamp: new Date(now).toISOString(),
      data: { ledger: this.#ports.ledger, size, note },
    })
    // The same for every attempt with this checkpoint, so that receivers know a repetition.
    const id = `chk_${this.#ports.ledger}_${size}`
    const headers = { ...signWebhook(id, Math.floor(now / 1000), body, webhook.secret) }
    const { status } = await postJson({ url: webhook.url, headers, body, allowPrivate })
    if (status >= 200 && status < 300) return
    throw new Fault('service_unreachable', `the receiver answered ${status}`, {
      fix: 'Check BAILIWICK_CHECKPOINT_WEBHOOK_URL.',
    })
  }

  async #witness(checkpoint: Anchored): Promise<void> {
    const { witnesses, quorum } = this.#settings
    if (witnesses.length === 0) return
    const answers = await Promise.all(witnesses.map((witness) => this.#cosignatureBy(witness, checkpoint)))
    const cosignatures = answers.flatMap((answer) => answer ?? [])
    if (cosignatures.length < quorum) {
      throw new Fault(
        'service_unreachable',
        `${cosignatures.length} of ${witnesses.length} witnesses cosigned, and ${quorum} have to`,
        { fix: 'See the lines about each of them.' },
      )
    }
    const note = checkpoint.note + cosignatures.map(({ line }) => `${line}\n`).join('')
    const dir = await this.#anchorDir()
    await writeOnce(join(dir, `${checkpoint.size}.cosigned`), note)
    await writeDurably(cosignedPath(this.#ports.dataDir, this.#ports.ledger), note)
  }

  async #cosignatureBy(witness: Witness, checkpoint: Anchored): Promise<Cosignature | undefined> {
    const id = witness.key.keyId.toString('hex')
    const submission: Submission = { ...checkpoint, proof: this.#ports.proof }
    try {
      const { allowPrivate } = this.#settings
      const cosignature = await cosigned(witness, submission, this.#seen.get(id) ?? 0, { allowPrivate })
      this.#seen.set(id, checkpoint.size)
      return cosignature
    } catch (error) {
      this.#tell(`witness ${witness.key.name}`, error)
      return undefined
    }
  }

  async #stamp({ note, size }: Anchored): Promise<void> {
    const { timeStamps, allowPrivate } = this.#settings
    if (timeStamps === undefined) return
    const { response } = await timeStamped(timeStamps, note, allowPrivate)
    const dir = await this.#anchorDir()
    // The note that was stamped first: a stamp without it could not be checked.
    await writeOnce(join(dir, `${size}.checkpoint`), note)
    await writeOnce(join(dir, `${size}.tsr`), response)
  }

  async #anchorDir(): Promise<string> {
    const dir = join(this.#ports.dataDir, 'anchors', this.#ports.ledger)
    await mkdir(dir, { recursive: true, mode: 0o700 })
    return dir
  }

  #tell(what: string, error: unknown): void {
    this.#ports.log(`${what}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

type Anchored = Awaited<ReturnType<AnchorPorts['checkpoint']>>

// A checkpoint that was anchored before, with other cosignatures or under another stamp, stays as it is.
async function writeOnce(path: string, content: string | Buffer): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false,
  )
  if (!there) await writeDurably(path, content)
}
