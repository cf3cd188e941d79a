import { hasEscapedSurrogate } from '../model/canonical-json.ts'
import type { DeterminingRule, PolicyRef } from '../model/decision.ts'
import { recordBytesMax } from '../model/limits.ts'
import type { DecisionRecord, RecordBody } from '../model/record.ts'
import { orderedOpens, orderedUseOf } from './approval-record.ts'
import type { RecordPlace } from './record-place.ts'
import {
  completeRecord,
  orderedObligation,
  orderedPolicy,
  orderedRule,
  orderedShadow,
  orderedUse,
  recordText,
} from './record.ts'

type Place = Omit<RecordPlace, 'ledger'>
type DecisionBody = Extract<RecordBody, { kind: 'decision' }>

/** What many decisions have in common in their texts, with what it was written from. */
interface Explained {
  readonly policy: PolicyRef | null
  readonly reasons: readonly string[]
  readonly text: string
}

/**
 * Writes the records of one ledger: the same text as `recordText` of `completeRecord`, faster. Decisions, which are
 * most of a log, are written in canonical order by hand; `JSON.stringify` writes their strings and numbers as RFC 8785
 * does. What is frozen is written once.
 */
export class RecordWriter {
  readonly #ledger: string
  readonly #ledgerText: string
  /** By their lists of rules. */
  readonly #explained = new WeakMap<readonly DeterminingRule[], Explained>()

  constructor(ledger: string) {
    this.#ledger = ledger
    this.#ledgerText = quoted(ledger)
  }

  /**
   * The text of the record that `completeRecord` makes of the body.
   *
   * @throws as `recordText` does
   */
  text(body: RecordBody, place: Place): string {
    if (body.kind === 'decision' && everyMemberIsWritten) {
      const text = this.#decisionText(body, place)
      // Short, and without what only looks like half of a pair: the usual case. All else goes the careful way.
      if (text.length * 3 <= recordBytesMax && !hasEscapedSurrogate(text)) return text
    }
    return recordText(completeRecord(body, { ...place, ledger: this.#ledger }))
  }

  // Each piece costs time, here and when all of them are copied into one text: the usual ones are joined beforehand.
  #decisionText(body: DecisionBody, { index, at, payload }: Place): string {
    const { action, agent, callId, claims, code, consumes, effect, id, labels, obligations, opens } = body
    const { session, shadow, standing } = body
    const usual = callId === null && claims === null && code === null && consumes === undefined
    return (
      `{"action":${quoted(action)},"agent":${quoted(agent)},"at":"${at}",` +
      `${usual ? '"callId":null,"claims":null,"code":null,' : askedText(body)}"effect":"${effect}","id":"${id}",` +
      `"index":${index},"kind":"decision",${labels === undefined ? '' : `"labels":${JSON.stringify(labels)},`}` +
      `"ledger":${this.#ledgerText},` +
      (obligations === undefined
        ? ''
        : `"obligations":${JSON.stringify(obligations.map(orderedObligation))},`) +
      (opens === null ? '"opens":null,' : `"opens":${JSON.stringify(orderedOpens(opens))},`) +
      (payload === null ? '"payload":null,' : `"payload":"${payload}",`) +
      this.#explainedText(body) +
      (session === undefined ? '' : `"session":${quoted(session)},`) +
      (shadow === undefined ? '' : `"shadow":${JSON.stringify(orderedShadow(shadow))},`) +
      (standing === undefined ? '"v":1}' : `"standing":${JSON.stringify(orderedUseOf(standing))},"v":1}`)
    )
  }

  #explainedText({ policy, reasons, rules }: DecisionBody): string {
    const known = this.#explained.get(rules)
    if (known?.reasons === reasons && known.policy === policy) return known.text
    const text =
      `"policy":${policy === null ? 'null' : JSON.stringify(orderedPolicy(policy))},` +
      `"reasons":${JSON.stringify(reasons)},"rules":${JSON.stringify(rules.map(orderedRule))},`
    if (isFixed(reasons) && isFixed(rules) && rules.every(isFixed) && (policy === null || isFixed(policy))) {
      this.#explained.set(rules, { policy, reasons, text })
    }
    return text
  }
}

/** Whether nobody can change it any more: its members are texts and numbers, or are asked themselves. */
const isFixed: (value: object) => boolean = Object.isFrozen

function askedText({ callId, claims, code, consumes }: DecisionBody): string {
  return (
    `"callId":${callId === null ? 'null' : quoted(callId)},` +
    `"claims":${claims === null ? 'null' : JSON.stringify({ consumed: claims.consumed, id: claims.id })},` +
    `"code":${code === null ? 'null' : `"${code}"`},` +
    (consumes === undefined ? '' : `"consumes":${JSON.stringify(consumes.map(orderedUse))},`)
  )
}

const plainText = /^[ !#-[\]-~]*$/

function quoted(text: string): string {
  return plainText.test(text) ? `"${text}"` : JSON.stringify(text)
}

type WrittenMembers =
  | 'action'
  | 'agent'
  | 'at'
  | 'callId'
  | 'claims'
  | 'code'
  | 'consumes'
  | 'effect'
  | 'id'
  | 'index'
  | 'kind'
  | 'labels'
  | 'ledger'
  | 'obligations'
  | 'opens'
  | 'payload'
  | 'policy'
  | 'reasons'
  | 'rules'
  | 'session'
  | 'shadow'
  | 'standing'
  | 'v'
// A member of decisions that is not written above breaks the build here.
const everyMemberIsWritten: Exclude<keyof DecisionRecord, WrittenMembers> extends never ? true : never = true
