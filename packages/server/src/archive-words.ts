import { instantText, type Instant } from '@bailiwick/core'
import type { ArchiveStore, ClosedStore, HeldUp } from '@bailiwick/store'

/** What an operator is told without having asked, and what to do about it. */
export interface Advice {
  readonly what: string
  readonly fix: string
}

/** What keeps old records in the database, and what to do about it. */
export function heldUpAdvice({ approval, status, since, deadline, others }: HeldUp, now: Instant): Advice {
  const more = others === 0 ? '' : `, like ${others} more after it`
  const what = `${approval}, opened ${instantText(since)}, is still open${more}: its record and all later ones stay in the database`
  const until = instantText(deadline)
  if (deadline <= now) {
    const fix = `Its deadline was ${until}, and no service has recorded that yet: start the service, and archive again.`
    return { what, fix }
  }
  const answer = status === 'pending' ? 'have it answered' : 'have its agent use what was approved'
  return {
    what,
    fix: `Wait for its deadline, ${until}, or ${answer}, or withdraw it in the console; then archive again.`,
  }
}

/** Why some of a log cannot be read here: its archive is not the one that is open, or none is. */
export function closedStoreAdvice({ address, records }: ClosedStore, open: ArchiveStore | undefined): Advice {
  const why =
    open === undefined
      ? 'BAILIWICK_ARCHIVE is not set'
      : `BAILIWICK_ARCHIVE names another place, \`${open.address}\``
  return {
    what: `${records} records of this log are archived in \`${address}\`, and ${why}: they are not shown, explained or erased here`,
    fix: 'Set BAILIWICK_ARCHIVE to that address, with its credentials, and start the service again.',
  }
}
