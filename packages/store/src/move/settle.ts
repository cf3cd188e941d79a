import { Fault } from '@bailiwick/core'
import type pg from 'pg'
import { tryMoveTurn } from '../engine/service-lock.ts'
import { changeState, closedFault, readHeadMove, type HeadMove } from './head-state.ts'
import { Verdict } from './verdict-file.ts'

/**
 * Settles a move that was interrupted, before a log is opened: by what the data directory says, the log goes on here or
 * it does not. Where no move is under way, this is one short statement.
 *
 * A crash in between is safe: the file decides, and what it says is only carried out here, any number of times.
 *
 * @throws Fault where the log has moved away, is being moved, or its move was begun with another data directory
 */
export async function settleMove(pool: pg.Pool, ledger: string, dataDir: string): Promise<void> {
  const found = await readHeadMove(pool, ledger)
  if (found?.state === undefined || found.id === undefined) return
  const { id, state, other } = found
  const verdict = new Verdict(dataDir, ledger)
  // The target of a move that was decided and not finished: from that moment on the log is here.
  if (state === 'arrived' && (await verdict.moved()) === id) {
    await changeState(pool, ledger, id, 'arrived', undefined)
    return
  }
  if (state === 'leaving') return await settleLeaving(pool, ledger, { ...found, id }, verdict)
  throw closedFault(ledger, state, other)
}

async function settleLeaving(
  pool: pg.Pool,
  ledger: string,
  { id, other }: HeadMove & { readonly id: string },
  verdict: Verdict,
): Promise<void> {
  if ((await verdict.moved()) === id) throw closedFault(ledger, 'moved', other)
  const client = await pool.connect()
  try {
    await client.query('begin')
    // Whoever moves the log holds this as long as he lives.
    if (!(await tryMoveTurn(client))) throw closedFault(ledger, 'leaving', other)
    if (!(await verdict.stay(id))) throw begunElsewhere(ledger, other)
    await changeState(client, ledger, id, 'leaving', undefined)
    await client.query('commit')
  } catch (cause) {
    await client.query('rollback')
    throw cause
  } finally {
    client.release()
  }
}

function begunElsewhere(ledger: string, other: string): Fault {
  return new Fault(
    'conflict',
    `the log \`${ledger}\` was on its way to ${other}, and this data directory does not know whether it has left`,
    {
      fix: 'Use the data directory that `bailiwick migrate-to` was run with, or run it again with that one.',
    },
  )
}
