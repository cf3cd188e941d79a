import type { CelType } from '@bailiwick/cel'
import type { FactDeclaration, FactType } from '../model/policy.ts'
import type { Json } from '../model/json.ts'
import { declaredOnce, type Declared } from './declared-once.ts'
import { compileLookup } from './lookups.ts'
import { namePattern } from './pattern.ts'
import type { PolicyFile } from './schema.ts'
import type { Findings, PolicySource } from './sources.ts'

/** Names that conditions may always use, and that no fact may take. */
export const scopeNames: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ['params', { map: 'dyn' }],
  ['context', { map: 'dyn' }],
  ['agent', 'string'],
  ['action', 'string'],
  ['now', 'timestamp'],
  ['env', 'string'],
  ['roles', { list: 'string' }],
  ['session', { record: { id: 'string', labels: { list: 'string' }, actions: { list: 'string' } } }],
  ['approval', { record: { granted: 'bool', routes: { list: 'string' } } }],
])

const reservedNames = new Set([
  ...scopeNames.keys(),
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

type WrittenFact = NonNullable<PolicyFile['facts']>[string]

/**
 * The declared facts of all files.
 *
 * @param sources the files, those that are extended before those that extend them
 */
export function declareFacts(
  sources: readonly PolicySource[],
  findings: Findings,
): Map<string, FactDeclaration> {
  const facts = new Map<string, FactDeclaration>()
  for (const declared of declaredOnce('facts', sources, findings)) {
    const fact = declareFact(declared, findings)
    if (fact !== undefined) facts.set(fact.name, fact)
  }
  return facts
}

function declareFact(declared: Declared<WrittenFact>, findings: Findings): FactDeclaration | undefined {
  const { name, written, source } = declared
  const place = source.positions.ofKey(['facts', name])
  if (reservedNames.has(name)) {
    const fix = 'choose another name: conditions already know this one'
    findings.error(source, place, `a fact cannot be named \`${name}\``, fix, { code: 'reserved-name' })
    return undefined
  }
  defaultProblems(declared, findings)
  const base = {
    name,
    type: written.type,
    for: written.for === undefined ? undefined : [written.for].flat().map(namePattern),
    default: written.default,
    unit: written.unit,
    inferred: false,
    line: place.line,
    file: source.file,
  }
  if (typeof written.from === 'string') {
    const [root, ...path] = written.from.split('.')
    return { ...base, source: root === 'context' ? 'context' : 'params', path, lookup: undefined }
  }
  const lookup = compileLookup(name, written.from, source, findings)
  return lookup && { ...base, source: 'lookup', path: [], lookup }
}

function defaultProblems({ name, written, source }: Declared<WrittenFact>, findings: Findings): void {
  if (written.default === undefined) return
  const path = ['facts', name, 'default']
  if (!hasType(written.default, written.type)) {
    const message = `the default of \`${name}\` is no ${written.type}`
    findings.error(source, source.positions.ofValue(path), message, 'correct the default or the type', {
      code: 'fact-default-type',
    })
  }
  if (typeof written.from !== 'string') {
    const message = `\`${name}\` is looked up, and cannot have a default`
    const fix = 'remove the default: what cannot be looked up counts as matched'
    findings.error(source, source.positions.ofKey(path), message, fix, { code: 'lookup-default' })
  }
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
