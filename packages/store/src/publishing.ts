import {
  openCheckpoint,
  type ConsistencyProof,
  type Fault,
  type Frontier,
  type ProofBundle,
} from '@bailiwick/core'
import type { ColdLog } from './archive/cold-log.ts'
import type { CheckpointFile } from './checkpoints/checkpoint-file.ts'
import { readCopies, type CheckpointCopy, type CopyPlaces } from './checkpoints/copies.ts'
import { readKnownKeys } from './checkpoints/known-keys.ts'
import { OwnHeads } from './checkpoints/own-heads.ts'
import { refuseUncontained } from './contained.ts'
import { followHead, refuseRestoredBackup } from './head.ts'
import type { Queryable } from './log/batches.ts'
import { proveContinuation, proveRecord, recordIndex, type ProofSource, type ProveOptions } from './prove.ts'
import type { LogTiles } from './tiles.ts'

/** What publishing takes of a ledger. */
export interface PublishingPorts {
  readonly client: Queryable
  readonly ledger: string
  readonly checkpoints: CheckpointFile
  readonly tiles: LogTiles
  readonly cold: ColdLog
  /** Where checkpoints are kept beside the published one. */
  readonly copies: CopyPlaces
  /** Why nothing is signed any more; undefined while everything is well. */
  readonly halted: () => Fault | undefined
}

/** What is said of a log outside its database: checkpoints of its committed head, and proofs that lead to them. */
export class Publishing {
  readonly #ports: PublishingPorts
  #underWay: Promise<string> | undefined
  /** The head that this process last held against what was published; every later one must contain it. */
  #head: Frontier | undefined
  readonly #ownHeads = new OwnHeads()

  constructor(ports: PublishingPorts) {
    this.#ports = ports
  }

  /**
   * Holds the committed head against what was published, here and where copies are kept, and goes on from it.
   *
   * @throws Fault `log_broken` where it does not contain that, as `refuseRestoredBackup` and `refuseUncontained` say it
   */
  async begin(): Promise<void> {
    const { client, ledger, checkpoints, tiles } = this.#ports
    const kept = await this.#copies()
    const published = await checkpoints.published()
    const frontier = published && (await checkpoints.frontier(published))
    const head = await refuseRestoredBackup(client, ledger, published, frontier)
    await refuseUncontained({ client, ledger, tiles, head, published }, kept)
    this.#head = head
  }

  /**
   * Publishes the committed head's checkpoint, and holds it against the copies of earlier ones that are kept elsewhere.
   *
   * @throws as `readCopies` and `refuseUncontained` do
   */
  async holdAgainstCopies(): Promise<void> {
    const { client, ledger, checkpoints, tiles } = this.#ports
    // Read first: what is copied was published, and is in whatever is published from now on.
    const kept = await this.#copies()
    if (kept.length === 0) return
    const note = await this.checkpoint()
    const head = this.#head
    if (head === undefined) return
    const published = openCheckpoint(note, checkpoints.verifierKeys)
    await refuseUncontained({ client, ledger, tiles, head, published }, kept)
  }

  /** This process has committed a head. */
  committed(head: Frontier): void {
    this.#ownHeads.committed(head)
  }

  /**
   * Publishes the committed head's checkpoint outside the database and returns it. Callers that come
   * while one is being published share it.
   */
  async checkpoint(): Promise<string> {
    const { client, ledger, checkpoints, halted } = this.#ports
    // What is signed is a promise, and nobody can tell what the head of a broken log promises.
    const fault = halted()
    if (fault !== undefined) throw fault
    // Written to disk before anyone sees it: what was shown is what a restored backup is held against.
    this.#underWay ??= checkpoints
      .followKeys()
      .then(() => followHead(client, ledger, this.#head, this.#ownHeads))
      .then(async (head) => {
        const note = await checkpoints.publish(head)
        this.#head = head
        this.#ownHeads.forgetBefore(head)
        return note
      })
      .finally(() => {
        this.#underWay = undefined
      })
    return await this.#underWay
  }

  /** Waits for what is being published. */
  async settled(): Promise<void> {
    await this.#underWay
  }

  /** As `Ledger.prove`. */
  async prove(which: string | number, options: ProveOptions): Promise<ProofBundle> {
    const index = recordIndex(String(which))
    return await proveRecord(await this.#proofSource(), index, options)
  }

  /** As `Ledger.consistency`. */
  async consistency(from: number, to: number | undefined): Promise<ConsistencyProof> {
    return await proveContinuation(await this.#proofSource(), from, to)
  }

  async #copies(): Promise<readonly CheckpointCopy[]> {
    const { client, ledger, copies } = this.#ports
    return await readCopies({ ...copies, keys: await readKnownKeys(client, ledger) })
  }

  async #proofSource(): Promise<ProofSource> {
    const note = await this.checkpoint()
    const { client, ledger, tiles, checkpoints, cold } = this.#ports
    return { client, ledger, tiles, note, cold, verifierKeys: checkpoints.verifierKeys }
  }
}
