import type { ConditionRule } from '../../model/policy.ts'
import { atomsOf, matched, regionOf } from './condition-region.ts'
import type { Subject } from './atoms.ts'
import { intervalText } from './described-set.ts'
import { isOwn, whereIs, type Linted, type Written } from './linted.ts'
import { between, both, merged, numbers, type Interval } from './value-sets.ts'

/** A rule that asks nothing but where one number lies. */
interface Tier {
  readonly written: Written<ConditionRule>
  readonly subject: Subject
  readonly intervals: readonly Interval[]
}

/** The tiers that rules on one subject make for an action. */
type Tiers = readonly Tier[]

/**
 * Rules that split the values of one number among them and leave something out between two of them, or put the
 * boundary that they share on different sides.
 *
 * @param shadowed rules that change nothing; they have been reported
 */
export function checkThresholds(linted: Linted, shadowed: ReadonlySet<ConditionRule>): void {
  const said = new Set<string>()
  for (const [action, tiers] of tiersByAction(linted, shadowed)) {
    for (const group of bySubject(tiers)) {
      if (group.length < 2) continue
      checkGaps(group, action, linted, said)
      checkBoundaries(group, linted, said)
    }
  }
}

function tiersByAction(
  linted: Linted,
  shadowed: ReadonlySet<ConditionRule>,
): ReadonlyMap<string | undefined, Tiers> {
  const byAction = new Map<string | undefined, Tier[]>()
  for (const written of linted.rules) {
    const tier = shadowed.has(written.rule) ? undefined : tierOf(written, linted)
    if (tier === undefined) continue
    const others = written.others ? [undefined] : []
    for (const action of [...written.actions, ...others]) {
      const known = byAction.get(action)
      if (known === undefined) byAction.set(action, [tier])
      else known.push(tier)
    }
  }
  return byAction
}

function tierOf(written: Written<ConditionRule>, { policy }: Linted): Tier | undefined {
  const { condition, unless, window, outside, environments, shadow } = written.rule
  if (condition === undefined || shadow) return undefined
  if ([unless, window, outside, environments].some((one) => one !== undefined)) return undefined
  const subjects = atomsOf(condition, policy.facts).map(({ atom }) => atom.subject)
  const [subject] = subjects
  if (subject?.kind !== 'numbers' || subjects.some(({ key }) => key !== subject.key)) return undefined
  const sets = regionOf(condition, matched, policy.facts)?.map((box) => box.get(subject.key))
  const intervals = sets?.flatMap((set) => (set?.kind === 'numbers' ? set.intervals : []))
  if (intervals === undefined || intervals.length === 0) return undefined
  return { written, subject, intervals: merged(intervals) }
}

function bySubject(tiers: Tiers): readonly Tiers[] {
  const groups = new Map<string, Tier[]>()
  for (const tier of tiers) {
    const known = groups.get(tier.subject.key)
    if (known === undefined) groups.set(tier.subject.key, [tier])
    else known.push(tier)
  }
  return [...groups.values()]
}

function checkGaps(tiers: Tiers, action: string | undefined, linted: Linted, said: Set<string>): void {
  const [first] = tiers
  if (first === undefined) return
  const domain = linted.domains.setOf(first.subject, action)
  if (domain.kind !== 'numbers') return
  const all = both(domain, numbers(merged(tiers.flatMap(({ intervals }) => intervals)), { failing: true }))
  const holes = both(domain, numbers(between(all.kind === 'numbers' ? all.intervals : [])))
  if (all.kind !== 'numbers' || holes.kind !== 'numbers') return
  for (const hole of holes.intervals) {
    const below = tiers.find(({ intervals }) =>
      intervals.some((one) => isJust(one.high, hole.low, domain.whole)),
    )
    const above = tiers.find(({ intervals }) =>
      intervals.some((one) => isJust(hole.high, one.low, domain.whole)),
    )
    if (below === undefined || above === undefined || below === above) continue
    if (!isSuspicious(hole, below, above)) continue
    reportGap(hole, below, above, linted, said)
  }
}

function isJust(low: number, high: number, whole: boolean): boolean {
  return low === high || (whole && low + 1 === high)
}

// What lies between two bounds is often what is allowed. A hole is a slip where it is one value or a fraction, or
// where the tier below it asks people, and so everything above should at least do so.
function isSuspicious(hole: Interval, below: Tier, above: Tier): boolean {
  const isTier = below.intervals.some(({ low, high }) => low < high && Number.isFinite(low))
  const [one, other] = [below.written.rule, above.written.rule]
  const isNarrow = hole.low === hole.high
  if (isNarrow && (isTier || one.effect !== other.effect)) return true
  if (isTier && hole.lowOpen && hole.highOpen && hole.high - hole.low === 1) return true
  // Below 0 is no tier: who asks about amounts below 0 and denies large ones allows what lies between.
  return (isTier || hole.low > 0) && one.effect === 'escalate' && other.effect === 'deny'
}

function reportGap(hole: Interval, below: Tier, above: Tier, linted: Linted, said: Set<string>): void {
  const [own, other] = isOwn(above.written) ? [above, below] : [below, above]
  if (!isOwn(own.written)) return
  const what =
    hole.low === hole.high ? `exactly ${hole.low}` : `what is ${intervalText(hole) ?? 'between them'}`
  const { rule, source, path } = own.written
  const message = `\`${rule.id}\` and ${whereIs(other.written.rule)} leave out ${what}`
  if (said.has(message)) return
  said.add(message)
  const fix =
    'write `>=` or `<=` at one of them, or the same limit in both, if no value is to pass between them'
  linted.findings.warning(source, source.positions.insideString([...path, 'condition'], 0), message, fix, {
    code: 'threshold-gap',
  })
}

function checkBoundaries(tiers: Tiers, linted: Linted, said: Set<string>): void {
  for (const [at, one] of tiers.entries()) {
    for (const other of tiers.slice(0, at)) {
      const limit = sharedLimit(one, other)
      if (limit === undefined) continue
      const [own, beside] = isOwn(one.written) ? [one, other] : [other, one]
      if (!isOwn(own.written)) continue
      const { rule, source, path } = own.written
      const message = `\`${rule.id}\` and ${whereIs(beside.written.rule)} share the limit ${limit}, and only one of them includes it`
      if (said.has(message)) continue
      said.add(message)
      const fix = 'compare with `>` or with `>=` in both, if they mean the same limit'
      linted.findings.warning(
        source,
        source.positions.insideString([...path, 'condition'], 0),
        message,
        fix,
        {
          code: 'threshold-boundary',
        },
      )
    }
  }
}

/** The limit from which both go on in the same direction, one with it and one without it. */
function sharedLimit(one: Tier, other: Tier): number | undefined {
  for (const mine of one.intervals) {
    for (const theirs of other.intervals) {
      const up = mine.low === theirs.low && mine.lowOpen !== theirs.lowOpen
      if (up && mine.high === Infinity && theirs.high === Infinity) return mine.low
      const down = mine.high === theirs.high && mine.highOpen !== theirs.highOpen
      if (down && mine.low === -Infinity && theirs.low === -Infinity) return mine.high
    }
  }
  return undefined
}
