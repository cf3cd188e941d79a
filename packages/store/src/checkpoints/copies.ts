import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, openCheckpoint, type Checkpoint } from '@bailiwick/core'
import { hasCode } from '../engine/errno.ts'
import { textIfThere } from './durable-file.ts'
import { checkpointDir, readLogKeys, readRetiredKeys, type LogKeySettings } from './log-keys.ts'

/** Where checkpoints of a ledger lie beside the one that was published last. */
export interface CopyPlaces {
  readonly dataDir: string
  readonly ledger: string
  /** A directory of copies, best on another machine: the newest as `NAME.checkpoint`, all of them in `NAME/`. */
  readonly directory?: string | undefined
  readonly logKey?: LogKeySettings | undefined
  /** Keys that may have signed copies beside those that the data directory knows, such as a lost one. */
  readonly keys?: readonly string[] | undefined
}

/** A signed checkpoint, and the file that it was read from. */
export interface CheckpointCopy {
  readonly path: string
  readonly checkpoint: Checkpoint
}

/** Where the checkpoint that witnesses cosigned last is kept. */
export function cosignedPath(dataDir: string, ledger: string): string {
  return join(checkpointDir(dataDir), `${ledger}.cosigned`)
}

/** Where the newest copy lies. */
export function newestCopyPath(directory: string, ledger: string): string {
  return join(directory, `${ledger}.checkpoint`)
}

/**
 * The newest checkpoints that are kept of a ledger beside the published one: the one that was cosigned last, the newest
 * copy, and the largest of the history where that counts as many records or more. Copies that a retired key has signed
 * count: who signs no more has signed that.
 *
 * @throws Fault `log_broken` for a copy that no key of the ledger has signed, or that is of another log;
 *   `store_unavailable` where the directory cannot be read
 */
export async function readCopies(places: CopyPlaces): Promise<readonly CheckpointCopy[]> {
  const { dataDir, ledger, directory, logKey, keys: others = [] } = places
  const { origin, verifierKeys } = await readLogKeys(dataDir, ledger, logKey)
  const keys = [...verifierKeys, ...(await readRetiredKeys(dataDir, ledger)), ...others]
  const copy = (path: string) => readCopy(path, origin, keys)
  // Beside the published checkpoint it protects from nobody who could exchange that one: so where it says nothing, as
  // after the witnesses were given up, it holds nothing up either.
  const cosigned = await copy(cosignedPath(dataDir, ledger)).catch(nothing)
  if (directory === undefined) return listed(cosigned)
  const newest = await unlessUnreadable(directory, () => copy(newestCopyPath(directory, ledger)))
  const largest = await unlessUnreadable(directory, () => largestSize(join(directory, ledger)))
  if (largest === undefined || (newest !== undefined && largest < newest.checkpoint.size)) {
    return listed(cosigned, newest)
  }
  const path = join(directory, ledger, `${largest}.checkpoint`)
  return listed(cosigned, newest, await unlessUnreadable(directory, () => copy(path)))
}

async function readCopy(
  path: string,
  origin: string,
  keys: readonly string[],
): Promise<CheckpointCopy | undefined> {
  const note = await textIfThere(path)
  if (note === undefined) return undefined
  const checkpoint = opened(path, note, keys)
  if (checkpoint.origin === origin) return { path, checkpoint }
  throw unbelievable(path, `it is of another log, \`${checkpoint.origin}\``)
}

function opened(path: string, note: string, keys: readonly string[]): Checkpoint {
  try {
    return openCheckpoint(note, keys)
  } catch (cause) {
    if (cause instanceof Fault && cause.code === 'log_broken') throw unbelievable(path, cause.message, cause)
    throw cause
  }
}

function unbelievable(path: string, why: string, cause?: Fault): Fault {
  return new Fault('log_broken', `the checkpoint \`${path}\` is none of this log: ${why}`, {
    fix: 'Find out who has changed the copy, or the key in the data directory; where this is a new log, give it a directory of its own for its copies.',
    cause,
  })
}

async function largestSize(directory: string): Promise<number | undefined> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  })
  let largest: number | undefined
  for (const name of names) {
    const text = /^([1-9][0-9]{0,15})\.checkpoint$/.exec(name)?.[1]
    if (text !== undefined) largest = Math.max(largest ?? 0, Number(text))
  }
  return largest
}

async function unlessUnreadable<Result>(directory: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw new Fault('store_unavailable', `the copies of checkpoints in \`${directory}\` cannot be read`, {
      fix: 'Make the directory that BAILIWICK_CHECKPOINT_DIR names readable; the log is held against what lies there.',
      cause,
    })
  }
}

function nothing(error: unknown): undefined {
  if (error instanceof Fault) return undefined
  throw error
}

function listed(...copies: readonly (CheckpointCopy | undefined)[]): readonly CheckpointCopy[] {
  return copies.flatMap((copy) => copy ?? [])
}
