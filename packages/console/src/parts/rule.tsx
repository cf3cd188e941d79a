import { routeText, rulePlaceText } from '@bailiwick/core/words'
import type { DeterminingRule } from '../api.ts'
import type { ExplainedPart, ExplainedRule } from '../explanation.ts'
import { visibleText } from '../wording.ts'
import { EffectBadge } from './badges.tsx'
import { Icon } from './icons.tsx'
import { Yaml } from './yaml.tsx'

/** A rule that took part: what it says, where it stands, and what its condition met. */
export function RuleItem({
  rule,
  parts = [],
  written,
  isApproved,
}: {
  readonly rule: DeterminingRule
  readonly parts?: readonly ExplainedPart[]
  /** Its text in the policy, where that is known. */
  readonly written?: string | undefined
  /** Where the call was allowed, every escalation among the rules had been approved by people. */
  readonly isApproved: boolean
}) {
  const isError = rule.because === 'condition_error'
  return (
    <li className={isError ? 'rule rule-odd' : 'rule'}>
      <div className="rule-head">
        <EffectBadge effect={rule.effect} isShadow={rule.shadow === true} />
        <RuleName id={rule.id} />
        <Place rule={rule} />
      </div>
      {isError && (
        <p className="rule-error">
          <Icon name="warning" />
          <span>
            The condition could not be evaluated, and so counts as matched.
            {rule.detail !== null && <span className="rule-detail">{visibleText(rule.detail)}</span>}
          </span>
        </p>
      )}
      <RuleCondition rule={rule} parts={parts} />
      {!isError && (
        <p className="quiet">
          {matchedText(rule)}
          {rule.route !== null && (
            <>
              {' '}
              {routeText(rule.route)}.{isApproved && rule.shadow !== true && ' They have said yes.'}
            </>
          )}
        </p>
      )}
      {written !== undefined && (
        <details className="written">
          <summary>As the policy says it</summary>
          <pre
            className="code"
            role="region"
            aria-label={`${visibleText(rule.id)} in the policy`}
            tabIndex={0}
          >
            <Yaml text={written} />
          </pre>
        </details>
      )}
      {rule.shadow === true && <p className="quiet">In shadow mode, so it did not count.</p>}
      <RuleLink link={rule.link} />
    </li>
  )
}

/** A rule that did not match: one quiet line, and more where somebody asks. */
export function UnmatchedRule({ rule }: { readonly rule: ExplainedRule }) {
  return (
    <li className="rule-quiet">
      <details>
        <summary>
          <Icon name="open" />
          <RuleName id={rule.id} />
          <span className="rule-state">{stateOf(rule)}</span>
          <Place rule={rule} />
        </summary>
        <RuleCondition rule={rule} parts={rule.parts} />
        <RuleLink link={rule.link} />
      </details>
    </li>
  )
}

/** What a rule is called: by its author, or by its place. */
export function RuleName({ id }: { readonly id: string }) {
  const place = rulePlaceText(id)
  if (place === undefined) return <code className="rule-id">{visibleText(id)}</code>
  return (
    <span className="rule-id" title={visibleText(id)}>
      {place}
    </span>
  )
}

const requirementId =
  /^(?:.+:)?(?:environments|actions\..+\.(?:params|roles|environments|window|when|obligations))$/

// What a call has to satisfy reads the other way round: it denies where it does not hold.
function matchedText({ id, condition }: DeterminingRule): string {
  if (requirementId.test(id)) return condition === null ? 'Does not hold.' : 'The condition does not hold.'
  return condition === null ? 'Matched.' : 'The condition matched.'
}

function stateOf({ id, effect, shadow }: ExplainedRule): string {
  if (requirementId.test(id)) return 'holds'
  const mode = shadow === true ? ', in shadow mode' : ''
  return `would ${effect}${mode}`
}

function Place({ rule }: { readonly rule: Pick<DeterminingRule, 'file' | 'line'> }) {
  return (
    <span className="rule-line">
      {rule.file !== null && <>{visibleText(rule.file)}, </>}line {rule.line}
    </span>
  )
}

function RuleCondition({
  rule,
  parts,
}: {
  readonly rule: Pick<DeterminingRule, 'condition' | 'id'>
  readonly parts: readonly ExplainedPart[]
}) {
  // The parts leave out what joins them, such as the `unless` of a rule and what a flow comes after.
  const isTheOnly = parts.length === 1 && parts[0]?.text === rule.condition
  return (
    <>
      {rule.condition !== null && !isTheOnly && (
        <code className="condition">{visibleText(rule.condition)}</code>
      )}
      {parts.length > 0 && (
        <Parts parts={parts} label={`Condition of ${visibleText(rule.id)}, part by part`} />
      )}
    </>
  )
}

function RuleLink({ link }: { readonly link: string | null }) {
  if (link === null || !/^https?:\/\//.test(link)) return null
  return (
    <p className="quiet">
      <a href={link} target="_blank" rel="noreferrer" className="break">
        Why this rule is there
      </a>
    </p>
  )
}

/** Parts of a condition below each other, each with what it came to. */
function Parts({ parts, label }: { readonly parts: readonly ExplainedPart[]; readonly label?: string }) {
  return (
    <ul className="parts" aria-label={label}>
      {parts.map((part, at) => (
        // Parts have no name of their own, and never change places.
        <li key={at}>
          <div className="part">
            <code>{visibleText(part.text)}</code>
            <PartValue part={part} />
          </div>
          {part.parts.length > 0 && <Parts parts={part.parts} />}
        </li>
      ))}
    </ul>
  )
}

function PartValue({ part: { value, error, parts } }: { readonly part: ExplainedPart }) {
  if (error !== null) {
    // Said once, at the part where it went wrong.
    const isSaidBelow = parts.some((part) => part.error === error)
    return (
      <span className="part-error">
        <Icon name="warning" />
        {isSaidBelow ? <span className="unseen">could not be evaluated</span> : visibleText(error)}
      </span>
    )
  }
  if (value === null) return <span className="part-unasked">not asked for</span>
  return (
    <span className={value === 'true' ? 'part-value part-true' : 'part-value'}>
      <span className="unseen">is </span>
      <bdi>{visibleText(value)}</bdi>
    </span>
  )
}
