import { Fault } from '@bailiwick/core'
import type { Queryable } from '../log/batches.ts'

/** What a move makes of a head; a head without a state takes batches. */
export type MoveState = 'leaving' | 'moved' | 'arriving' | 'arrived'

/** What a head says of the last move of its log. */
export interface HeadMove {
  readonly id: string | undefined
  readonly state: MoveState | undefined
  /** Where the log goes to or comes from. */
  readonly other: string
}

interface MoveRow {
  readonly move_id: string | null
  readonly move_state: MoveState | null
  readonly move_other: string | null
}

/** What the head says of a move; undefined where the database has no such ledger. */
export async function readHeadMove(client: Queryable, ledger: string): Promise<HeadMove | undefined> {
  const { rows } = await client.query<MoveRow>(
    'select move_id, move_state, move_other from ledger_head where ledger = $1',
    [ledger],
  )
  const [row] = rows
  if (row === undefined) return undefined
  return {
    id: row.move_id ?? undefined,
    state: row.move_state ?? undefined,
    other: row.move_other ?? 'another database',
  }
}

/** Changes the state where it is what was read before. @returns whether it was */
export async function changeState(
  client: Queryable,
  ledger: string,
  id: string,
  from: MoveState | undefined,
  to: MoveState | undefined,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update ledger_head set move_state = $4
    where ledger = $1 and move_id = $2 and move_state is not distinct from $3::text`,
    [ledger, id, from ?? null, to ?? null],
  )
  return rowCount === 1
}

/** Why nothing can be appended to a log in this state, and what to do. */
export function closedFault(ledger: string, state: MoveState, other: string): Fault {
  const again = 'run `bailiwick migrate-to` again with the data directory that it was begun with'
  switch (state) {
    case 'moved':
      return new Fault('conflict', `the log \`${ledger}\` has moved to ${other}; this one is closed`, {
        fix: 'Set DATABASE_URL to that server; the data directory stays the same.',
      })
    case 'leaving':
      return new Fault('store_unavailable', `the log \`${ledger}\` is being moved to ${other}`, {
        fix: `Wait for it to end; if nobody is moving it any more, ${again}, or start the service with it.`,
      })
    case 'arriving':
    case 'arrived':
      return new Fault('store_unavailable', `the log \`${ledger}\` is being moved here from ${other}`, {
        fix: `Wait for it to end; if nobody is moving it any more, ${again}.`,
      })
  }
}
