import {
  canonicalJson,
  commentLengthMax,
  Fault,
  isReason,
  nameLengthMax,
  type SuspensionRecord,
} from '@bailiwick/core'
import { noNeeds } from '../log/needs.ts'
import type { Operation } from '../log/sequencer.ts'
import { needsOf, refuseUnlessMay } from './deed.ts'
import { fromSession } from './from-session.ts'

/** What is to become of an agent. */
export interface SuspensionChange {
  /** An agent's id, or `*` for every agent. */
  readonly agent: string
  readonly state: SuspensionRecord['state']
  /** Told to the agent with every denial. */
  readonly reason: string
  /** A person's id, or `operator`. */
  readonly by: string
  /** The id of the session that it is asked from, where there is one. */
  readonly session?: string | undefined
}

/**
 * The operation that records a suspension again that stands, because its record is about to leave the database; who
 * suspended it stays. The index is null where it does not stand any more.
 */
export function restateSuspension({
  agent,
  reason,
  by,
}: Omit<SuspensionChange, 'state' | 'session'>): Operation<{
  readonly index: number | null
}> {
  return {
    needs: noNeeds,
    apply: (fold, place) => {
      if (!fold.isSuspended(agent)) return { answer: { index: null } }
      const state = 'suspended'
      return {
        body: { kind: 'suspension', agent, state, by },
        payload: canonicalJson({ reason }),
        answer: { index: place.index },
        staged: () => fold.setSuspension({ agent, index: place.index, state }, reason),
      }
    },
  }
}

/**
 * The operation that suspends an agent, or lets it decide again. The decisions that follow it in the log see it, also
 * those of the same batch and of other processes (G11). The index is null where it was so already.
 *
 * @throws Fault `bad_input` for what is no agent or no reason, `not_permitted` for a person without a role that it takes,
 *   `not_authenticated` for a session that has ended
 */
export function suspensionOperation(change: SuspensionChange): Operation<{ readonly index: number | null }> {
  const { agent, state, reason, by, session } = change
  if (!/^[^\s\p{C}]+$/u.test(agent) || agent.length > nameLengthMax) {
    throw new Fault('bad_input', `\`${agent}\` is no agent id`, {
      fix: `Use 1 to ${nameLengthMax} characters without white space, or \`*\` for every agent.`,
    })
  }
  if (!isReason(reason)) {
    throw new Fault('bad_input', 'a suspension needs a reason', {
      fix: `Give one in words, of at most ${commentLengthMax} characters.`,
    })
  }
  const operation: Operation<{ readonly index: number | null }> = {
    needs: needsOf(by),
    apply: (fold, place) => {
      refuseUnlessMay('suspension', by, fold)
      if (fold.isSuspended(agent) === (state === 'suspended')) return { answer: { index: null } }
      return {
        body: { kind: 'suspension', agent, state, by },
        payload: canonicalJson({ reason }),
        answer: { index: place.index },
        staged: () => fold.setSuspension({ agent, index: place.index, state }, reason),
      }
    },
  }
  return fromSession(operation, session)
}
