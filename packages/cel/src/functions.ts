import { CelScalar, celFunc, celList, celMethod, listType, objectType } from '@bufbuild/cel'
import type { CelFunc, CelInput, CelList, CelValue } from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import { TimestampSchema } from '@bufbuild/protobuf/wkt'
import { calendarParts } from './calendar.ts'
import type { CalendarParts } from './calendar.ts'
import { kindOf, timestampOf } from './kinds.ts'
import { textLengthMax } from './limits.ts'
import { finite, fitting, kindPhrase, operators, wholeOf } from './operators.ts'
import type { Run } from './run.ts'

const { BOOL, DOUBLE, DYN, INT, STRING } = CelScalar
const LIST = listType(DYN)
const TIMESTAMP = objectType(TimestampSchema)

/** Functions of the library's strings extension that are offered as they are. */
const stringMethods = new Set([
  'charAt',
  'indexOf',
  'lastIndexOf',
  'lowerAscii',
  'split',
  'substring',
  'trim',
  'upperAscii',
])

/** What it costs to look up a time zone, which takes far longer than a step. */
const zoneSteps = 100

/** Every function that an evaluation adds to the library's, or puts in their place. */
export function conditionFunctions(run: Run, read: (name: string) => CelInput): CelFunc[] {
  return [
    ...strings.filter((one) => stringMethods.has(one.name)),
    celFunc('@read', [STRING], DYN, read),
    ...operators(run),
    ...accesses(run),
    ...guards(run),
    ...folds(run),
    ...conversions(run),
    ...texts(run),
    ...calendar(run),
  ]
}

function accesses(run: Run): CelFunc[] {
  const fieldOf = (operand: CelValue, field: string): CelValue | undefined => {
    const container = kindOf(operand)
    if (container.kind === 'map') return container.value.get(field)
    throw run.failure(`cannot be read from ${kindPhrase(container)}`)
  }
  const found = (value: CelValue | undefined): CelValue => {
    if (value === undefined) throw run.failure('is missing')
    return value
  }
  return [
    celFunc('@select', [DYN, STRING], DYN, (operand, field) => found(fieldOf(operand, field))),
    celFunc('@has', [DYN, STRING], BOOL, (operand, field) => fieldOf(operand, field) !== undefined),
    celFunc('@index', [DYN, DYN], DYN, (operand, index) => {
      const [container, by] = [kindOf(operand), kindOf(index)]
      if (container.kind === 'list') return found(container.value.get(Number(wholeOf(by, run))))
      if (by.kind !== 'string') throw run.failure(`cannot be read by ${kindPhrase(by)}`)
      return found(fieldOf(operand, by.value))
    }),
  ]
}

/** Checks of what is only known at run time. */
function guards(run: Run): CelFunc[] {
  return [
    celFunc('@bool', [DYN], BOOL, (value) => {
      const kinded = kindOf(value)
      if (kinded.kind === 'bool') return kinded.value
      throw run.failure(`is ${kindPhrase(kinded)}, not a bool`)
    }),
    celFunc('@text', [DYN], STRING, (value) => {
      const kinded = kindOf(value)
      if (kinded.kind !== 'string') throw run.failure(`is ${kindPhrase(kinded)}, not a string`)
      run.chargeText(kinded.value.length)
      return kinded.value
    }),
    celFunc('@whole', [DYN], INT, (value) => wholeOf(kindOf(value), run)),
    celFunc('@listed', [DYN], DYN, (value) => {
      const kinded = kindOf(value)
      if (kinded.kind === 'list') return value
      throw run.failure(`is ${kindPhrase(kinded)}, not a list`)
    }),
    celFunc('@counted', [DYN], DYN, (value) => {
      const kinded = kindOf(value)
      if (kinded.kind === 'list') return value
      if (kinded.kind === 'string') throw run.failure('is a string; write size(string(…)) if a text is meant')
      throw run.failure(`is ${kindPhrase(kinded)}, not a list`)
    }),
    celFunc('@measured', [DYN], DYN, (value) => {
      if (typeof value === 'string') run.chargeText(value.length)
      return value
    }),
    celFunc('@range', [DYN], DYN, (value) => {
      const kinded = kindOf(value)
      if (kinded.kind === 'list' || kinded.kind === 'map') {
        run.chargeItems(kinded.value.size)
        return value
      }
      throw run.failure(`is ${kindPhrase(kinded)}, not a list or map`)
    }),
  ]
}

