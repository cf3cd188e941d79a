import type { Decision, DeterminingRule } from '../../src/index.ts'

/** What two engines have to agree on: everything of a decision but its sentences and lines. */
export interface Verdict {
  readonly effect: 'allow' | 'deny' | 'escalate'
  readonly code: string | undefined
  /** `ID EFFECT BECAUSE` of every rule that took part, with `shadow` where it does not count, sorted. */
  readonly rules: readonly string[]
  readonly terms:
    { readonly routes: readonly string[]; readonly quorum: number; readonly deadlineMs: number } | undefined
  readonly usesApproval: boolean
}

/** A decision of the product, as far as others have to agree with it. */
export function verdictOf(decision: Decision): Verdict {
  const escalated = decision.effect === 'escalate' ? decision.approval : undefined
  return {
    effect: decision.effect,
    code: decision.effect === 'deny' ? decision.code : undefined,
    rules: decision.rules.map(lineOf).sort(),
    terms: escalated && {
      routes: [...escalated.routes].sort(),
      quorum: escalated.quorum,
      deadlineMs: escalated.deadlineMs,
    },
    usesApproval: decision.effect === 'allow' && decision.consumesApproval,
  }
}

/** A rule that took part, in one line. */
export function lineOf({ id, effect, because, shadow }: DeterminingRule): string {
  return `${id} ${effect} ${because}${shadow === true ? ' shadow' : ''}`
}
