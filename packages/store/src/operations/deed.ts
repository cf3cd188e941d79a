import { allowsDeed, deedRoles, Fault, isPerson, type Deed } from '@bailiwick/core'
import type { Fold } from '../log/fold.ts'
import { noNeeds, type Needs } from '../log/needs.ts'

/** What an operation needs, so that `refuseUnlessMay` can judge `by`. */
export function needsOf(by: string | undefined): Pick<Needs, 'voting'> {
  return isPerson(by) ? { voting: { person: by } } : noNeeds
}

/**
 * Whether a person may do this, by the roles that the ledger knows in this transaction. Verification holds the record against
 * the roles that the log knows at the same place. Whoever runs commands beside the service may.
 *
 * @throws Fault `not_permitted`
 */
export function refuseUnlessMay(deed: Deed, by: string | undefined, fold: Fold): void {
  if (!isPerson(by)) return
  const known = fold.person(by)
  if (known !== undefined && allowsDeed(known, deed)) return
  throw new Fault(
    'not_permitted',
    `\`${by}\` may not do this: it takes the role ${deedRoles[deed].join(' or ')}`,
    {
      fix: 'Ask an administrator for it.',
    },
  )
}