/** The parts of comprehensions. A list is grown in place: joining lists anew at each step takes quadratic time. */
function folds(run: Run): CelFunc[] {
  const growing = new WeakMap<CelList, CelInput[]>()
  return [
    celFunc('@step', [BOOL], BOOL, (goOn) => {
      run.charge(1)
      return goOn
    }),
    celFunc('@list', [], LIST, () => {
      const items: CelInput[] = []
      const list = celList(items)
      growing.set(list, items)
      return list
    }),
    celFunc('@append', [LIST, DYN], LIST, (list, item) => {
      growing.get(list)?.push(item)
      return list
    }),
  ]
}

/** The library takes `""` for 0, `0x10` for 16 and a whole timestamp for milliseconds. */
function conversions(run: Run): CelFunc[] {
  return [
    celFunc('double', [STRING], DOUBLE, (text) => {
      if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text))
        throw run.failure('is not a finite number')
      return finite(Number(text), run)
    }),
    celFunc('int', [STRING], INT, (text) => {
      if (!/^[+-]?\d{1,30}$/.test(text)) throw run.failure('is not a whole number')
      return fitting(BigInt(text.replace('+', '')), run)
    }),
    celFunc('timestamp', [INT], DYN, (seconds) => {
      const time = timestampOf(seconds * 1_000_000_000n)
      if (time === undefined) throw run.failure('is out of the range of time')
      return time
    }),
  ]
}

function texts(run: Run): CelFunc[] {
  const bounded = (parts: readonly string[], separator: string): string => {
    const length = parts.reduce((total, part) => total + part.length + separator.length, 0)
    if (length > textLengthMax) throw run.failure('makes a text that is too long')
    return parts.join(separator)
  }
  const joined = (list: CelList, separator: string): string => {
    const parts = Array.from(list, (item) => {
      run.charge(1)
      if (typeof item !== 'string') throw run.failure('joins a list that is not only strings')
      return item
    })
    return bounded(parts, separator)
  }
  return [
    celMethod('replace', STRING, [STRING, STRING], STRING, function (part, by) {
      return bounded(part === '' ? ['', ...Array.from(this), ''] : this.split(part), by)
    }),
    celMethod('join', LIST, [], STRING, function () {
      return joined(this, '')
    }),
    celMethod('join', LIST, [STRING], STRING, function (separator) {
      return joined(this, separator)
    }),
  ]
}

/** The library reads the calendar through the time zone of the machine, and is wrong where its clocks change. */
function calendar(run: Run): CelFunc[] {
  const readers: Readonly<Record<string, (parts: CalendarParts) => number>> = {
    getFullYear: (parts) => parts.year,
    getMonth: (parts) => parts.month - 1,
    getDate: (parts) => parts.day,
    getDayOfMonth: (parts) => parts.day - 1,
    getDayOfWeek: (parts) => parts.dayOfWeek,
    getDayOfYear: (parts) => parts.dayOfYear,
    getHours: (parts) => parts.hour,
    getMinutes: (parts) => parts.minute,
    getSeconds: (parts) => parts.second,
    getMilliseconds: (parts) => parts.millisecond,
  }
  return Object.entries(readers).flatMap(([name, part]) => [
    celMethod(name, TIMESTAMP, [], INT, function () {
      return BigInt(part(calendarParts(this.message, 'UTC')))
    }),
    celMethod(name, TIMESTAMP, [STRING], INT, function (zone) {
      run.charge(zoneSteps)
      return BigInt(part(calendarParts(this.message, zone)))
    }),
  ])
}
