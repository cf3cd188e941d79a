import { Fault, type Voter } from '@bailiwick/core'
import type { Operation } from '../log/operation.ts'

/** A person who asks for something. */
export interface Asking extends Voter {
  /** The id of the session that they ask from; it has to go on where what they ask for is recorded. */
  readonly session?: string | undefined
}

/**
 * The same operation, asked from a person's session: refused where that has ended by the time it would be recorded, be it
 * within the same batch, or ends by the database's clock before the batch is written.
 *
 * @param session its id; undefined where nobody's session is behind it
 * @throws Fault `not_authenticated`; then nothing was recorded
 */
export function fromSession<Answer>(
  operation: Operation<Answer>,
  session: string | undefined,
): Operation<Answer> {
  if (session === undefined) return operation
  return {
    ...operation,
    needs: { ...operation.needs, signedIn: session },
    apply: (fold, place) => {
      const until = fold.access.sessionUntil(session)
      if (until === undefined || until <= fold.latest(place.at)) throw sessionEnded()
      const applied = operation.apply(fold, place)
      fold.restOn(until)
      return applied
    },
  }
}

function sessionEnded(): Fault {
  return new Fault('not_authenticated', 'your session has ended in the meantime; nothing was recorded', {
    fix: 'Sign in again.',
    recorded: 'no',
  })
}
