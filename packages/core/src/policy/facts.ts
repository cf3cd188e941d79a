import type { CelType } from '@bailiwick/cel'
import type { FactDeclaration, FactType } from '../model/policy.ts'
import type { Json } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { actionPattern } from './pattern.ts'
import type { Positions } from './positions.ts'
import type { PolicyFile } from './schema.ts'

/** Names that conditions may always use, and that no fact may take. */
export const scopeNames: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ['params', { map: 'dyn' }],
  ['context', { map: 'dyn' }],
  ['agent', 'string'],
  ['action', 'string'],
  ['now', 'timestamp'],
])

const reservedNames = new Set([
  ...scopeNames.keys(),
  'session',
  'approval',
  'true',
  'false',
  'null',
  'in',
  'has',
  'size',
  'type',
  'int',
  'uint',
  'double',
  'string',
  'bool',
  'bytes',
  'list',
  'map',
  'timestamp',
  'duration',
  'all',
  'exists',
  'exists_one',
  'filter',
  'matches',
  'dyn',
])

/** The declared facts, with every problem of their declarations. */
export function declareFacts(
  file: PolicyFile,
  positions: Positions,
): { facts: Map<string, FactDeclaration>; problems: Problem[] } {
  const facts = new Map<string, FactDeclaration>()
  const problems: Problem[] = []
  for (const [name, written] of Object.entries(file.facts ?? {})) {
    const path = ['facts', name]
    const place = positions.ofKey(path)
    if (reservedNames.has(name)) {
      problems.push({
        severity: 'error',
        ...place,
        message: `a fact cannot be named \`${name}\``,
        fix: 'choose another name: conditions already know this one',
      })
      continue
    }
    const [source, ...rest] = written.from.split('.')
    if (written.default !== undefined && !hasType(written.default, written.type)) {
      problems.push({
        severity: 'error',
        ...positions.ofValue([...path, 'default']),
        message: `the default of \`${name}\` is no ${written.type}`,
        fix: 'correct the default or the type',
      })
    }
    if (written.default !== undefined && source === 'params') {
      problems.push({
        severity: 'warning',
        ...place,
        message: `\`${name}\` is the model's own word, and the default lets the model leave it out`,
        fix: 'take it from `context`, which the host fills in, or drop the default',
      })
    }
    facts.set(name, {
      name,
      type: written.type,
      source: source === 'context' ? 'context' : 'params',
      path: rest,
      lookup: undefined,
      for: written.for === undefined ? undefined : [written.for].flat().map(actionPattern),
      default: written.default,
      inferred: false,
      line: place.line,
      file: undefined,
    })
  }
  return { facts, problems }
}

/** Whether `value` is of a fact's type; numbers have to be finite. */
function hasType(value: Json, type: FactType): boolean {
  switch (type) {
    case 'number':
      return typeof value === 'number' && Number.isFinite(value)
    case 'bool':
      return typeof value === 'boolean'
    case 'string':
      return typeof value === 'string'
    case 'list<string>':
      return Array.isArray(value) && value.every((item) => typeof item === 'string')
    case 'list<number>':
      return Array.isArray(value) && value.every((item) => typeof item === 'number' && Number.isFinite(item))
    default: {
      const never: never = type
      return never
    }
  }
}

/** The type as conditions see it. */
export function celTypeOf(type: FactType): CelType {
  if (type === 'list<string>') return { list: 'string' }
  if (type === 'list<number>') return { list: 'number' }
  return type
}
