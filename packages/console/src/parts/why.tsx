import { reasonText } from '@bailiwick/core/words'
import type { DeterminingRule, PolicyRef } from '../api.ts'
import { Link } from '../router.tsx'
import { visibleText } from '../wording.ts'
import { RuleItem } from './rule.tsx'

/** The reasons, the main one first. */
export function Reasons({ reasons }: { readonly reasons: readonly string[] }) {
  const [first, ...others] = reasons
  if (first === undefined) return <p className="quiet">No reason was recorded.</p>
  return (
    <div className="reasons">
      <p className="reason-main">{reasonText(first)}</p>
      {others.length > 0 && (
        <ul>
          {others.map((reason) => (
            <li key={reason}>{reasonText(reason)}</li>
          ))}
        </ul>
      )}
    </div>
  )
}

/** Every rule that took part, with its condition and the place to find it in the policy. */
export function Rules({
  rules,
  written,
  isApproved = false,
}: {
  readonly rules: readonly DeterminingRule[]
  /** Their texts in the policy, by id. */
  readonly written?: ReadonlyMap<string, string> | undefined
  /** Where the call was allowed, every escalation among the rules had been approved by people. */
  readonly isApproved?: boolean
}) {
  if (rules.length === 0) return <p className="quiet">No rule took part: what no rule allows is denied.</p>
  return (
    <ul className="rules">
      {rules.map((rule) => (
        <RuleItem
          key={`${rule.id} ${rule.effect}`}
          rule={rule}
          written={written?.get(rule.id)}
          isApproved={isApproved}
        />
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
      {policy.version !== null && <span className="quiet"> version {policy.version}</span>}{' '}
      <Link to={`/policies/${policy.sha256}`} className="hash" title={`SHA-256 ${policy.sha256}`}>
        <code>{policy.sha256.slice(0, 12)}…</code>
      </Link>
    </>
  )
}
