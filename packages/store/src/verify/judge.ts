import { amountOf, namesUser, statusCodes } from './fact-codes.ts'
import {
  factAt,
  factLength,
  factSlot,
  factTag,
  haveSameIndex,
  haveSameKey,
  tags,
  type Fact,
  type Tag,
} from './facts.ts'

/** As of which records facts were written. */
export interface JudgedAs {
  /** The index of the first record that is not archived: what follows from an earlier one is not compared. */
  readonly floor: number
  /** As `SaidSettings` says: more may then be stored under a key than is said, of what an erased payload hides. */
  readonly isWhole?: boolean | undefined
}

/** Whether the facts of every key agree, where these are all facts of their keys. */
export function allAgree(facts: Uint8Array, as: JudgedAs): boolean {
  return disagreeing(facts, as) === undefined
}

/** Facts of one key that do not agree, where there are any: those of the first such key. */
export function disagreeing(facts: Uint8Array, as: JudgedAs): readonly Fact[] | undefined {
  const bytes = Buffer.from(facts.buffer, facts.byteOffset, facts.byteLength)
  const view = new DataView(facts.buffer, facts.byteOffset, facts.byteLength)
  for (const ofKey of byKey(bytes, view)) {
    if (isPlainCall(view, ofKey)) continue
    const known = ofKey.map((at) => factAt(bytes, at))
    if (!agree(known, as)) return known
  }
  return undefined
}

/** Where the facts of each key lie, in the order in which they came. No object for each fact: there are millions. */
function* byKey(bytes: Buffer, view: DataView): Generator<number[]> {
  const { places, next, firsts } = chained(bytes, view)
  for (const first of firsts) {
    if (first < 0) continue
    const ofKey: number[] = []
    for (let fact = first; fact >= 0; fact = next[fact] ?? -1) ofKey.push(places[fact] ?? 0)
    yield ofKey
  }
}

interface Chains {
  /** Where the nth fact lies. */
  readonly places: readonly number[]
  /** Which fact of the same key comes after the nth one; -1 where none does. */
  readonly next: Int32Array
  /** The first fact of each key, and -1 where a slot is free. */
  readonly firsts: Int32Array
}

/** Chains the facts of each key, by a table with open addressing that is never more than half full. */
function chained(bytes: Buffer, view: DataView): Chains {
  const places: number[] = []
  for (let at = 0; at < bytes.length; at += factLength(bytes, at)) places.push(at)
  let slots = 16
  while (slots < places.length * 2) slots *= 2
  const firsts = new Int32Array(slots).fill(-1)
  const lasts = new Int32Array(slots)
  const next = new Int32Array(places.length).fill(-1)
  for (const [fact, at] of places.entries()) {
    let slot = factSlot(view, at) % slots
    for (;;) {
      const first = firsts[slot] ?? -1
      if (first < 0) {
        firsts[slot] = fact
        break
      }
      if (haveSameKey(view, places[first] ?? 0, at)) {
        next[lasts[slot] ?? 0] = fact
        break
      }
      slot = (slot + 1) % slots
    }
    lasts[slot] = fact
  }
  return { places, next, firsts }
}

/** Whether these are a call that one decision made, and a row that names this decision: most of a log has nothing else. */
function isPlainCall(view: DataView, [one, other, ...more]: readonly number[]): boolean {
  if (one === undefined || other === undefined || more.length > 0) return false
  return (
    factTag(view, one) === tags.callSaid &&
    factTag(view, other) === tags.callStored &&
    haveSameIndex(view, one, other)
  )
}

/**
 * Whether the facts of one key, those of the records in the order of the log, say the same as what is stored. Strict:
 * true is certain, and false means that somebody has to look closely.
 */
function agree(facts: readonly Fact[], { floor, isWhole = false }: JudgedAs): boolean {
  const [first] = facts
  if (first === undefined) return true
  switch (first.tag) {
    case tags.callSaid:
    case tags.callStored:
      return callAgrees(facts, floor)
    case tags.outcomeSaid:
    case tags.outcomeStored:
    case tags.earlierStored:
      return outcomeAgrees(facts)
    case tags.markSaid:
    case tags.markStored:
      return markAgrees(facts, floor)
    case tags.voteSaid:
    case tags.voteStored:
      return voteAgrees(facts)
    case tags.approvalOpened:
    case tags.approvalTouched:
    case tags.approvalUsed:
    case tags.approvalStored:
      return approvalAgrees(facts)
    case tags.useSaid:
    case tags.useStored:
    case tags.released:
    case tags.keylessSaid:
    case tags.keylessStored:
      return usesAgree(facts)
    case tags.sumSaid:
    case tags.sumStored:
      return sumsAgree(facts, tags.sumSaid, isWhole)
    case tags.totalSaid:
    case tags.totalStored:
      return sumsAgree(facts, tags.totalSaid, false)
    case tags.promptSaid:
    case tags.promptStored:
      return promptAgrees(facts)
    case tags.delegationGiven:
    case tags.delegationRevoked:
    case tags.delegationStored:
      return givenAgrees(facts, [tags.delegationGiven, tags.delegationRevoked, tags.delegationStored])
    case tags.grantMade:
    case tags.grantRevoked:
    case tags.grantStored:
      return givenAgrees(facts, [tags.grantMade, tags.grantRevoked, tags.grantStored])
    case tags.grantUseSaid:
    case tags.grantUseStored:
      return grantUseAgrees(facts)
    default:
      return false
  }
}

