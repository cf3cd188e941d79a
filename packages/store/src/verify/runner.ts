import pg from 'pg'
import { allAgree } from './judge.ts'
import { readStored, type StoredPart } from './stored-facts.ts'
import { beginSnapshot, isLocked } from './snapshot.ts'
import { checkWindow, type Window, type WindowResult, type WindowSettings } from './window.ts'

/** Takes facts as they come. */
export type FactHand = (facts: Uint8Array<ArrayBuffer>) => void

/** Does the work of verification on one connection, one piece after the other. */
export interface Runner {
  window(window: Window): Promise<WindowResult>
  /** Hands out the facts of a part of a table. @returns false where it cannot be read, or not said as facts */
  stored(part: StoredPart, hand: FactHand): Promise<boolean>
  /** Whether facts agree: all of those of some keys. */
  agree(facts: Uint8Array<ArrayBuffer>): Promise<boolean>
  close(): Promise<void>
}

/** A runner on a connection in a transaction, which stays the caller's. */
export function runnerOn(client: pg.Client, settings: WindowSettings): Runner {
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = turn.then(work)
    // Whoever asked hears of a failure; the next piece must not.
    turn = done.catch(() => undefined)
    return done
  }
  return {
    window: (window) => inTurn(() => checkWindow(client, window, settings)),
    stored: (part, hand) => inTurn(() => storedOrNot(client, part, settings, hand)),
    agree: (facts) => inTurn(async () => allAgree(facts, settings)),
    close: async () => {
      await turn
    },
  }
}

// A table that is gone, or damaged, must not end the transaction: others are read in it afterwards.
async function storedOrNot(
  client: pg.Client,
  part: StoredPart,
  { ledger, secret, now, floor, isWhole }: WindowSettings,
  hand: FactHand,
): Promise<boolean> {
  await client.query('savepoint stored')
  try {
    const isRead = await readStored(client, ledger, part, { secret, now, floor, isWhole, hand })
    await client.query('release savepoint stored')
    return isRead
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || isLocked(error)) throw error
    await client.query('rollback to savepoint stored')
    return false
  }
}

/** A connection of its own in a transaction that sees what `snapshot` has exported. */
export async function connectedTo(snapshot: string, connection: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(connection)
  // A lost connection also ends the statement under way, which reports it.
  client.on('error', () => undefined)
  await client.connect()
  await beginSnapshot(client, snapshot)
  // Everything asked here is simple; compiling it would take longer than running it.
  await client.query('set local jit = off')
  return client
}
