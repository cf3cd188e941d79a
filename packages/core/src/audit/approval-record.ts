import type { ApprovalTerms, StandingUse } from '../model/decision.ts'
import type { Assertion } from '../model/passkey.ts'
import { unreachable } from '../model/fault.ts'
import type { LogRecord, OpenedApproval, RecordBody, RecordedStanding } from '../model/record.ts'
import type { RecordPlace } from './record-place.ts'

/** What a record of people and their approvals says. */
type OfPeople = Extract<
  RecordBody,
  { readonly kind: 'vote' | 'expiry' | 'cancellation' | 'reminder' | 'delegation' | 'revocation' }
>

/** The whole record of what people did, or were asked, in canonical order. */
export function completeOfPeople(body: OfPeople, { ledger, index, at, payload }: RecordPlace): LogRecord {
  switch (body.kind) {
    case 'vote': {
      const {
        approval,
        breakGlass,
        channel,
        counts,
        digest,
        for: principal,
        kind,
        person,
        status,
        vote,
      } = body
      const signature = body.signature && orderedAssertion(body.signature)
      const [grant, standing] = [body.grant, body.standing].map((each) => each && orderedStanding(each))
      const voted = { index, kind, ledger, payload, person, signature, standing, status, v: 1, vote } as const
      return { approval, at, breakGlass, channel, counts, digest, for: principal, grant, ...voted }
    }
    case 'expiry': {
      const { action, agent, approval, kind } = body
      return { action, agent, approval, at, index, kind, ledger, payload, v: 1 }
    }
    case 'cancellation': {
      const { action, agent, approval, by, kind } = body
      return { action, agent, approval, at, by, index, kind, ledger, payload, v: 1 }
    }
    case 'reminder': {
      const { action, agent, approval, asks, kind, next } = body
      return { action, agent, approval, asks, at, index, kind, ledger, next, payload, v: 1 }
    }
    case 'delegation': {
      const { by, delegation, ends, event, from, kind, starts, to } = body
      return { at, by, delegation, ends, event, from, index, kind, ledger, payload, starts, to, v: 1 }
    }
    case 'revocation': {
      const { action, agent, by, grant, kind } = body
      return { action, agent, at, by, grant, index, kind, ledger, payload, v: 1 }
    }
    default:
      return unreachable(body)
  }
}

function orderedStanding({ until, uses }: RecordedStanding): RecordedStanding {
  return { until, uses }
}

function orderedAssertion(assertion: Assertion): Assertion {
  const { authenticatorData, clientDataJSON, credential, signature } = assertion
  return { authenticatorData, clientDataJSON, credential, signature }
}

/** The use of a standing grant with its members in canonical order. */
export function orderedUseOf({ grant, use, uses }: StandingUse): StandingUse {
  return { grant, use, uses }
}

/** What a decision opens, in canonical order. */
export function orderedOpens({
  deadline,
  escalatesAt,
  id,
  promptsAt,
  terms,
}: OpenedApproval): OpenedApproval {
  return { deadline, escalatesAt, id, promptsAt, terms: orderedTerms(terms) }
}

// `quorumOf` is a map: whoever made it has sorted it.
function orderedTerms(terms: ApprovalTerms): ApprovalTerms {
  const {
    approvers,
    asks,
    channels,
    deadlineMs,
    escalateTo,
    exclude,
    hours,
    quorum,
    quorumOf,
    remindMs,
    routes,
  } = terms
  return {
    approvers,
    asks,
    breakGlass: terms.breakGlass && {
      approvers: terms.breakGlass.approvers,
      quorum: terms.breakGlass.quorum,
    },
    channels,
    deadlineMs,
    escalateTo: escalateTo?.map((stage) => ({
      afterMs: stage.afterMs,
      approvers: stage.approvers,
      set: stage.set,
    })),
    exclude,
    hours: hours && {
      days: hours.days,
      fromMinute: hours.fromMinute,
      toMinute: hours.toMinute,
      zone: hours.zone,
    },
    quorum,
    quorumOf,
    remindMs,
    routes,
    signed: terms.signed,
    standing: terms.standing && {
      lastsMs: terms.standing.lastsMs,
      mayDiffer: terms.standing.mayDiffer.map(({ how, param }) => ({ how, param })),
      uses: terms.standing.uses,
    },
    survivesPolicyChange: terms.survivesPolicyChange,
  }
}
