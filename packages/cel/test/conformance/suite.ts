import { tests as conformance } from '@bufbuild/cel-spec/testdata/conformance.js'
import {
  CelDuration,
  CelOptional,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  compileExpression,
} from '../../src/index.ts'
import type { CelMapKey, CelType, CelValue } from '../../src/index.ts'
import { parseDuration } from '../../src/library/duration.ts'
import { parseTimestamp } from '../../src/library/timestamp.ts'
import { isMap, keysOf, memberOf } from '../../src/kinds.ts'
import { typeText } from '../../src/static-types.ts'

/** A value as the suite writes it: `{ int64Value: '1' }`. */
type Written = Readonly<Record<string, unknown>>

/** One case of the suite. */
export interface Case {
  readonly section: string
  readonly name: string
  readonly expr: string
  readonly container: string
  readonly bindings: ReadonlyMap<string, CelValue>
  /** The declared names; undefined where the case is not to be checked. */
  readonly names: ReadonlyMap<string, CelType> | undefined
  /** Undefined: an error is expected. */
  readonly expected: Written | undefined
  /** The type that the check must tell, where the case says so. */
  readonly type: CelType | undefined
  /** Whether it is checked and not evaluated. */
  readonly checkOnly: boolean
}

/** What became of a case. `silent`: a wrong value without an error, the worst that can happen. */
export type Verdict = 'passed' | 'silent' | 'loud'

interface Suite {
  readonly name: string
  readonly suites?: readonly Suite[]
  readonly tests?: readonly { readonly original: Written }[]
}

/** Cases that need protobuf messages or enums, which this package has not, or an environment of their own. */
const needsMessages =
  /TestAllTypes|NestedMessage|GlobalEnum|proto[23]|google\.protobuf\.(?!Timestamp|Duration)/

/** Every case of a section of the suite that needs no messages. */
export function casesOf(section: string): readonly Case[] {
  const suite: Suite | undefined = conformance.suites?.find((one) => one.name === section)
  return suite === undefined ? [] : flatten(suite, section)
}

function flatten(suite: Suite, section: string): readonly Case[] {
  const own = (suite.tests ?? [])
    .filter(({ original }) => !needsMessages.test(JSON.stringify(original)))
    .map(({ original }) => caseOf(original, section, suite.name))
  return [...own, ...(suite.suites ?? []).flatMap((inner) => flatten(inner, section))]
}

function caseOf(original: Written, section: string, suite: string): Case {
  const bindings = Object.entries(recordOf(original['bindings'])).map(
    ([name, bound]) => [name, valueOf(recordOf(recordOf(bound)['value']))] as const,
  )
  const typed = recordOf(original['typedResult'])
  const expected = original['value'] ?? typed['result']
  return {
    section,
    name: `${suite}/${String(original['name'])}`,
    expr: String(original['expr']),
    container: typeof original['container'] === 'string' ? original['container'] : '',
    bindings: new Map(bindings),
    names: original['disableCheck'] === true ? undefined : namesOf(original['typeEnv']),
    type: typed['deducedType'] === undefined ? undefined : typeOf(recordOf(typed['deducedType'])),
    checkOnly: original['checkOnly'] === true,
    expected:
      expected === undefined
        ? original['evalError'] === undefined
          ? { boolValue: true }
          : undefined
        : recordOf(expected),
  }
}

/** Runs a case. */
export function verdictOn(one: Case): Verdict {
  const compiled = compileExpression(one.expr, { container: one.container, names: one.names })
  if (compiled.kind === 'invalid') return one.expected === undefined ? 'passed' : 'loud'
  const { ast } = compiled.expression
  if (one.type !== undefined && typeText(ast.type) !== typeText(one.type)) return 'silent'
  if (one.checkOnly) return 'passed'
  const result = compiled.expression.evaluate(one.bindings)
  if (result.kind === 'error') return one.expected === undefined ? 'passed' : 'loud'
  return one.expected !== undefined && isSame(result.value, one.expected) ? 'passed' : 'silent'
}

