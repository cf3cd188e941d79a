import type { ApprovalStatus, Decision, Effect } from '../api.ts'
import { unreachable } from '../unreachable.ts'
import { Icon } from './icons.tsx'
import type { IconName } from './icons.tsx'

const effects: Readonly<Record<Effect, string>> = {
  allow: 'Allowed',
  deny: 'Denied',
  escalate: 'Escalated',
}

/** What the policy said, by word, shape and colour. In shadow mode, what it would have said. */
export function EffectBadge({
  effect,
  isShadow = false,
}: {
  readonly effect: Effect
  readonly isShadow?: boolean
}) {
  if (isShadow) return <ShadowBadge effect={effect} />
  return (
    <span className={`badge badge-${effect}`}>
      <Icon name={effect} />
      {effects[effect]}
    </span>
  )
}

/** What would have happened, had the policy or the rule been enforced. */
export function ShadowBadge({ effect }: { readonly effect: Effect }) {
  return (
    <span className="badge badge-shadow">
      <Icon name="shadow" />
      Would be {effects[effect].toLowerCase()}
    </span>
  )
}

const statuses: Readonly<Record<ApprovalStatus, { word: string; icon: IconName; tone: string }>> = {
  pending: { word: 'Waiting', icon: 'clock', tone: 'escalate' },
  approved: { word: 'Approved', icon: 'check', tone: 'allow' },
  consumed: { word: 'Approved and used', icon: 'check', tone: 'allow' },
  rejected: { word: 'Rejected', icon: 'cross', tone: 'deny' },
  expired: { word: 'Expired', icon: 'clock', tone: 'plain' },
  cancelled: { word: 'Cancelled', icon: 'deny', tone: 'plain' },
}

/** Where an approval stands, by word, shape and colour. */
export function StatusBadge({ status }: { readonly status: ApprovalStatus }) {
  const { word, icon, tone } = statuses[status]
  return (
    <span className={`badge badge-${tone}`}>
      <Icon name={icon} />
      {word}
    </span>
  )
}

/** That an approval can let nothing through any more, and why. */
export function VoidBadge() {
  return (
    <span className="badge badge-deny">
      <Icon name="deny" />
      Void: policy changed
    </span>
  )
}

/** That people broke the glass: an emergency, which is marked wherever it shows. */
export function GlassBadge() {
  return (
    <span className="badge badge-glass">
      <Icon name="warning" />
      Glass broken
    </span>
  )
}

/** What became of the call after the decision. */
export function OutcomeNote({ decision }: { readonly decision: Pick<Decision, 'effect' | 'outcome'> }) {
  const { icon, tone, words } = outcomeWords(decision)
  return (
    <span className={`outcome outcome-${tone}`}>
      {icon !== null && <Icon name={icon} />}
      {words}
    </span>
  )
}

/** The outcome in two or three words. */
function outcomeWords(decision: Pick<Decision, 'effect' | 'outcome'>): {
  icon: IconName | null
  tone: string
  words: string
} {
  if (decision.effect !== 'allow') {
    return {
      icon: null,
      tone: 'none',
      words: decision.effect === 'deny' ? 'Did not run' : 'Held for a person',
    }
  }
  if (decision.outcome === null) return { icon: 'clock', tone: 'open', words: 'No outcome yet' }
  const { status } = decision.outcome
  switch (status) {
    case 'succeeded':
      return { icon: 'check', tone: 'good', words: 'Succeeded' }
    case 'failed':
      return { icon: 'cross', tone: 'bad', words: 'Failed' }
    case 'unknown':
      return { icon: 'unknown', tone: 'odd', words: 'Unknown' }
    default:
      return unreachable(status)
  }
}
