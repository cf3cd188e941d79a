import {
  celEnv,
  celList,
  celMap,
  celUint,
  isCelError,
  isCelList,
  isCelMap,
  isCelType,
  isCelUint,
  parse,
  plan,
} from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import { isMessage } from '@bufbuild/protobuf'
import { isReflectMessage } from '@bufbuild/protobuf/reflect'
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt'
import { isMap, keysOf, memberOf } from '../../src/kinds.ts'
import {
  CelDuration,
  CelOptional,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  compileExpression,
} from '../../src/index.ts'
import type { CelValue } from '../../src/index.ts'
import type { RandomValues } from './generator.ts'

const environment = celEnv({ funcs: [...strings] })

/** An engine's evaluation of an expression: `error`, or the value with its types, in a form to compare. */
export type Engine = (values: RandomValues) => string

/** The other engine. */
export function theirs(source: string): Engine {
  try {
    const program = plan(environment, parse(source))
    return (values) => {
      try {
        const { u, l, m, ...rest } = values
        const map = celMap(new Map(Object.entries(m)))
        const result: unknown = program({ ...rest, u: celUint(u), l: celList(l), m: map })
        return isCelError(result) ? 'error' : showTheirs(result)
      } catch {
        return 'error'
      }
    }
  } catch {
    return () => 'error'
  }
}

/** This engine. */
export function ours(source: string): Engine {
  const compiled = compileExpression(source)
  if (compiled.kind === 'invalid') return () => 'error'
  return (values) => {
    const { u, m, ...rest } = values
    const given = new Map<string, CelValue>(Object.entries(rest))
    const result = compiled.expression.evaluate(given.set('u', new CelUint(u)).set('m', m))
    return result.kind === 'error' ? 'error' : showOurs(result.value)
  }
}

function showScalar(value: unknown): string | undefined {
  if (typeof value === 'bigint') return `${value}`
  if (typeof value === 'number') return `double ${value}`
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null || typeof value === 'boolean') return String(value)
  return value instanceof Uint8Array ? `bytes ${Buffer.from(value).toString('hex')}` : undefined
}

function showTheirs(value: unknown): string {
  const scalar = showScalar(value)
  if (scalar !== undefined) return scalar
  if (isCelUint(value)) return `uint ${value.value}`
  if (isCelList(value)) return `[${Array.from(value, showTheirs).join()}]`
  if (isCelMap(value))
    return showEntries(Array.from(value, ([key, one]) => [showTheirs(key), showTheirs(one)]))
  if (isCelType(value)) return `type ${value.name}`
  const message = isReflectMessage(value) ? value.message : undefined
  if (isMessage(message, TimestampSchema)) return `timestamp ${nanosOf(message)}`
  if (isMessage(message, DurationSchema)) return `duration ${nanosOf(message)}`
  return 'something else'
}

function nanosOf(time: { readonly seconds: bigint; readonly nanos: number }): bigint {
  return time.seconds * 1_000_000_000n + BigInt(time.nanos)
}

function showOurs(value: CelValue): string {
  const scalar = showScalar(value)
  if (scalar !== undefined) return scalar
  if (value instanceof CelUint) return `uint ${value.value}`
  if (value instanceof CelTimestamp) return `timestamp ${value.nanos}`
  if (value instanceof CelDuration) return `duration ${value.nanos}`
  if (value instanceof CelTypeValue) return `type ${value.name}`
  if (value instanceof CelOptional) return 'optional'
  if (Array.isArray(value)) return `[${value.map(showOurs).join()}]`
  if (!isMap(value)) return 'something else'
  return showEntries(
    keysOf(value).map((key) => [showOurs(key), showOurs(memberOf(value, key) ?? null)] as const),
  )
}

function showEntries(entries: readonly (readonly [string, string])[]): string {
  return `{${entries
    .map(([key, value]) => `${key}: ${value}`)
    .toSorted()
    .join()}}`
}