const primitives: Readonly<Record<string, CelType | undefined>> = {
  BOOL: 'bool',
  INT64: 'int',
  UINT64: 'uint',
  DOUBLE: 'double',
  STRING: 'string',
  BYTES: 'bytes',
  TIMESTAMP: 'timestamp',
  DURATION: 'duration',
  'google.protobuf.Timestamp': 'timestamp',
  'google.protobuf.Duration': 'duration',
}

function namesOf(environment: unknown): ReadonlyMap<string, CelType> {
  return new Map(
    listOf(environment).flatMap((declared) => {
      const { name, ident } = recordOf(declared)
      return ident === undefined ? [] : [[String(name), typeOf(recordOf(recordOf(ident)['type']))] as const]
    }),
  )
}

function typeOf(written: Written): CelType {
  const [kind = '', value] = Object.entries(written)[0] ?? []
  const inner = recordOf(value)
  switch (kind) {
    case 'listType':
      return { list: typeOf(recordOf(inner['elemType'])) }
    case 'mapType':
      return { map: typeOf(recordOf(inner['valueType'])), key: typeOf(recordOf(inner['keyType'])) }
    case 'abstractType':
      return { optional: typeOf(recordOf(listOf(inner['parameterTypes'])[0])) }
    case 'null':
      return 'null'
    case 'type':
      return 'type'
    default:
      return primitives[String(value)] ?? 'dyn'
  }
}

function recordOf(value: unknown): Written {
  return typeof value === 'object' && value !== null ? (value as Written) : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function entriesOf(written: Written): readonly (readonly [CelValue, CelValue])[] {
  return listOf(recordOf(written['mapValue'])['entries']).map((entry) => {
    const { key, value } = recordOf(entry)
    return [valueOf(recordOf(key)), valueOf(recordOf(value))] as const
  })
}

function valueOf(written: Written): CelValue {
  const [kind = '', value] = Object.entries(written)[0] ?? []
  switch (kind) {
    case 'int64Value':
      return BigInt(String(value))
    case 'uint64Value':
      return new CelUint(BigInt(String(value)))
    case 'doubleValue':
      return Number(value)
    case 'bytesValue':
      return Uint8Array.from(Buffer.from(String(value), 'base64'))
    case 'boolValue':
      return value === true
    case 'stringValue':
      return String(value)
    case 'nullValue':
      return null
    case 'typeValue':
      return new CelTypeValue(String(value))
    case 'listValue':
      return listOf(recordOf(value)['values']).map((item) => valueOf(recordOf(item)))
    case 'mapValue':
      return new Map(
        entriesOf(written).map(([key, one]) => [
          (key instanceof CelUint ? key.value : key) as CelMapKey,
          one,
        ]),
      )
    default:
      return objectOf(recordOf(value))
  }
}

function objectOf(written: Written): CelValue {
  const text = String(written['value'])
  const parsed = String(written['@type']).endsWith('Duration') ? parseDuration(text) : parseTimestamp(text)
  if (parsed instanceof CelDuration || parsed instanceof CelTimestamp) return parsed
  throw new Error(`the suite holds a value that is not read: ${JSON.stringify(written)}`)
}

/** Whether a value is exactly the one that is written, with its type: 1, 1u and 1.0 are three values. */
function isSame(value: CelValue, written: Written): boolean {
  return show(value) === show(valueOf(written))
}

function show(value: CelValue): string {
  if (typeof value === 'bigint') return `${value}`
  if (typeof value === 'number') return Object.is(value, -0) ? '0.0' : `${value}.0`
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('hex')}`
  if (value instanceof CelUint) return `${value.value}u`
  if (value instanceof CelTimestamp || value instanceof CelDuration)
    return `${value.constructor.name} ${value.nanos}`
  if (value instanceof CelTypeValue) return `type ${value.name}`
  if (value instanceof CelOptional) return `optional ${value.value === undefined ? '' : show(value.value)}`
  if (!isMap(value)) return `[${value.map(show).join()}]`
  const entries = keysOf(value).map(
    (key) => `${typeof key} ${String(key)}: ${show(memberOf(value, key) ?? null)}`,
  )
  return `{${entries.toSorted().join()}}`
}
