import type { Decision, DeterminingRule, Effect } from '../api.ts'
import type { ExplainedChange, ExplainedCounter, ExplainedFact, Explanation } from '../explanation.ts'
import { numberText, reasonText } from '@bailiwick/core/words'
import { asProblem } from '../problem.ts'
import { useExplanation } from '../queries.ts'
import { visibleText } from '../wording.ts'
import { Section } from './document.tsx'
import { Icon } from './icons.tsx'
import { RuleItem, RuleName, UnmatchedRule } from './rule.tsx'
import { Rules } from './why.tsx'

/** Why the decision was made: its rules part by part, the facts and budgets, and what would have changed it. */
export function Explained({ decision }: { readonly decision: Decision }) {
  const found = useExplanation(decision.id)
  const isApproved = decision.effect === 'allow'
  if (found.data !== undefined) {
    const isShadow = decision.shadow !== null
    return <ExplanationSections explanation={found.data} isApproved={isApproved} isShadow={isShadow} />
  }
  return (
    <Section title="Rules that matched">
      <Rules rules={[...decision.rules, ...shadowed(decision)]} isApproved={isApproved} />
      {found.isError ? (
        <NoExplanation error={found.error} onRetry={() => void found.refetch()} />
      ) : (
        <div className="explaining" role="status">
          <span className="unseen">Loading the explanation</span>
          <span className="bone bone-long" aria-hidden="true" />
          <span className="bone" aria-hidden="true" />
        </div>
      )}
    </Section>
  )
}

/** The rules of a policy in shadow mode, which counted for nothing. */
function shadowed({ shadow }: Decision): readonly DeterminingRule[] {
  return shadow === null ? [] : shadow.rules.map((rule) => ({ ...rule, shadow: true }))
}

