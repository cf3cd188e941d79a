// What records are looked for by.
import { unreachable } from '../model/fault.ts'
import { indexOfId } from '../model/ids.ts'
import type { DecisionRecord, LogRecord, RecordBody } from '../model/record.ts'

/**
 * What a record can be found by: `agent=` and `action=` of decisions, `effect=` of those that did not allow, `claims=`
 * and `call=` of those that claimed an approval, and `kind=` of what is neither decision nor outcome. Kept beside the
 * records; it proves nothing, and verification compares it.
 */
export function recordTerms(record: LogRecord | RecordBody): readonly string[] {
  switch (record.kind) {
    case 'decision': {
      const { agent, action, effect } = record
      const terms = [`agent=${agent}`, `action=${action}`]
      if (effect !== 'allow') terms.push(`effect=${effect}`)
      if (record.claims !== null) terms.push(...claimTerms(record, record.claims.id))
      return terms
    }
    case 'outcome':
      return []
    case 'vote':
    case 'expiry':
    case 'cancellation':
    case 'reminder':
    case 'delegation':
    case 'revocation':
    case 'policy':
    case 'access':
    case 'suspension':
    case 'erasure':
    case 'sealing':
    case 'archive':
    case 'hold':
    case 'read':
    case 'key':
      return [`kind=${record.kind}`]
    default:
      return unreachable(record)
  }
}

/** The `recordTerms` of many records, each once. */
export class TermSet {
  readonly #terms = new Set<string>()
  /** Decisions whose terms are here already: by agent, action and effect, which are all that their terms say. */
  readonly #decisions = new Map<string, Map<string, Set<string>>>()

  add(record: LogRecord | RecordBody): void {
    // What claims an approval has terms of its own.
    if (record.kind === 'decision' && record.claims === null && this.#isKnown(record)) return
    for (const term of recordTerms(record)) this.#terms.add(term)
  }

  list(): string[] {
    return [...this.#terms]
  }

  // Most decisions of a batch are like others of it, and putting their terms together takes time.
  #isKnown({ agent, action, effect }: Pick<DecisionRecord, 'agent' | 'action' | 'effect'>): boolean {
    const actions = this.#decisions.get(agent) ?? new Map<string, Set<string>>()
    const effects = actions.get(action) ?? new Set<string>()
    if (effects.size === 0) this.#decisions.set(agent, actions.set(action, effects))
    if (effects.has(effect)) return true
    effects.add(effect)
    return false
  }
}

// All of a call's decisions but the first claim an approval: without one, its call id gives that first answer again.
function claimTerms({ agent, callId }: ClaimingRecord, claimed: string): string[] {
  // What is claimed is the caller's own text; only an approval can be looked for.
  if (indexOfId('apr', claimed) === undefined) return callId === null ? [] : [callTerm(agent, callId)]
  return callId === null ? [`claims=${claimed}`] : [`claims=${claimed}`, callTerm(agent, callId)]
}

type ClaimingRecord = Pick<DecisionRecord, 'agent' | 'callId'>

/** The term of the decisions under a call id that claimed an approval. */
export function callTerm(agent: string, callId: string): string {
  return `call=${agent} ${callId}`
}
