import type { DecisionRecord } from '../model/record.ts'
import { decisionId, type Sha256 } from '../model/ids.ts'
import { recordBytesMax } from '../model/limits.ts'
import { parseRecord } from './record-shape.ts'

/** What differs from one decision of a kind to the next. */
interface Holes {
  readonly at: string
  /** Null where the record says null, which is part of its template then. */
  readonly callId: string | null
  readonly index: number
  readonly payload: string
}

/** A decision whose text is known to be canonical, and the text around its holes. */
interface Template {
  readonly record: DecisionRecord
  /** What is handed out: the record with its holes filled anew each time. */
  readonly lent: { -readonly [Member in keyof DecisionRecord]: DecisionRecord[Member] }
  readonly beforeAt: string
  readonly afterAt: string
  readonly beforeId: string
  readonly beforePayload: string
  readonly end: string
}

const templatesMax = 8
const atStart = ',"at":"'
const callIdStart = ',"callId":"'
const payloadStart = ',"payload":"'
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const instantLength = 24
const hex = /^[0-9a-f]{64}$/
const hexLength = 64
/** What canonical JSON writes as it is. */
const verbatim = /^[ !#-[\]-~]*$/

/**
 * Reads decisions that differ from one that was read before in nothing but time, call id, index and payload, as most of
 * a log does: three times as fast as parsing them. Strict: what it does not know for certain, it does not read.
 *
 * Why that is certain: up to a hole, the text is that of a canonical record, so a parser would be in the same state
 * there; the hole has a token of the same kind; and so on to the end. That each hole is the member of the record
 * that it looks like, and no other's, is tried once for each template, by parsing it with other values.
 */
export class RecordTemplates {
  readonly #templates: Template[] = []

  /**
   * The record, where it is one of those and its index is this; otherwise undefined, and nothing is known of it. It is lent
   * until the next one is read: an object for each would be half of the work.
   *
   * @param payload what its payload's commitment is expected to be, in hexadecimal digits; whether it is that is not said
   */
  read(text: string, index: number, payload?: Sha256): DecisionRecord | undefined {
    for (const [place, template] of this.#templates.entries()) {
      const record = filled(template, text, index, payload)
      if (record === undefined) continue
      // The next one is most likely to be another of the same.
      if (place > 0) this.#toFront(place, template)
      return record
    }
    return undefined
  }

  /** Takes a decision as a template whose text is known to be canonical. One that cannot be is not taken. */
  learn(record: DecisionRecord, text: string): void {
    const template = templateOf(record, text)
    if (template === undefined) return
    this.#templates.unshift(template)
    if (this.#templates.length > templatesMax) this.#templates.pop()
  }

  #toFront(place: number, template: Template): void {
    this.#templates.splice(place, 1)
    this.#templates.unshift(template)
  }
}

function idAndIndex(index: number, id = decisionId(index)): string {
  return `"id":"${id}","index":${index},`
}

function filled(
  { lent, beforeAt, afterAt, beforeId, beforePayload, end }: Template,
  text: string,
  index: number,
  expected?: Sha256,
): DecisionRecord | undefined {
  if (!text.startsWith(beforeAt)) return undefined
  const atEnd = beforeAt.length + instantLength
  if (!text.startsWith(afterAt, atEnd)) return undefined
  let next = atEnd + afterAt.length
  let callId: string | null = null
  if (lent.callId !== null) {
    const close = text.indexOf('"', next)
    callId = text.slice(next, close)
    if (close < 0 || !verbatim.test(callId)) return undefined
    next = close
  }
  if (!text.startsWith(beforeId, next)) return undefined
  next += beforeId.length
  const id = decisionId(index)
  const place = idAndIndex(index, id)
  if (!text.startsWith(place, next)) return undefined
  next += place.length
  if (!text.startsWith(beforePayload, next)) return undefined
  next += beforePayload.length
  const at = text.slice(beforeAt.length, atEnd)
  const isWhole = text.length === next + hexLength + end.length && text.endsWith(end)
  if (!isWhole || !instant.test(at)) return undefined
  const payload = payloadAt(text, next, expected)
  if (payload === undefined) return undefined
  lent.at = at
  lent.callId = callId
  lent.id = id
  lent.index = index
  lent.payload = payload
  return lent
}

function payloadAt(text: string, at: number, expected: Sha256 | undefined): Sha256 | undefined {
  if (expected !== undefined && text.startsWith(expected, at)) return expected
  const payload = text.slice(at, at + hexLength)
  return hex.test(payload) ? (payload as Sha256) : undefined
}

function withHoles(record: DecisionRecord, { at, callId, index, payload }: Holes): DecisionRecord {
  return {
    ...record,
    at,
    callId,
    id: decisionId(index),
    index,
    payload: payload as DecisionRecord['payload'],
  }
}

function templateOf(record: DecisionRecord, text: string): Template | undefined {
  // Far from any limit, so that another call id changes nothing.
  if (text.length * 6 > recordBytesMax || record.payload === null) return undefined
  const { index, callId } = record
  if (callId !== null && !verbatim.test(callId)) return undefined
  const at = text.indexOf(atStart) + atStart.length
  const afterAt = at + instantLength
  const callIdAt = callId === null ? afterAt : text.indexOf(callIdStart, afterAt) + callIdStart.length
  const afterCallId = callIdAt + (callId ?? '').length
  const place = idAndIndex(index)
  const id = text.indexOf(place, afterCallId)
  const payload = text.indexOf(payloadStart, id) + payloadStart.length
  if (at < atStart.length || callIdAt < afterAt || id < afterCallId || payload < id + place.length)
    return undefined
  const template = {
    record,
    lent: { ...record },
    beforeAt: text.slice(0, at),
    afterAt: text.slice(afterAt, callIdAt),
    beforeId: text.slice(afterCallId, id),
    beforePayload: text.slice(id + place.length, payload),
    end: text.slice(payload + hexLength),
  }
  return isProven(template, text) ? template : undefined
}

/** Whether the template gives the record back, and another record where the holes are filled otherwise, as a parser reads it. */
function isProven(template: Template, text: string): boolean {
  const { record } = template
  const { index, callId } = record
  const same = { at: record.at, callId, index, payload: record.payload ?? '' }
  const other = {
    at: '0123-04-05T06:07:08.900Z',
    callId: callId === null ? null : `${callId} other`,
    index: index === 0 ? 1 : index - 1,
    payload: (record.payload?.startsWith('f') === true ? '0' : 'f').repeat(hexLength),
  }
  return (
    textWith(template, same) === text &&
    JSON.stringify(parseRecord(textWith(template, other))) === JSON.stringify(withHoles(record, other)) &&
    filled(template, text, index) !== undefined
  )
}

function textWith(template: Template, { at, callId, index, payload }: Holes): string {
  const { beforeAt, afterAt, beforeId, beforePayload, end } = template
  return (
    beforeAt + at + afterAt + (callId ?? '') + beforeId + idAndIndex(index) + beforePayload + payload + end
  )
}
