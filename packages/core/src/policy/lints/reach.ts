import type { NamePattern, RuleBase } from '../../model/policy.ts'
import { patternsMeet } from '../pattern.ts'
import { factsSpeakOf, isOwn, type Linted, type Written } from './linted.ts'

/** Rules that no call can reach: their actions are never allowed, or their facts do not exist for them. */
export function checkReach(linted: Linted): void {
  for (const written of linted.rules.filter(isOwn)) {
    if (checkActions(written, linted)) continue
    if (written.actions.length > 0 || written.others) continue
    reportSilent(written, written.rule.condition?.uses ?? [], linted)
  }
  for (const written of linted.flows.filter(isOwn)) checkActions(written, linted)
  for (const written of linted.counters.filter(isOwn)) {
    const { sum, on } = written.rule
    if (checkActions(written, linted) || sum === undefined || sum.path.length > 0) continue
    const { callable, policy } = linted
    const spoken = callable.coveredBy(on).some((action) => factsSpeakOf([sum.root], policy, action))
    const others =
      callable.mayCoverOthers(on) && policy.facts.get(sum.root)?.for?.every(({ exact }) => exact) !== true
    if (!spoken && !others) reportSilent(written, [sum.root], linted)
  }
}

/** Whether the actions of a rule were found wanting, here or where names are checked. */
function checkActions({ rule, source, path }: Written<RuleBase>, linted: Linted): boolean {
  const { on } = rule
  const { callable, findings } = linted
  if (callable.coveredBy(on).length > 0 || callable.mayCoverOthers(on)) return false
  // A name that stands in no list has been reported already.
  if (on === undefined || !on.some((pattern) => isListed(pattern, linted))) return true
  const message = `\`${rule.id}\` speaks only of actions that are never allowed`
  findings.warning(
    source,
    source.positions.ofValue([...path, 'on']),
    message,
    'correct `on`, or remove it: it decides nothing',
    { code: 'unreachable-rule' },
  )
  return true
}

function isListed(pattern: NamePattern, { policy }: Linted): boolean {
  return [...policy.forbidden, ...policy.allowed].some((listed) => patternsMeet(listed.pattern, pattern))
}

function reportSilent(
  { rule, source, path }: Written<RuleBase>,
  used: readonly string[],
  linted: Linted,
): void {
  const facts = used.filter((name) => linted.policy.facts.has(name)).map((name) => `\`${name}\``)
  // Nothing can be said where nothing at all is allowed.
  if (facts.length === 0 || (linted.callable.names.length === 0 && !linted.callable.isOpen)) return
  const message = `\`${rule.id}\` never speaks: ${facts.join(', ')} ${facts.length === 1 ? 'exists' : 'exist'} for no allowed action that it is on`
  const fix =
    rule.on === undefined ? 'correct the `for` of the fact' : 'correct its `on`, or the `for` of the fact'
  linted.findings.warning(source, source.positions.ofValue(path), message, fix, { code: 'silent-rule' })
}
