import type { DeterminingRule, PolicyRef } from '../api.ts'
import { visibleText } from '../wording.ts'
import { EffectBadge } from './badges.tsx'
import { Icon } from './icons.tsx'

/** The reasons, the main one first. */
export function Reasons({ reasons }: { readonly reasons: readonly string[] }) {
  const [first, ...others] = reasons
  if (first === undefined) return <p className="quiet">No reason was recorded.</p>
  return (
    <div className="reasons">
      <p className="reason-main">{visibleText(first)}</p>
      {others.length > 0 && (
        <ul>
          {others.map((reason) => (
            <li key={reason}>{visibleText(reason)}</li>
          ))}
        </ul>
      )}
    </div>
  )
}

/** Every rule that took part, with its condition and the place to find it in the policy. */
export function Rules({
  rules,
  isApproved = false,
}: {
  readonly rules: readonly DeterminingRule[]
  /** Where the call was allowed, every escalation among the rules had been approved by people. */
  readonly isApproved?: boolean
}) {
  if (rules.length === 0) return <p className="quiet">No rule took part: what no rule allows is denied.</p>
  return (
    <ul className="rules">
      {rules.map((rule) => (
        <li key={`${rule.id} ${rule.effect}`} className="rule">
          <div className="rule-head">
            <EffectBadge effect={rule.effect} />
            <code className="rule-id">{visibleText(rule.id)}</code>
            <span className="rule-line">line {rule.line}</span>
          </div>
          {rule.condition !== null && <code className="condition">{visibleText(rule.condition)}</code>}
          {rule.because === 'condition_error' ? (
            <p className="rule-error">
              <Icon name="warning" />
              <span>
                The condition could not be evaluated, and so counts as matched.
                {rule.detail !== null && <span className="rule-detail">{visibleText(rule.detail)}</span>}
              </span>
            </p>
          ) : (
            <p className="quiet">
              {rule.condition === null ? 'Matched.' : 'The condition matched.'}
              {rule.route !== null && (
                <>
                  {' '}
                  Asks for <code>{visibleText(rule.route)}</code>
                  {isApproved && ', which people have approved'}.
                </>
              )}
            </p>
          )}
        </li>
      ))}
    </ul>
  )
}

/** The policy by id, version and the first digits of its hash. */
export function Policy({ policy }: { readonly policy: PolicyRef | null }) {
  if (policy === null) return <span className="quiet">No policy is bound to this agent</span>
  return (
    <>
      <span className="break">{visibleText(policy.id)}</span>
      {policy.version !== null && <span className="quiet"> version {policy.version}</span>}
      <code className="hash" title={`SHA-256 ${policy.sha256}`}>
        {policy.sha256.slice(0, 12)}…
      </code>
    </>
  )
}