function only(facts: readonly Fact[], tag: Tag): readonly Fact[] {
  return facts.filter((fact) => fact.tag === tag)
}

/** The only one of a tag; undefined where there is none, or more. */
function theOne(facts: readonly Fact[], tag: Tag): Fact | undefined {
  const [first, ...more] = only(facts, tag)
  return more.length === 0 ? first : undefined
}

// The first decision under a call id stands until another one does not deny.
function callAgrees(facts: readonly Fact[], floor: number): boolean {
  const said = only(facts, tags.callSaid)
  const standing = said.findLast(({ code }) => code === 0) ?? said[0]
  const row = theOne(facts, tags.callStored)
  return row !== undefined && (isArchived(row, floor) || row.index === standing?.index)
}

function isArchived({ index }: Fact, floor: number): boolean {
  return index >= 0 && index < floor
}

function outcomeAgrees(facts: readonly Fact[]): boolean {
  const [last, before] = only(facts, tags.outcomeSaid).toReversed()
  const row = theOne(facts, tags.outcomeStored)
  const [earlier, ...more] = only(facts, tags.earlierStored)
  if (last === undefined || more.length > 0 || earlier?.index !== before?.index) return false
  return row?.index === last.index && row.code === last.code
}

function markAgrees(facts: readonly Fact[], floor: number): boolean {
  const [first] = only(facts, tags.markSaid)
  const row = theOne(facts, tags.markStored)
  return row !== undefined && (isArchived(row, floor) || row.index === first?.index)
}

function voteAgrees(facts: readonly Fact[]): boolean {
  const said = theOne(facts, tags.voteSaid)
  return said !== undefined && theOne(facts, tags.voteStored)?.detail === said.detail
}

// Opened once, and first; only a vote makes it `approved`, and only an approved one is used.
function approvalAgrees(facts: readonly Fact[]): boolean {
  const row = theOne(facts, tags.approvalStored)
  const [opened, ...then] = facts.filter(({ tag }) => tag !== tags.approvalStored)
  if (row === undefined || opened?.tag !== tags.approvalOpened || row.detail !== opened.detail) return false
  let status = statusCodes.pending
  let user: number | undefined
  for (const { tag, code, index } of then) {
    if (tag === tags.approvalTouched) {
      status = code
      user = code === statusCodes.cancelled ? index : undefined
    } else if (tag === tags.approvalUsed && status === statusCodes.approved) {
      status = statusCodes.consumed
      user = index
    } else return false
  }
  const code = user === undefined ? status : status + namesUser
  return row.code === code && row.index === (user ?? 0)
}

// The last record that says so tells when people are told again.
function promptAgrees(facts: readonly Fact[]): boolean {
  const last = only(facts, tags.promptSaid).at(-1)
  const stored = only(facts, tags.promptStored)
  if (last === undefined) return false
  return last.code === 1 ? stored.length === 0 : stored.length === 1 && stored[0]?.index === last.index
}

// Given once, and first; revoked once, if at all.
function givenAgrees(facts: readonly Fact[], [givenTag, revokedTag, storedTag]: GivenTags): boolean {
  const row = theOne(facts, storedTag)
  const [given, revoked, ...more] = facts.filter(({ tag }) => tag !== storedTag)
  if (row === undefined || given?.tag !== givenTag || row.detail !== given.detail) return false
  if (more.length > 0 || (revoked !== undefined && revoked.tag !== revokedTag)) return false
  return row.code === (revoked === undefined ? 0 : 1) && row.index === (revoked?.index ?? 0)
}

type GivenTags = readonly [given: Tag, revoked: Tag, stored: Tag]

// One decision is the nth use.
function grantUseAgrees(facts: readonly Fact[]): boolean {
  const said = theOne(facts, tags.grantUseSaid)
  return said !== undefined && theOne(facts, tags.grantUseStored)?.index === said.index
}

// What counts has to be stored, and nothing else may be, unless the run failed: what counts no more may be gone. Where the
// key of a use is not known, it is stored with one that no record says.
function usesAgree(facts: readonly Fact[]): boolean {
  const isReleased = facts.some(({ tag }) => tag === tags.released)
  const of = (tag: Tag): readonly Fact[] => only(facts, tag)
  const keyed = isReleased ? [] : of(tags.useSaid)
  const keyless = isReleased ? [] : of(tags.keylessSaid)
  const hasUnknown = keyless.length > keyed.length
  return (
    areStored(keyed, of(tags.useStored), hasUnknown) &&
    (keyless.length === 0 || areStored(keyless, of(tags.keylessStored), false))
  )
}

function areStored(said: readonly Fact[], stored: readonly Fact[], mayHaveMore: boolean): boolean {
  const missing = new Map<string, number>()
  for (const { detail } of said) missing.set(detail, (missing.get(detail) ?? 0) + 1)
  for (const { detail } of stored) {
    const left = missing.get(detail) ?? 0
    if (left > 0) missing.set(detail, left - 1)
    else if (!mayHaveMore) return false
  }
  return said.every(({ code, detail }) => code === 1 || missing.get(detail) === 0)
}

function sumsAgree(facts: readonly Fact[], saidTag: Tag, mayHaveMore: boolean): boolean {
  let said = 0n
  let stored = 0n
  for (const { tag, detail } of facts) {
    if (tag === saidTag) said += amountOf(detail)
    else stored += amountOf(detail)
  }
  const isOver = facts[0]?.code === 1
  return stored === said || (isOver && stored < said) || (mayHaveMore && stored > said)
}
