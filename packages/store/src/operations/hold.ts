import { canonicalJson, commentLengthMax, Fault, isReason, nameLengthMax } from '@bailiwick/core'
import type { Operation } from '../log/sequencer.ts'
import { needsOf, refuseUnlessMay } from './deed.ts'

/** A legal hold that is placed or lifted. */
export interface HoldChange {
  readonly hold: string
  readonly event: 'placed' | 'lifted'
  readonly reason: string
  /** A person's id, or `operator`. */
  readonly by: string
}

/**
 * The operation that places or lifts a legal hold. The index is null where a hold of that name stands already.
 *
 * @throws Fault `bad_input` for what is no name or no reason, `not_found` where there is nothing to lift,
 *   `not_permitted` for a person without the role that it takes
 */
export function holdOperation(change: HoldChange): Operation<{ readonly index: number | null }> {
  const { hold, event, reason, by } = change
  if (!/^[^\s\p{C}]+$/u.test(hold) || hold.length > nameLengthMax) {
    throw new Fault('bad_input', `\`${hold}\` is no name of a hold`, {
      fix: `Use 1 to ${nameLengthMax} characters without white space.`,
    })
  }
  if (!isReason(reason)) {
    throw new Fault('bad_input', 'a hold needs a reason', {
      fix: `Give one in words, of at most ${commentLengthMax} characters.`,
    })
  }
  return {
    needs: { retention: true, ...needsOf(by) },
    apply: (fold, place) => {
      refuseUnlessMay('hold', by, fold)
      const stands = fold.retention.holds.includes(hold)
      if (event === 'placed' && stands) return { answer: { index: null } }
      if (event === 'lifted' && !stands) {
        throw new Fault('not_found', `no hold \`${hold}\` stands`, { fix: 'See `bailiwick hold list`.' })
      }
      return {
        body: { kind: 'hold', hold, event, by },
        payload: canonicalJson({ reason }),
        answer: { index: place.index },
        staged: () => fold.retention.changeHold({ name: hold, index: place.index }, event),
      }
    },
  }
}