function NoExplanation({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  const problem = asProblem(error)
  if (problem.status === 410) {
    return (
      <div className="notice">
        <Icon name="erased" />
        <p>
          What the decision was made from has been erased, so it can’t be explained part by part. Its record,
          with the rules above, can still be verified.
        </p>
      </div>
    )
  }
  return (
    <div className="notice notice-bad" role="alert">
      <Icon name="warning" />
      <div>
        <p>
          The explanation is missing: {visibleText(problem.message)}.
          {problem.detail !== null && <> {visibleText(problem.detail)}</>}
        </p>
        <button type="button" className="button button-small" onClick={onRetry}>
          Try again
        </button>
      </div>
    </div>
  )
}

function ExplanationSections({
  explanation,
  isApproved,
  isShadow,
}: {
  readonly explanation: Explanation
  readonly isApproved: boolean
  /** The policy is in shadow mode: what stops calls counted for nothing. */
  readonly isShadow: boolean
}) {
  const { same, facts, counters, session, changes } = explanation
  return (
    <>
      {!same && <Differs explanation={explanation} />}
      <ExplainedRules explanation={explanation} isApproved={isApproved} isShadow={isShadow} />
      {changes.length > 0 && (
        <Section title="What would have changed it" note="Each tried out alone">
          <Changes changes={changes} />
        </Section>
      )}
      {facts.length > 0 && (
        <Section title="Facts" note="What the rules went by">
          <Facts facts={facts} />
        </Section>
      )}
      {counters.length > 0 && (
        <Section title="Budgets and rates" note="As they stood at the time">
          <ul className="counters">
            {counters.map((counter) => (
              <Counter key={counter.id} counter={counter} />
            ))}
          </ul>
        </Section>
      )}
      {session !== null && (
        <Section title="Session" note="What it had been through">
          <dl className="entries">
            <Names name="Labels" names={session.labels} none="none" />
            <Names name="Allowed before" names={session.actions} none="nothing" />
          </dl>
        </Section>
      )}
    </>
  )
}

const parts: Readonly<Record<string, string>> = {
  claims: 'the approval that it uses',
  code: 'the kind of denial',
  consumes: 'what it uses of budgets',
  effect: 'its effect',
  keys: 'whose budgets it uses',
  labels: 'what it leaves in the session',
  obligations: 'its obligations',
  opens: 'the approval that it opens',
  policy: 'its policy',
  reasons: 'its reasons',
  rules: 'the rules that matched',
  session: 'its session',
  shadow: 'what shadow mode says',
  standing: 'the standing grant that let it through',
}

/** A member of a record, as people call it. */
function partText(member: string): string {
  return parts[member] ?? visibleText(member)
}

function Differs({ explanation: { differences } }: { readonly explanation: Explanation }) {
  return (
    <div className="notice notice-bad" role="alert">
      <Icon name="warning" />
      <p>
        Made again, this decision comes out otherwise than it was recorded, in{' '}
        {differences.map(partText).join(', ')}. What follows explains how it comes out now. An operator should
        run <code>bailiwick log verify</code>.
      </p>
    </div>
  )
}

function ExplainedRules({
  explanation: { rules, rulesElsewhere },
  isApproved,
  isShadow,
}: {
  readonly explanation: Explanation
  readonly isApproved: boolean
  readonly isShadow: boolean
}) {
  const unmatched = rules.filter(({ because }) => because === 'not_matched')
  const partly = rules.flatMap((rule) => {
    const { because } = rule
    if (because === 'not_matched') return []
    return [{ ...rule, because, shadow: rule.shadow === true || (isShadow && rule.effect !== 'allow') }]
  })
  // What could not be evaluated comes first: it is what somebody has to mend.
  const odd = partly.filter(({ because }) => because === 'condition_error')
  const matched = partly.filter(({ because }) => because === 'matched')
  return (
    <Section title="Rules that matched">
      {partly.length === 0 ? (
        <p className="quiet">No rule took part.</p>
      ) : (
        <ul className="rules">
          {[...odd, ...matched].map((rule) => (
            <RuleItem
              key={`${rule.id} ${rule.effect}`}
              rule={rule}
              parts={rule.parts}
              isApproved={isApproved}
            />
          ))}
        </ul>
      )}
      {unmatched.length > 0 && (
        <>
          <h3 className="rules-quiet-title">Did not apply</h3>
          <ul className="rules-quiet">
            {unmatched.map((rule) => (
              <UnmatchedRule key={`${rule.id} ${rule.effect}`} rule={rule} />
            ))}
          </ul>
        </>
      )}
      {rulesElsewhere > 0 && (
        <p className="quiet rules-elsewhere">
          {rulesElsewhere === 1 ? 'One more rule speaks' : `${rulesElsewhere} more rules speak`} of other
          actions.
        </p>
      )}
    </Section>
  )
}

const provenance = {
  params: { word: 'Model’s word', icon: 'unknown' },
  context: { word: 'Host’s word', icon: 'check' },
  lookup: { word: 'Looked up', icon: 'link' },
  default: { word: 'Policy’s default', icon: 'todo' },
} as const

/** Whose word a fact is. */
function wordOf({ source, note }: ExplainedFact): keyof typeof provenance {
  return note === 'the default of the policy' ? 'default' : source
}

function Facts({ facts }: { readonly facts: readonly ExplainedFact[] }) {
  return (
    <dl className="facts">
      {facts.map((fact) => {
        const { name, value, from, source, note } = fact
        const whose = wordOf(fact)
        const { word, icon } = provenance[whose]
        return (
          <div key={name} className="fact">
            <dt>
              <code>{visibleText(name)}</code>
            </dt>
            <dd>
              <span className="fact-value">
                {value === null ? <em className="quiet">absent</em> : <bdi>{visibleText(value)}</bdi>}
              </span>
              <span className={`provenance provenance-${whose}`}>
                <Icon name={icon} />
                {word}
              </span>
              <span className="fact-from">
                {source !== 'lookup' && <code>{visibleText(from)}</code>}
                {note !== null && whose !== 'default' && !note.startsWith(`${from} is absent`) && (
                  <span>{visibleText(note)}</span>
                )}
              </span>
            </dd>
          </div>
        )
      })}
    </dl>
  )
}

function Counter({ counter }: { readonly counter: ExplainedCounter }) {
  const { id, limit, used, amount, masked, max } = counter
  if (masked === true) {
    return (
      <li className="counter">
        <div className="counter-head">
          <RuleName id={id} />
        </div>
        <p className="counter-limit">
          Stops {visibleText(limit)}. What is used of it is sensitive, and not shown.
        </p>
      </li>
    )
  }
  if (used === null || amount === null) {
    return (
      <li className="counter">
        <div className="counter-head">
          <RuleName id={id} />
        </div>
        <p className="rule-error">
          <Icon name="warning" />
          <span>
            {amount === null ? 'What this call uses can’t be told' : 'What had been used is not known'}, and
            so it counts as used up.
          </span>
        </p>
        <p className="counter-limit">Matches {visibleText(limit)}</p>
      </li>
    )
  }
  const left = max - used - amount
  const whole = Math.max(max, used + amount, Number.MIN_VALUE)
  const share = (part: number): string => `${(100 * part) / whole}%`
  return (
    <li className="counter">
      <div className="counter-head">
        <RuleName id={id} />
        <span className={left < 0 ? 'counter-left counter-over' : 'counter-left'}>
          {left < 0 ? `${exact(-left)} too much` : `${exact(left)} left`}
        </span>
      </div>
      {/* Attributes, not styles: the content security policy allows no inline style. */}
      <svg className="counter-bar" aria-hidden="true">
        <rect className="counter-track" width="100%" height="100%" rx="3" />
        <rect className="counter-used" width={share(used)} height="100%" rx="3" />
        <rect className="counter-asked" x={share(used)} width={share(amount)} height="100%" rx="3" />
        {left < 0 && (
          <>
            <rect className="counter-beyond" x={share(max)} width={share(-left)} height="100%" rx="3" />
            <rect className="counter-max" x={share(max)} width="3" height="100%" />
          </>
        )}
      </svg>
      <dl className="counter-numbers">
        <Figure name="Used before" tone="used" number={used} />
        <Figure name="This call" tone="asked" number={amount} />
        <Figure name="At most" tone="track" number={max} />
      </dl>
      <p className="counter-limit">Matches {visibleText(limit)}</p>
    </li>
  )
}

function Figure({
  name,
  tone,
  number,
}: {
  readonly name: string
  readonly tone: string
  readonly number: number
}) {
  return (
    <div>
      <dt>
        <span className={`swatch swatch-${tone}`} aria-hidden="true" />
        {name}
      </dt>
      <dd className="number">{exact(number)}</dd>
    </div>
  )
}

// Sums of decimals such as 0.1 + 0.2, as people would write them.
function exact(number: number): string {
  return numberText('', Math.abs(number) < 1e12 ? Number(number.toFixed(6)) : number, null)
}

const wouldBe: Readonly<Record<Effect, string>> = {
  allow: 'Allowed',
  deny: 'Denied',
  escalate: 'Escalated',
}

// What would have let the call pass is what people look for.
const order: readonly Effect[] = ['allow', 'escalate', 'deny']

function byEffect(one: ExplainedChange, other: ExplainedChange): number {
  return order.indexOf(one.effect) - order.indexOf(other.effect)
}

function Changes({ changes }: { readonly changes: readonly ExplainedChange[] }) {
  return (
    <ul className="changes">
      {changes.toSorted(byEffect).map(({ change, effect, reason }) => (
        <li key={`${effect} ${change}`} className={`change change-${effect}`}>
          <Icon name={effect} />
          <span>
            <strong>{wouldBe[effect]}</strong> if <bdi>{visibleText(change)}</bdi>
            {effect !== 'allow' && <span className="change-reason">{reasonText(reason)}</span>}
          </span>
        </li>
      ))}
    </ul>
  )
}

function Names({
  name,
  names,
  none,
}: {
  readonly name: string
  readonly names: readonly string[]
  readonly none: string
}) {
  return (
    <div className="entry">
      <dt>{name}</dt>
      <dd>
        {names.length === 0 ? (
          <span className="quiet">{none}</span>
        ) : (
          <ul className="tags">
            {names.map((each) => (
              <li key={each} className="tag">
                {visibleText(each)}
              </li>
            ))}
          </ul>
        )}
      </dd>
    </div>
  )
}
