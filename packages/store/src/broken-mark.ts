import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, type BrokenLog } from '@bailiwick/core'
import { writeDurably } from './checkpoints/durable-file.ts'
import { hasCode } from './engine/errno.ts'

/** That a log was found broken, kept beside its checkpoint and so outside the database: it outlives restarts. */
export interface BrokenMark {
  readonly index: number | null
  readonly problem: string
  /** RFC 3339. */
  readonly foundAt: string
}

function pathOf(dataDir: string, ledger: string): string {
  return join(dataDir, 'checkpoints', `${ledger}.broken`)
}

/** Writes down durably that a log was found broken; the first finding stays. */
export async function markBroken(
  dataDir: string,
  ledger: string,
  { index, problem }: BrokenLog,
  foundAt: string,
): Promise<void> {
  if ((await readBrokenMark(dataDir, ledger)) !== undefined) return
  await mkdir(join(dataDir, 'checkpoints'), { recursive: true, mode: 0o700 })
  const mark: BrokenMark = { index, problem, foundAt }
  await writeDurably(pathOf(dataDir, ledger), `${JSON.stringify(mark)}\n`)
}

/** What was found of a log, and never verified since; undefined where nothing was. A mark that cannot be read counts. */
export async function readBrokenMark(dataDir: string, ledger: string): Promise<BrokenMark | undefined> {
  const text = await readFile(pathOf(dataDir, ledger), 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  })
  return text === undefined ? undefined : markIn(text)
}

function markIn(text: string): BrokenMark {
  const unreadable = { index: null, problem: 'it was found broken before', foundAt: 'unknown' }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return unreadable
    const { index, problem, foundAt } = value as Partial<Record<keyof BrokenMark, unknown>>
    return {
      index: typeof index === 'number' ? index : null,
      problem: typeof problem === 'string' ? problem : unreadable.problem,
      foundAt: typeof foundAt === 'string' ? foundAt : unreadable.foundAt,
    }
  } catch {
    return unreadable
  }
}

/** Takes the mark away, once the log has been verified. */
export async function unmarkBroken(dataDir: string, ledger: string): Promise<void> {
  await rm(pathOf(dataDir, ledger), { force: true })
}

/** Why nothing is recorded in a log that was found broken. */
export function brokenFault({ problem }: Pick<BrokenMark, 'problem'>): Fault {
  return new Fault('log_broken', `the log is broken, and nothing is decided on it: ${problem}`, {
    fix: 'Run `bailiwick log verify`, mend what it names, and start the service again, which verifies the log before it goes on.',
  })
}
