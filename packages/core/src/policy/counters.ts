import { nearest } from '@bailiwick/cel'
import type { Counter, FactDeclaration, ValueExpression } from '../model/policy.ts'
import type { CounterWindow } from '../model/window.ts'
import type { DocumentPath } from './positions.ts'
import { checkSilence, ruleBase, type EntryPlace, type RuleContext } from './rules.ts'
import type { PolicyFile } from './schema.ts'
import type { PolicySource } from './sources.ts'
import { calendarWindow } from './windows.ts'

type WrittenBudget = NonNullable<PolicyFile['budgets']>[number]
type WrittenCounter = Omit<WrittenBudget, 'sum' | 'count'> & Pick<Partial<WrittenBudget>, 'sum'>

/**
 * Compiles `budgets` and `rates` of one file. One that several policies inherit is one counter for all of them;
 * one in the policy itself is its own.
 */
export function compileCounters(
  source: PolicySource,
  policyId: string,
  context: RuleContext,
): readonly Counter[] {
  const budgets = (source.content.budgets ?? []).map((written, at) =>
    compileCounter('budget', written, { source, path: ['budgets', at] }, policyId, context),
  )
  const rates = (source.content.rates ?? []).map((written, at) =>
    compileCounter('rate', written, { source, path: ['rates', at] }, policyId, context),
  )
  return [...budgets, ...rates]
}

function compileCounter(
  kind: Counter['kind'],
  written: WrittenCounter,
  place: EntryPlace,
  policyId: string,
  context: RuleContext,
): Counter {
  const { source, path } = place
  const sum = valueAt(written.sum, source, [...path, 'sum'], context)
  if (sum !== undefined) {
    checkSum(sum, place, context)
    checkSilence(factsIn([sum]), written.on, context.facts, place, context.references)
  }
  const per = perValues(written.per, source, [...path, 'per'], context)
  checkKeys(per, place, context)
  return {
    ...ruleBase(written, place, context.references),
    kind,
    // Names hold no spaces, so no two counters have one name, and no name goes on as a key of another.
    name: `${source.file === undefined ? policyId : ''} ${written.id}`,
    sum,
    per,
    window: windowOf(written.window),
    max: written.max,
    facts: factsIn(sum === undefined ? per : [sum, ...per]),
  }
}

function perValues(
  written: WrittenCounter['per'],
  source: PolicySource,
  path: DocumentPath,
  context: RuleContext,
): readonly ValueExpression[] {
  if (typeof written === 'string') return [valueAt(written, source, path, context) ?? []].flat()
  return (written ?? []).flatMap((text, at) => valueAt(text, source, [...path, at], context) ?? [])
}

// Whoever may choose the key may choose one that has not been used yet.
function checkKeys(
  per: readonly ValueExpression[],
  { source, path }: EntryPlace,
  { facts, conditions, references }: RuleContext,
): void {
  for (const { source: text, root } of per) {
    const fact = facts.get(root) ?? conditions.inferred.get(root)
    if (root !== 'params' && fact?.source !== 'params') continue
    const place = source.positions.ofValue([...path, 'per'])
    const message = `what is used is counted apart by \`${text}\`, the model's own word: another spelling has a budget of its own`
    references.findings.warning(source, place, message, 'take it from `context`, which the host fills in', {
      code: 'counter-key-from-params',
    })
  }
}

function windowOf(written: WrittenCounter['window']): CounterWindow {
  return typeof written === 'number'
    ? { kind: 'sliding', ms: written }
    : calendarWindow(written.calendar, written.zone)
}

function factsIn(values: readonly ValueExpression[]): readonly string[] {
  return [...new Set(values.filter(({ path }) => path.length === 0).map(({ root }) => root))].filter(
    (root) => root !== 'agent' && root !== 'action' && root !== 'env',
  )
}

const wholeNames: ReadonlySet<string> = new Set(['agent', 'action', 'env'])

function valueAt(
  text: string | undefined,
  source: PolicySource,
  documentPath: DocumentPath,
  { facts, conditions, references }: RuleContext,
): ValueExpression | undefined {
  if (text === undefined) return undefined
  const [root = '', ...path] = text.split('.')
  const below = root === 'params' || root === 'context' || text === 'session.id'
  const whole = wholeNames.has(root) || facts.has(root) || conditions.inferred.has(root)
  if (below ? path.length > 0 : whole && path.length === 0) {
    conditions.checkReach(root, source, source.positions.ofValue(documentPath))
    return { source: text, root, path }
  }
  const near = nearest(root, [...facts.keys(), ...conditions.inferred.keys(), ...wholeNames])
  const fix =
    near === undefined || path.length > 0
      ? 'declare it under `facts`, or write a path such as `params.amount` or `context.customer.id`'
      : `did you mean \`${near}\`?`
  references.findings.error(source, source.positions.ofValue(documentPath), `unknown name \`${text}\``, fix, {
    code: 'unknown-name',
  })
  return undefined
}

function checkSum(
  sum: ValueExpression,
  { source, path }: EntryPlace,
  { facts, conditions, references }: RuleContext,
): void {
  const fact: FactDeclaration | undefined = facts.get(sum.root) ?? conditions.inferred.get(sum.root)
  const isNumber = sum.path.length > 0 ? sum.root !== 'session' : fact?.type === 'number'
  if (isNumber) return
  const what = fact === undefined ? 'a text' : `a ${fact.type}`
  const place = source.positions.ofValue([...path, 'sum'])
  references.findings.error(
    source,
    place,
    `\`${sum.source}\` is ${what}, which cannot be added up`,
    'sum a number',
    { code: 'counter-sum-type' },
  )
}
