import type { ConditionRule } from '../../model/policy.ts'
import { coversPatterns } from './callable-actions.ts'
import { matchRegion, ruleSubjects } from './condition-region.ts'
import { isOwn, maySpeakOfOthers, spokenOf, whereIs, type Linted, type Written } from './linted.ts'
import { isNever, isWithin, within, type Region } from './regions.ts'

/** How many pairs of rules are compared; a policy with more is not looked at to the end. */
const pairsMax = 20_000

interface Compared {
  readonly written: Written<ConditionRule>
  readonly at: number
  readonly region: Region
  readonly actions: ReadonlySet<string>
  readonly others: boolean
}

/**
 * Rules that change nothing, because another one does the same or more wherever they match.
 *
 * @returns the rules that were reported
 */
export function checkShadowed(linted: Linted): ReadonlySet<ConditionRule> {
  const compared = linted.rules
    .map((written, at): Compared => ({
      written,
      at,
      region: matchRegion(written.rule, linted.policy.facts),
      actions: new Set(spokenOf(written, linted)),
      others: maySpeakOfOthers(written, linted),
    }))
    .filter(({ written, actions, others }) => !written.rule.shadow && (actions.size > 0 || others))
  const reported = new Set<ConditionRule>()
  const byAction = new Map<string, Compared[]>()
  for (const one of compared) {
    for (const action of one.actions) {
      const known = byAction.get(action)
      if (known === undefined) byAction.set(action, [one])
      else known.push(one)
    }
  }
  let pairs = 0
  for (const inner of compared.filter(({ written }) => isOwn(written))) {
    const [first] = inner.actions
    const candidates = first === undefined ? compared : (byAction.get(first) ?? [])
    for (const outer of candidates) {
      pairs += 1
      if (pairs > pairsMax) return reported
      if (inner === outer || !doesAsMuch(outer, inner) || reported.has(outer.written.rule)) continue
      if (!isCovered(inner, outer, linted)) continue
      report(inner.written, outer.written.rule, linted)
      reported.add(inner.written.rule)
      break
    }
  }
  return reported
}

function doesAsMuch({ written: { rule: outer } }: Compared, { written: { rule: inner } }: Compared): boolean {
  if (outer.effect === 'deny') return true
  return inner.effect === 'escalate' && inner.route === outer.route
}

function isCovered(inner: Compared, outer: Compared, linted: Linted): boolean {
  if (![...inner.actions].every((action) => outer.actions.has(action))) return false
  if (inner.others && !coversOthers(inner.written.rule, outer.written.rule, linted)) return false
  // Where each does what the other does, the later one is too much.
  const { effect } = inner.written.rule
  const isTwin = outer.written.rule.effect === effect && outer.at > inner.at
  const covers = (one: Compared, other: Compared): boolean => lies(one, other, linted)
  if (!covers(inner, outer)) return false
  return !(isTwin && isOwn(outer.written) && sameActions(inner, outer) && covers(outer, inner))
}

function sameActions(one: Compared, other: Compared): boolean {
  return one.actions.size === other.actions.size && one.others === other.others
}

// First whatever a call may be, then by what can be told of the calls of each action.
function lies(inner: Compared, outer: Compared, linted: Linted): boolean {
  if (isNever(inner.region)) return false
  if (isWithin(inner.region, outer.region)) return true
  if (inner.others || inner.actions.size === 0) return false
  const { facts } = linted.policy
  const subjects = [...ruleSubjects(inner.written.rule, facts), ...ruleSubjects(outer.written.rule, facts)]
  let matchesSomewhere = false
  for (const action of inner.actions) {
    for (const box of linted.domains.of(action, subjects) ?? []) {
      const part = within(inner.region, box)
      if (isNever(part)) continue
      matchesSomewhere = true
      if (!isWithin(part, outer.region)) return false
    }
  }
  return matchesSomewhere
}

function coversOthers(inner: ConditionRule, outer: ConditionRule, { policy }: Linted): boolean {
  if (!coversPatterns(outer.on, inner.on)) return false
  const used = outer.condition?.uses ?? []
  const isFree = used.length === 0 || used.some((name) => policy.facts.get(name)?.for === undefined)
  return isFree || (inner.condition?.uses ?? []).every((name) => used.includes(name))
}

function report(
  { rule, source, path }: Written<ConditionRule>,
  outer: ConditionRule,
  { findings }: Linted,
): void {
  const does = outer.effect === 'deny' ? 'denies' : `asks \`${outer.route ?? ''}\``
  const also = outer.effect === rule.effect ? 'too' : 'and nobody is asked'
  const message = `\`${rule.id}\` changes nothing: wherever it matches, ${whereIs(outer)} ${does}, ${also}`
  findings.warning(
    source,
    source.positions.ofValue(path),
    message,
    'remove it, or correct the one of the two that is wrong',
    { code: 'shadowed-rule' },
  )
}
