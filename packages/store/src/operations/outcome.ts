import {
  canonicalJson,
  commentLengthMax,
  Fault,
  indexOfId,
  jsonProblem,
  payloadBytesMax,
  payloadDepthMax,
  type DecisionRecord,
  type Outcome,
  type OutcomeStatus,
} from '@bailiwick/core'
import { noNeeds, type KnownDecision } from '../log/needs.ts'
import type { Operation } from '../log/operation.ts'

const statuses: ReadonlySet<string> = new Set<OutcomeStatus>(['succeeded', 'failed', 'unknown'])

/** Whether the outcome was recorded now or had been recorded before, and where. */
export interface OutcomeAnswer {
  readonly index: number | null
}

/**
 * The operation that records what became of an allowed call. Saying the same twice is fine and
 * records once; saying something else afterwards is a conflict, except that *unknown* can be settled.
 *
 * @throws Fault `not_found` (also for another agent's decision), `conflict` or `bad_input`
 */
export function outcomeOperation(agent: string, id: string, outcome: Outcome): Operation<OutcomeAnswer> {
  const index = indexOfId('dec', id)
  if (!statuses.has(outcome.status)) {
    throw new Fault('bad_input', '`status` must be succeeded, failed or unknown', {
      fix: 'Correct the status.',
    })
  }
  const payload = outcomePayload(outcome)
  return {
    needs:
      index === undefined
        ? noNeeds
        : { decisions: [index], ...(outcome.status === 'failed' ? { uses: [index] } : {}) },
    apply: (fold, place) => {
      const known = index === undefined ? undefined : fold.decision(index)
      if (!known || index === undefined || known.record.agent !== agent) throw unknownDecision(id)
      if (known.outcome === outcome.status) return { answer: { index: null } }
      refuse(known, id, outcome)
      return {
        body: {
          kind: 'outcome',
          decision: known.record.id,
          agent: known.record.agent,
          status: outcome.status,
        },
        // Of a call that was erased, that it ran is recorded, and nothing that would have to be erased again.
        payload: known.payload === null ? undefined : payload,
        seal: known.payload === null ? undefined : { like: known.payload.stored },
        answer: { index: place.index },
        staged: () => {
          fold.setOutcome(index, place.index, outcome.status)
          // Which counters it is for the record to say, which is hashed: the rows are not.
          if (outcome.status === 'failed') fold.counters.release(index, releasableOf(known.record))
        },
      }
    },
  }
}

function releasableOf({ consumes = [] }: DecisionRecord): ReadonlySet<string> {
  return new Set(consumes.filter(({ releasable }) => releasable).map(({ counter }) => counter))
}

/** The fault for an id that no decision has, or none that the asker may see. */
export function unknownDecision(id: string): Fault {
  return new Fault('not_found', `no decision \`${id}\``, {
    fix: 'Check the id; the console and `GET /v1/decisions` list decisions.',
  })
}

function refuse(known: KnownDecision, id: string, outcome: Outcome): void {
  if (known.record.effect !== 'allow') {
    throw new Fault('conflict', `${id} was not allowed, so it has no outcome`, {
      fix: 'Report outcomes of allowed decisions only; if the action ran all the same, tell an operator.',
    })
  }
  if (known.outcome !== null && known.outcome !== 'unknown') {
    throw new Fault('conflict', `${id} already has the outcome ${known.outcome}, not ${outcome.status}`, {
      fix: 'The first outcome stands.',
    })
  }
}

function outcomePayload(outcome: Outcome): string {
  const detail = outcome.detail ?? null
  const result = outcome.result ?? null
  const problem =
    detail !== null && detail.length > commentLengthMax
      ? `detail is longer than ${commentLengthMax} characters`
      : jsonProblem({ detail, result }, 'outcome', payloadDepthMax)
  if (problem !== undefined) throw new Fault('bad_input', problem, { fix: 'Correct the outcome.' })
  const payload = canonicalJson({ detail, result })
  if (Buffer.byteLength(payload) <= payloadBytesMax) return payload
  throw new Fault('too_large', `the outcome is larger than ${payloadBytesMax / 1024} KiB`, {
    fix: 'Leave out the result.',
  })
}
