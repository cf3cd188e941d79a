import { nearest } from '@bailiwick/cel'
import type { Condition } from '../../model/policy.ts'
import { existsFor } from '../readers.ts'
import type { DocumentPath } from '../positions.ts'
import type { PolicySource } from '../sources.ts'
import type { Atom } from './atoms.ts'
import { atomsOf, plainlyFalse, plainlyTrue, regionOf, subjectsOf } from './condition-region.ts'
import { setText } from './described-set.ts'
import { isOwn, type Linted } from './linted.ts'
import { isNever, within, type Region } from './regions.ts'
import { both, isNothing, withFailing, type ValueSet } from './value-sets.ts'

/** One condition, and the actions for which it is evaluated; `undefined` among them stands for those without a name. */
interface Asked {
  readonly condition: Condition
  readonly source: PolicySource
  readonly path: DocumentPath
  readonly actions: readonly (string | undefined)[]
}

/** Conditions, and parts of them, that come out one way whatever is called. */
export function checkOutcomes(linted: Linted): void {
  for (const written of linted.rules.filter(isOwn)) {
    const { rule, source, path } = written
    const actions = [...written.actions, ...(written.others ? [undefined] : [])]
    for (const key of ['condition', 'unless'] as const) {
      const condition = rule[key]
      if (condition === undefined || actions.length === 0) continue
      const asked = { condition, source, path: [...path, key], actions }
      if (checkParts(asked, linted)) continue
      const constant = constantOutcome(asked, linted)
      if (constant !== undefined) reportWhole(asked, constant, rule.id, key, linted)
    }
  }
  for (const { condition, source, path, actions } of constraintConditions(linted)) {
    checkParts({ condition, source, path, actions }, linted)
  }
}

function constraintConditions({ policy, leaf, callable }: Linted): readonly Asked[] {
  return policy.actions
    .filter(({ file }) => file === undefined)
    .flatMap(({ when, pattern }) => {
      const actions = callable.coveredBy([pattern])
      const path = ['actions', pattern.text, 'when']
      return when === undefined || actions.length === 0
        ? []
        : [{ condition: when, source: leaf, path, actions }]
    })
}

/** Reports the comparisons that are never true; says whether there were any. */
function checkParts(asked: Asked, linted: Linted): boolean {
  const { condition, actions } = asked
  let isFound = false
  for (const { atom } of atomsOf(condition, linted.policy.facts)) {
    if (atom.subject.read.from === 'anything') continue
    const concerned = actions.filter((action) => isThere(atom, action, linted))
    const holds = withFailing(atom.holds, false)
    const setOf = (action: string | undefined): ValueSet => linted.domains.setOf(atom.subject, action)
    if (concerned.length === 0 || !concerned.every((action) => isNothing(both(setOf(action), holds))))
      continue
    isFound = true
    reportPart(asked, atom, concerned.map(setOf), linted)
  }
  return isFound
}

function reportPart(
  { condition, source, path }: Asked,
  { subject, holds, node }: Atom,
  sets: readonly ValueSet[],
  { findings }: Linted,
): void {
  const text = condition.source.slice(node.start, node.end)
  const described = new Set(sets.map(setText))
  const [is] = described.size === 1 ? described : []
  const name = subject.key.replace(/ (numbers|texts|bools)$/, '')
  const declared = is === undefined ? '' : `: \`${name}\` is ${is}`
  const why = subject.read.from === 'size' ? ': a size is 0 or more' : declared
  const place = source.positions.insideString(path, node.start)
  const fix = fixOf(holds, sets[0])
  findings.warning(source, place, `\`${text}\` is never true${why}`, fix, { code: 'never-true' })
}

function isThere({ subject }: Atom, action: string | undefined, { policy }: Linted): boolean {
  if (subject.read.from !== 'name' || action === undefined) return true
  const fact = policy.facts.get(subject.read.name)
  return fact === undefined || existsFor(fact, action)
}

function fixOf(holds: ValueSet, domain: ValueSet | undefined): string {
  if (holds.kind === 'texts' && !holds.others && domain?.kind === 'texts' && !domain.others) {
    const [wanted] = holds.listed
    const near = wanted === undefined ? undefined : nearest(wanted, domain.listed)
    if (near !== undefined) return `did you mean "${near}"?`
  }
  return 'correct it, or what is declared of the value'
}

/** `true` or `false` where that, or an error, is all that a condition ever comes to. */
function constantOutcome({ condition, actions }: Asked, { policy, domains }: Linted): boolean | undefined {
  const subjects = subjectsOf(condition, policy.facts)
  // A constant written as one is meant.
  if (subjects.length === 0) return undefined
  const never = (region: Region): boolean =>
    actions.every((action) => isNeverIn(region, domains.of(action, subjects)))
  if (never(regionOf(condition, plainlyTrue, policy.facts))) return false
  return never(regionOf(condition, plainlyFalse, policy.facts)) ? true : undefined
}

function isNeverIn(region: Region, domain: Region): boolean {
  return domain !== undefined && domain.every((box) => isNever(within(region, box)))
}

function reportWhole(
  { source, path }: Asked,
  outcome: boolean,
  id: string,
  key: 'condition' | 'unless',
  { findings }: Linted,
): void {
  const place = source.positions.insideString(path, 0)
  if (outcome) {
    const effect = key === 'unless' ? `\`${id}\` never matches` : `\`${id}\` always matches`
    const message = `this is never false in a call that gets here, so ${effect}`
    findings.warning(
      source,
      place,
      message,
      key === 'unless' ? 'correct it, or remove the rule' : 'correct it, or remove the condition',
      { code: 'always-true' },
    )
    return
  }
  const effect =
    key === 'unless' ? 'it excuses nothing' : `\`${id}\` matches only where it cannot be evaluated`
  const message = `this is never true in a call that gets here, so ${effect}`
  findings.warning(source, place, message, 'correct it: its parts exclude each other', { code: 'never-true' })
}
