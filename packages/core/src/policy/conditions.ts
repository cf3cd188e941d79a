import {
  childrenOf,
  compileCondition,
  nearest,
  newSharedParts,
  type CompiledCondition,
  type ConditionScope,
  type Node,
  type SizeBounds,
} from '@bailiwick/cel'
import type { Given } from '../model/plan.ts'
import type { Condition, FactDeclaration } from '../model/policy.ts'
import { conditionLengthMax } from '../model/limits.ts'
import { declareFact } from './edit/edits.ts'
import { environmentLiterals } from './environments.ts'
import { celTypeOf, scopeNames } from './facts.ts'
import type { DocumentPath, Position } from './positions.ts'
import { readerOf, type ReaderNames } from './readers.ts'
import { ancestorsOf, type Findings, type PolicySource } from './sources.ts'

/** What the conditions of a policy may name. */
export interface ConditionNames extends ReaderNames {
  /** Whether a name that nobody declared stands for `params.NAME`. */
  readonly infer: boolean
  /** What `env` can be; undefined: anything. */
  readonly environments: readonly string[] | undefined
  /** How large facts are at most, by their names. */
  readonly bounds?: ReadonlyMap<string, SizeBounds> | undefined
  /** All files of the policy. */
  readonly sources: readonly PolicySource[]
}

/** A bound on the steps from which a loop in a loop is called costly; the bound takes lists to fill the payload. */
const costlySteps = 1_000_000_000

/** Compiles the conditions of one policy, and collects the facts that they make up. */
export class Conditions {
  readonly #names: ConditionNames
  readonly #scope: ConditionScope<Given>
  readonly #findings: Findings
  readonly #inferred = new Map<string, FactDeclaration>()

  constructor(names: ConditionNames, findings: Findings) {
    // Facts first: they are what a misspelt name is most likely to mean, and the list that is told is short.
    const facts = [...names.facts.values()].map(({ name, type }) => [name, celTypeOf(type)] as const)
    const types = new Map([...facts, ...scopeNames, ...facts])
    this.#names = names
    this.#scope = {
      names: types,
      inferUnknown: names.infer,
      read: (name) => readerOf(name, names),
      shared: newSharedParts(),
      bounds: names.bounds,
    }
    this.#findings = findings
  }

  /** The facts that nobody declared, as far as conditions have been compiled. */
  get inferred(): ReadonlyMap<string, FactDeclaration> {
    return this.#inferred
  }

  /** The condition written at `path`; undefined where there is none, or a wrong one, which has then been reported. */
  compile(source: PolicySource, path: DocumentPath, text: string | undefined): Condition | undefined {
    if (text === undefined) return undefined
    if (text.length > conditionLengthMax) {
      const message = `the condition is longer than ${conditionLengthMax} characters`
      this.#findings.error(source, source.positions.ofValue(path), message, 'split the rule', {
        code: 'condition-too-long',
      })
      return undefined
    }
    const compiled = compileCondition(text, this.#scope)
    if (compiled.kind === 'invalid') {
      for (const { offset, message, fix } of compiled.problems) {
        this.#findings.error(source, source.positions.insideString(path, offset), message, fix, {
          code: 'invalid-condition',
        })
      }
      return undefined
    }
    this.#inferFacts(compiled.condition, source, path)
    for (const name of compiled.condition.uses) {
      const place = source.positions.insideString(path, Math.max(text.indexOf(name), 0))
      this.checkReach(name, source, place)
    }
    this.#checkEnvironments(compiled.condition, source, path)
    this.#checkCost(compiled.condition, source, path)
    return compiled.condition
  }

  /**
   * A file may use the facts that it declares, and those of the files that it extends. Otherwise whoever extends it
   * could choose what its rules look at, and for which actions they have nothing to say.
   */
  checkReach(name: string, source: PolicySource, place: Position): void {
    const fact = this.#names.facts.get(name)
    if (fact === undefined) return
    const reached = [source, ...ancestorsOf(source, this.#names.sources)]
    if (reached.some(({ content }) => Object.hasOwn(content.facts ?? {}, name))) return
    const where = fact.file === undefined ? 'the policy that extends this file' : `\`${fact.file}\``
    const message = `\`${name}\` is declared in ${where} only, which this file does not extend`
    const fix = `declare \`${name}\` here, too, or in a file that this one extends`
    this.#findings.error(source, place, message, fix, { code: 'fact-out-of-reach' })
  }

  /** The facts among the names that conditions use. */
  factsOf(...conditions: readonly (Condition | undefined)[]): readonly string[] {
    const used = conditions.flatMap((condition) => condition?.uses ?? [])
    return [...new Set(used)].filter((name) => !scopeNames.has(name))
  }

  // Two rules may use one undeclared name; it has to be of one type, or somebody misread something.
  #inferFacts(condition: CompiledCondition<Given>, source: PolicySource, path: DocumentPath): void {
    for (const [name, type] of condition.inferred) {
      const place = source.positions.insideString(path, Math.max(condition.source.indexOf(name), 0))
      const before = this.#inferred.get(name)
      if (before && before.type !== type) {
        const message = `\`${name}\` is used as a ${type} here and as a ${before.type} on line ${before.line}`
        this.#findings.error(source, place, message, 'declare it under `facts` with one type', {
          code: 'undeclared-fact-types',
        })
      }
      if (before) continue
      const message = `no fact declares \`${name}\`, so it stands for \`params.${name}\`, and a call without it counts as matched`
      const fix = `add under facts: \`${name}: {type: ${type}, from: params.${name}}\`, with the path where the value really is`
      this.#findings.warning(source, place, message, fix, {
        code: 'undeclared-fact',
        edit: declareFact(name, type),
      })
      this.#inferred.set(name, {
        name,
        type,
        source: 'params',
        path: [name],
        lookup: undefined,
        for: undefined,
        default: undefined,
        inferred: true,
        line: place.line,
        file: source.file,
      })
    }
  }

  // What goes over a list for each item of another runs out of steps where a model sends long ones.
  #checkCost(condition: CompiledCondition<Given>, source: PolicySource, path: DocumentPath): void {
    if (condition.cost < costlySteps || loopsIn(condition.ast) < 2) return
    const message = 'the condition may run out of steps with long lists, and then counts as matched'
    const fix = 'say in the parameter schema how long they may be (`maxItems`, `maxLength`)'
    const place = source.positions.insideString(path, 0)
    this.#findings.warning(source, place, message, fix, { code: 'costly-condition' })
  }

  // A misspelt environment would make a condition false for ever, without a word.
  #checkEnvironments(condition: CompiledCondition<Given>, source: PolicySource, path: DocumentPath): void {
    const { environments } = this.#names
    if (environments === undefined || !condition.uses.includes('env')) return
    for (const { value, offset } of environmentLiterals(condition.source)) {
      if (environments.includes(value)) continue
      const near = nearest(value, environments)
      const fix = near === undefined ? `write one of ${environments.join(', ')}` : `did you mean \`${near}\`?`
      const place = source.positions.insideString(path, offset)
      this.#findings.error(source, place, `there is no environment \`${value}\``, fix, {
        code: 'unknown-environment',
      })
    }
  }
}

/** How many loops stand in one another. */
function loopsIn(node: Node): number {
  const inner = Math.max(0, ...childrenOf(node).map(loopsIn))
  return node.kind === 'macro' ? inner + 1 : inner
}
