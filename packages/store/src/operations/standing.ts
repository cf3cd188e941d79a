import {
  canonicalJsonOfPresent,
  Fault,
  grantId,
  instantText,
  isCovered,
  parseInstant,
  standingGrantsMax,
  standingWithin,
  type Approval,
  type CompiledPolicy,
  type Decision,
  type Instant,
  type RecordedStanding,
  type Standing,
  type StandingFact,
  type ToolCall,
} from '@bailiwick/core'
import type { Fold } from '../log/fold.ts'
import { liveGrant, type LiveGrant } from '../log/standing-grants.ts'
import type { Place } from '../log/operation.ts'

/** Who asks to have what decided. */
interface Asking {
  readonly parsed: { readonly call: ToolCall }
  readonly gathered: { readonly policy: CompiledPolicy | undefined }
}

type Escalation = Extract<Decision, { readonly effect: 'escalate' }>

/**
 * The standing grant that covers a call which would be escalated, as a fact: one with a use left that has not ended by either
 * clock, under the same policy and the same terms, for a call like this one. Of several, the one that ends first.
 */
export function standingFact(
  { parsed: { call }, gathered: { policy } }: Asking,
  escalation: Escalation,
  fold: Fold,
  { at }: Place,
): StandingFact | undefined {
  // A claim speaks for itself.
  if (policy === undefined || call.approvalId !== undefined) return undefined
  const grants = fold.grants.of(call.agent, call.action)
  if (grants.length === 0) return undefined
  const terms = canonicalJsonOfPresent(escalation.approval)
  const later = {
    agent: call.agent,
    action: call.action,
    policy: policy.ref.sha256,
    rules: escalation.rules,
    params: call.params,
    context: call.context,
  }
  const now = fold.latest(at)
  const [grant] = grants
    .filter(({ made, used }) => used < made.uses && now < made.until)
    .filter((each) => each.terms === terms && isCovered(each.scope, later))
    .sort((one, other) => one.made.until - other.made.until || one.index - other.index)
  return grant && factOf(grant)
}

function factOf({ index, made, routes, used }: LiveGrant): StandingFact {
  return { grant: grantId(index), routes, use: used + 1, uses: made.uses, by: made.by }
}

/** What a vote grants beside the one call, as it is recorded and as it counts. */
export interface JudgedStanding {
  readonly recorded: RecordedStanding
  readonly standing: Standing
}

/** What people ask for who vote. */
interface Asked {
  readonly standing?: { readonly uses: number; readonly until: string } | undefined
  readonly vote: string
  readonly breakGlass?: boolean | undefined
}

/**
 * What a vote grants beside the one call, within what the approval's terms let people grant; undefined where nothing.
 *
 * @throws Fault `bad_input` for more than that, or with a vote that is no ordinary consent; `not_permitted` where the terms
 *   let nobody grant anything
 */
export function judgedStanding(
  { vote, breakGlass, standing: asked }: Asked,
  { id, terms }: Pick<Approval, 'id' | 'terms'>,
  fold: Fold,
  at: Instant,
): JudgedStanding | undefined {
  if (asked === undefined) return undefined
  if (vote !== 'approve' || breakGlass === true) {
    throw new Fault('bad_input', 'only a vote that approves, and breaks no glass, can grant more calls', {
      fix: 'Leave `standing` out.',
    })
  }
  const { standing: bounds } = terms
  if (bounds === undefined) {
    throw new Fault('not_permitted', `the policy lets nobody grant more calls like that of ${id}`, {
      fix: 'Vote without `standing`.',
    })
  }
  const until = parseInstant(asked.until)
  // A process whose clock is ahead lets nobody grant for longer, and one that is behind for what has passed.
  const earliest = fold.earliest(at)
  const standing = until && standingWithin({ standing: { uses: asked.uses, until }, at: earliest }, bounds)
  if (standing === undefined || standing.until <= fold.latest(at)) {
    const latest = instantText((earliest + bounds.lastsMs) as Instant)
    throw new Fault('bad_input', `\`standing\` is outside of what ${id} lets people grant`, {
      fix: `Send \`uses\` from 1 to ${bounds.uses}, and \`until\` as a time to come, ${latest} at the latest.`,
    })
  }
  return { standing, recorded: { uses: standing.uses, until: instantText(standing.until) } }
}

/**
 * The standing grant that an approval's votes make, now that it is approved; undefined where they make none.
 *
 * @param approval with all of its votes
 * @throws Fault `conflict` where as many are live as may be
 */
export function grantMade(
  approval: Approval,
  opened: Parameters<typeof liveGrant>[1],
  fold: Fold,
  at: Instant,
): LiveGrant | undefined {
  const grant = liveGrant(approval, opened, 0)
  if (grant === undefined || grant.made.until <= at) return undefined
  if (fold.grants.countAt(at) >= standingGrantsMax) {
    throw new Fault('conflict', `${standingGrantsMax} standing grants are live, and there may be no more`, {
      fix: 'Vote without `standing`, or revoke some of them.',
    })
  }
  return grant
}

/**
 * Refuses a grant that would rest on the vote of somebody who has been removed meanwhile, or on one in such a person's
 * stead: nobody answers for it any more. What the vote counted for the one call stays counted.
 *
 * @throws Fault `conflict`
 */
export function refuseGrantOfGone(approval: Approval, by: readonly string[], fold: Fold): void {
  const people = approval.votes
    .filter(({ person }) => by.includes(person))
    .flatMap(({ person, index = -1, for: principal }) => [
      { person, index },
      { person: principal ?? person, index },
    ])
  // Whoever came under the same address after the vote is somebody else.
  const gone = people.find(
    ({ person, index }) => (fold.access.person(person)?.since ?? Infinity) > index,
  )?.person
  if (gone === undefined) return
  throw new Fault('conflict', `a grant would rest on the vote of ${gone}, who has been removed`, {
    fix: 'Vote without `standing`.',
  })
}
