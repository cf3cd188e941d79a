import { nearest } from '@bailiwick/cel'
import type { FactDeclaration } from '../../model/policy.ts'
import { atomsOf } from './condition-region.ts'
import type { ProblemCode } from '../problem-codes.ts'
import type { Linted } from './linted.ts'

/** What is wrong with the facts of the policy file, and with defaults also in files that it extends. */
export function checkFacts(linted: Linted): void {
  const used = usedNames(linted)
  const asserted = assertedNames(linted)
  for (const fact of linted.policy.facts.values()) {
    if (fact.inferred) continue
    if (fact.file !== undefined) {
      // Whatever the other policies are, the model can leave it out.
      if (fact.source === 'params') checkDefault(fact, linted)
      continue
    }
    if (!used.has(fact.name)) {
      const fix = 'use it in a condition, a budget or a rate, or remove it'
      warn(fact, 'unused-fact', `nothing uses the fact \`${fact.name}\``, fix, linted)
    }
    if (fact.source !== 'params') continue
    checkSchemas(fact, linted)
    // Once for each fact: who may leave a value out may also make it up.
    if (!checkDefault(fact, linted) && asserted.has(fact.name)) checkAssertion(fact, linted)
  }
}

function warn(
  fact: FactDeclaration,
  code: ProblemCode,
  message: string,
  fix: string,
  { sources, findings }: Linted,
): void {
  const source = sources.find(({ file }) => file === fact.file)
  if (source !== undefined) {
    findings.warning(source, source.positions.ofKey(['facts', fact.name]), message, fix, { code })
  }
}

function usedNames({ policy }: Linted): ReadonlySet<string> {
  const conditions = [
    ...policy.rules.flatMap(({ condition, unless }) => [condition, unless]),
    ...policy.flows.map(({ unless }) => unless),
    ...policy.actions.map(({ when }) => when),
  ]
  return new Set([
    ...conditions.flatMap((condition) => condition?.uses ?? []),
    ...policy.counters.flatMap(({ facts }) => facts),
  ])
}

/** The bools and texts that conditions take at their word: `is_vip`, `tier == "gold"`. */
function assertedNames({ policy }: Linted): ReadonlySet<string> {
  const conditions = policy.rules.flatMap(({ condition, unless }) => [condition, unless])
  const whens = policy.actions.map(({ when }) => when)
  return new Set(
    [...conditions, ...whens].flatMap((condition) =>
      condition === undefined
        ? []
        : atomsOf(condition, policy.facts).flatMap(({ atom: { subject } }) =>
            subject.kind !== 'numbers' && subject.read.from === 'name' ? [subject.read.name] : [],
          ),
    ),
  )
}

function checkSchemas(fact: FactDeclaration, linted: Linted): void {
  const { schemas, callable, findings, leaf } = linted
  const actions = callable.withFact(fact).filter((action) => schemas.has(action))
  const written = ['params', ...fact.path].join('.')
  for (const action of actions) {
    const type = schemas.typeOf(action, fact.path)
    if (type === undefined || type === fact.type) continue
    const message = `\`${fact.name}\` is a ${fact.type}, and by the schema of \`${action}\` \`${written}\` is a ${type}`
    findings.error(
      leaf,
      leaf.positions.ofValue(['facts', fact.name, 'type']),
      message,
      'correct one of the two types, or the path',
      { code: 'fact-type-mismatch' },
    )
    return
  }
  const missing = actions.filter((action) => schemas.presence(action, fact.path) === 'never')
  const [first] = missing
  if (first !== undefined) reportMissing(fact, first, missing.length < callable.withFact(fact).length, linted)
  else if (actions.length > 0) checkSpelling(fact, actions, linted)
}

function reportMissing(fact: FactDeclaration, action: string, elsewhere: boolean, linted: Linted): void {
  const written = ['params', ...fact.path].join('.')
  const near = elsewhere ? undefined : nearName(fact, action, linted)
  const consequence =
    fact.default === undefined
      ? `what asks for \`${fact.name}\` counts as matched`
      : `\`${fact.name}\` is always its default`
  const message = `no call of \`${action}\` that fits its schema has \`${written}\`: ${consequence}`
  const fix =
    near !== undefined
      ? `did you mean \`${near}\`?`
      : elsewhere
        ? 'name in `for` the actions that have it'
        : 'correct the path, or add it to the schema'
  warn(fact, 'fact-not-in-schema', message, fix, linted)
}

// A schema that admits more than it names may still mean what it names.
function checkSpelling(fact: FactDeclaration, actions: readonly string[], linted: Linted): void {
  const above = fact.path.slice(0, -1)
  const last = fact.path[fact.path.length - 1] ?? ''
  const isNamed = actions.some((action) => linted.schemas.names(action, above).includes(last))
  const [action] = actions
  if (isNamed || action === undefined) return
  const near = nearName(fact, action, linted)
  if (near === undefined) return
  const message = `the schema of \`${action}\` does not name \`${['params', ...fact.path].join('.')}\``
  warn(fact, 'fact-not-in-schema', message, `did you mean \`${near}\`?`, linted)
}

function nearName(fact: FactDeclaration, action: string, { schemas }: Linted): string | undefined {
  const above = fact.path.slice(0, -1)
  const near = nearest(fact.path[fact.path.length - 1] ?? '', schemas.names(action, above))
  return near === undefined ? undefined : ['params', ...above, near].join('.')
}

/** Whether a default lets the model leave a value out. */
function checkDefault(fact: FactDeclaration, linted: Linted): boolean {
  if (fact.default === undefined) return false
  const { schemas, callable } = linted
  const actions = callable.withFact(fact)
  const isRequired =
    !callable.isOpen &&
    actions.length > 0 &&
    actions.every((action) => schemas.presence(action, fact.path) === 'always')
  if (isRequired) return false
  const message = `\`${fact.name}\` is the model's own word, and the default lets the model leave it out`
  const fix = schemas.any
    ? 'take it from `context`, which the host fills in, make the schema require it, or drop the default'
    : 'take it from `context`, which the host fills in, or drop the default'
  warn(fact, 'default-for-params', message, fix, linted)
  return true
}

// Words for what is so in the world, and not for what an action is to do.
const assertion =
  /(^|_)(is|has|was)_|(^|_)(verified|approved|authori[sz]ed|confirmed|consented|trusted|flagged|vip|admin|privileged|sanctioned|suspicious|fraud|role|tier|risk|risk_level|clearance)($|_)/

function checkAssertion(fact: FactDeclaration, linted: Linted): void {
  const words = [fact.name, fact.path[fact.path.length - 1] ?? ''].map((word) =>
    word.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase(),
  )
  if (!words.some((word) => assertion.test(word))) return
  const message = `\`${fact.name}\` decides, and is the model's word alone; if it says how things are, a model may say otherwise`
  const fix = 'take it from `context`, which the host fills in, or look it up'
  warn(fact, 'model-asserts-fact', message, fix, linted)
}
