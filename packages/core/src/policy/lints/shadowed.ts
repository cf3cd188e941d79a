import type { ConditionRule } from '../../model/policy.ts'
import { coversPatterns } from './callable-actions.ts'
import type { Subject } from './atoms.ts'
import { matchRegion, ruleSubjects } from './condition-region.ts'
import { isOwn, whereIs, type Linted, type Written } from './linted.ts'
import { isNever, isWithin, within, type Effort, type Region } from './regions.ts'

/** What all comparisons of one policy may take together; one with more rules is not looked at to the end. */
const effortMax = 100_000

interface Compared {
  readonly written: Written<ConditionRule>
  readonly at: number
  readonly region: Region
  readonly subjects: readonly Subject[]
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
      subjects: ruleSubjects(written.rule, linted.policy.facts),
      actions: new Set(written.actions),
      others: written.others,
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
  const effort = { left: effortMax }
  for (const inner of compared.filter(({ written }) => isOwn(written))) {
    const [first] = inner.actions
    const candidates = first === undefined ? compared : (byAction.get(first) ?? [])
    for (const outer of candidates) {
      effort.left -= 1
      if (effort.left < 0) return reported
      if (inner === outer || !doesAsMuch(outer, inner) || reported.has(outer.written.rule)) continue
      if (!isCovered(inner, outer, effort, linted)) continue
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

function isCovered(inner: Compared, outer: Compared, effort: Effort, linted: Linted): boolean {
  if (![...inner.actions].every((action) => outer.actions.has(action))) return false
  if (inner.others && !coversOthers(inner.written.rule, outer.written.rule, linted)) return false
  // Where each does what the other does, the later one is too much.
  const { effect } = inner.written.rule
  const isTwin = outer.written.rule.effect === effect && outer.at > inner.at
  const covers = (one: Compared, other: Compared): boolean => lies(one, other, effort, linted)
  if (!covers(inner, outer)) return false
  return !(isTwin && isOwn(outer.written) && sameActions(inner, outer) && covers(outer, inner))
}

function sameActions(one: Compared, other: Compared): boolean {
  return one.actions.size === other.actions.size && one.others === other.others
}

// First whatever a call may be, then by what can be told of the calls of each action.
function lies(inner: Compared, outer: Compared, effort: Effort, linted: Linted): boolean {
  if (isNever(inner.region)) return false
  if (isWithin(inner.region, outer.region, effort)) return true
  if (inner.others || inner.actions.size === 0) return false
  const subjects = [...inner.subjects, ...outer.subjects]
  if (
    outer.region === undefined ||
    ![...inner.actions].some((action) => linted.domains.narrows(action, subjects))
  )
    return false
  let matchesSomewhere = false
  for (const action of inner.actions) {
    for (const box of linted.domains.of(action, subjects) ?? []) {
      effort.left -= 5
      const part = within(inner.region, box)
      if (isNever(part)) continue
      matchesSomewhere = true
      if (!isWithin(part, outer.region, effort)) return false
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
