import type { Json, JsonObject } from '../model/json.ts'
import type { Given } from '../model/plan.ts'
import type { FactDeclaration, NamePattern, ValueExpression } from '../model/policy.ts'

/** Reads one name for one call; undefined where it has no value. */
export type Reader = (given: Given) => unknown

/** What names of conditions stand for in one policy. */
export interface ReaderNames {
  readonly facts: ReadonlyMap<string, FactDeclaration>
  readonly roles: ReadonlyMap<string, readonly NamePattern[]>
}

/** Whether a fact exists for an action: outside its `for`, it has no value and no default. */
export function existsFor(fact: FactDeclaration, action: string): boolean {
  return fact.for === undefined || fact.for.some((pattern) => pattern.matches(action))
}

/**
 * How a name of conditions is read. A fact that is absent stays undefined, so that a condition fails instead of
 * comparing with something made up. A name that nobody declared stands for `params.NAME`.
 */
export function readerOf(name: string, { facts, roles }: ReaderNames): Reader {
  switch (name) {
    case 'params':
      return ({ call }) => call.params
    case 'context':
      return ({ call }) => call.context
    case 'agent':
      return ({ call }) => call.agent
    case 'action':
      return ({ call }) => call.action
    case 'now':
      return (given) => new Date(given.facts.now)
    case 'env':
      return (given) => given.facts.env
    case 'roles':
      return ({ call }) => rolesOf(roles, call.agent)
    case 'session':
      return sessionValue
    case 'approval':
      return approvalValue
    default: {
      const fact = facts.get(name)
      return fact === undefined ? ({ call }) => valueAt(call.params, [name]) : factReader(fact)
    }
  }
}

function sessionValue({ call, facts }: Given): JsonObject | undefined {
  const { session } = facts
  if (session === undefined) return undefined
  const { labels, actions } = session
  return call.session === undefined ? { labels, actions } : { id: call.session, labels, actions }
}

function approvalValue({ facts }: Given): JsonObject {
  const claim = facts.approval
  return claim?.kind === 'granted' ? { granted: true, routes: claim.routes } : { granted: false, routes: [] }
}

/** The roles of an agent, in the order of the policy. */
export function rolesOf(roles: ReaderNames['roles'], agent: string): readonly string[] {
  const held: string[] = []
  for (const [role, patterns] of roles) {
    if (patterns.some((pattern) => pattern.matches(agent))) held.push(role)
  }
  return held
}

/** How a fact is read; undefined for an action for which it does not exist. */
export function factReader(fact: FactDeclaration): Reader {
  const read = sourceReader(fact)
  if (fact.for === undefined) return read
  return (given) => (existsFor(fact, given.call.action) ? read(given) : undefined)
}

function sourceReader({ source, path, name, default: otherwise }: FactDeclaration): Reader {
  switch (source) {
    case 'params':
      return callReader('params', path, otherwise)
    case 'context':
      return callReader('context', path, otherwise)
    case 'lookup':
      return ({ facts }) => {
        const found = facts.lookups?.get(name)
        return found?.kind === 'value' ? found.value : undefined
      }
    default: {
      const never: never = source
      return never
    }
  }
}

// Most paths have one name or two, and are read for every call.
function callReader(
  root: 'params' | 'context',
  path: readonly string[],
  otherwise: Json | undefined,
): Reader {
  const [first = '', second] = path
  if (path.length === 1) {
    return ({ call }) => {
      const members = call[root]
      return Object.hasOwn(members, first) ? orElse(members[first], otherwise) : otherwise
    }
  }
  if (path.length === 2 && second !== undefined) {
    return ({ call }) => {
      const members = call[root]
      if (!Object.hasOwn(members, first)) return otherwise
      const inner = members[first]
      if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return otherwise
      return Object.hasOwn(inner, second) ? orElse((inner as JsonObject)[second], otherwise) : otherwise
    }
  }
  return ({ call }) => orElse(valueAt(call[root], path), otherwise)
}

// Null is a value of the wrong type, and no absence.
function orElse(value: Json | undefined, otherwise: Json | undefined): Json | undefined {
  return value === undefined ? otherwise : value
}

/** How a value that a counter adds up or is kept apart by is read. */
export function valueReader({ root, path }: ValueExpression, names: ReaderNames): Reader {
  if (path.length === 0) return readerOf(root, names)
  if (root === 'params') return ({ call }) => valueAt(call.params, path)
  if (root === 'context') return ({ call }) => valueAt(call.context, path)
  return ({ call }) => call.session
}

/** The value at a path; own properties only: a path must never reach what JavaScript objects inherit. */
export function valueAt(root: JsonObject, path: readonly string[]): Json | undefined {
  let value: Json | undefined = root
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    if (!Object.hasOwn(value, name)) return undefined
    value = (value as JsonObject)[name]
  }
  return value
}
