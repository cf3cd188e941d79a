import { humanName, visibleText } from './words.ts'

/** One member of parameters or context, ready to be shown. */
export type Field = SingleField | JsonField | GroupField | ListField

interface FieldBase {
  readonly name: string
  readonly label: string
  /** A JSON Pointer from the call on, such as `/params/amount`. */
  readonly pointer: string
}

export interface SingleField extends FieldBase {
  readonly kind: 'text' | 'long' | 'number' | 'date' | 'absent' | 'masked'
  readonly value: string
}

/** What lies too deep, or is too much, to be shown by its members. */
export interface JsonField extends FieldBase {
  readonly kind: 'json'
  readonly value: string
  /** How much there is, where there is no room for it. */
  readonly summary: string
}

/** A member that is itself an object, or a list of objects, small enough to be shown by its members. */
export interface GroupField extends FieldBase {
  readonly kind: 'group'
  readonly fields: readonly Field[]
}

/** A short list of plain values. */
export interface ListField extends FieldBase {
  readonly kind: 'list'
  readonly items: readonly string[]
}

type Data = Readonly<Record<string, unknown>>

/** What the service says of a call's data beside it. */
export interface Presentation {
  /** Pointers to what is masked. */
  readonly masked?: readonly string[] | null
  /** What numbers count, such as `USD`, by pointer. */
  readonly units?: Readonly<Record<string, string>> | null
}

/** How deep objects are shown by their members; below, as JSON. */
const groupDepthMax = 2
const listItemsMax = 20
const objectsInListMax = 10
/** Longer texts, and texts of more lines, are folded. */
const textLengthMax = 280
const textLinesMax = 6

/** The members of `data` in their own order. Two names that read alike are both shown raw. */
export function fieldsOf(
  data: Data,
  pointer = '/params',
  presentation: Presentation = {},
  depth = 0,
): readonly Field[] {
  const labels = Object.keys(data).map(humanName)
  const isAmbiguous = (label: string): boolean => labels.filter((other) => other === label).length > 1
  return Object.entries(data).map(([name, value]) => {
    const readable = humanName(name)
    const label = isAmbiguous(readable) ? visibleText(name) : readable
    const own = { name, label, pointer: pointerBelow(pointer, name) }
    return fieldOf(own, value, { presentation, depth, currency: data['currency'] })
  })
}

interface Surroundings {
  readonly presentation: Presentation
  readonly depth: number
  /** A member `currency` beside the value. */
  readonly currency: unknown
}

function fieldOf(own: FieldBase, value: unknown, around: Surroundings): Field {
  const { presentation, depth, currency } = around
  if (presentation.masked?.includes(own.pointer) === true) {
    return { ...own, kind: 'masked', value: 'hidden' }
  }
  if (isGroup(value) && depth < groupDepthMax) {
    return { ...own, kind: 'group', fields: fieldsOf(value, own.pointer, presentation, depth + 1) }
  }
  if (Array.isArray(value) && value.length > 0) {
    const list = listOf(own, value, around)
    if (list !== undefined) return list
  }
  return { ...own, ...valued(own.name, value, currency, presentation.units?.[own.pointer]) }
}

function listOf(
  own: FieldBase,
  value: readonly unknown[],
  { presentation, depth }: Surroundings,
): Field | undefined {
  const isMasked = (_item: unknown, index: number): boolean =>
    presentation.masked?.includes(pointerBelow(own.pointer, index)) === true
  if (value.every(isPlain) && value.length <= listItemsMax && !value.some(isMasked)) {
    return { ...own, kind: 'list', items: value.map((item) => valued(own.name, item, undefined).value) }
  }
  const isShort = value.length <= objectsInListMax && depth < groupDepthMax
  if (!isShort || !value.every((item, index) => isGroup(item) || isMasked(item, index))) return undefined
  const fields = value.map((item, index): Field => {
    const pointer = pointerBelow(own.pointer, index)
    const numbered = { name: String(index), label: `No. ${index + 1}`, pointer }
    return fieldOf(numbered, item, { presentation, depth: depth + 1, currency: undefined })
  })
  return { ...own, kind: 'group', fields }
}

/** The fields that fit on a card: a currency that an amount already carries is left out. */
export function cardFieldsOf(data: Data, presentation: Presentation = {}): readonly Field[] {
  const fields = fieldsOf(data, '/params', presentation)
  const { currency } = data
  const isCarried = (field: Field): boolean =>
    field.kind === 'number' && typeof currency === 'string' && field.value.startsWith(`${currency}\u00a0`)
  return fields.some(isCarried) ? fields.filter(({ name }) => name !== 'currency') : fields
}

/** The field's value on one line. */
export function summaryOf(field: Field): string {
  switch (field.kind) {
    case 'group':
      return field.fields.map(summaryOf).join(', ')
    case 'list':
      return field.items.join(', ')
    case 'json':
      return field.summary
    case 'text':
    case 'long':
    case 'number':
    case 'date':
    case 'absent':
    case 'masked':
      return field.value
    default:
      return field satisfies never
  }
}

/** A member of a call that holds no others, as people read it. */
export interface CallLeaf {
  readonly pointer: string
  /** Its names from the outside in: `Address › City`. */
  readonly label: string
  readonly kind: Exclude<Field['kind'], 'group'>
  readonly value: string
}

/** The members of a call that hold no others, in their order, by pointer. @param name stands before each label; empty: nothing does */
export function callLeaves(
  data: Data | null,
  presentation: Presentation = {},
  root = '/params',
  name = '',
): ReadonlyMap<string, CallLeaf> {
  const leaves = new Map<string, CallLeaf>()
  const add = (field: Field, prefix: string): void => {
    const label = prefix === '' ? field.label : `${prefix} › ${field.label}`
    if (field.kind === 'group') {
      for (const member of field.fields) add(member, label)
      return
    }
    const { pointer, kind } = field
    leaves.set(pointer, { pointer, label, kind, value: kind === 'json' ? field.value : summaryOf(field) })
  }
  for (const field of fieldsOf(data ?? {}, root, presentation)) add(field, name)
  return leaves
}

/**
 * Those that say most of a call, where there is no room for all: amounts go before numbers, and these before the rest.
 * They keep their order.
 *
 * @returns also how many there are beside those
 */
export function mainLeaves(
  leaves: readonly CallLeaf[],
  countMax: number,
): { readonly shown: readonly CallLeaf[]; readonly left: number } {
  const chosen = new Set([...leaves].sort((one, other) => rank(one) - rank(other)).slice(0, countMax))
  return { shown: leaves.filter((leaf) => chosen.has(leaf)), left: leaves.length - chosen.size }
}

function rank(leaf: CallLeaf): number {
  if (leaf.kind !== 'number') return 2
  return isAmount(leaf) ? 0 : 1
}

/** Whether it is a number with its unit or currency. */
export function isAmount({ kind, value }: Pick<CallLeaf, 'kind' | 'value'>): boolean {
  return kind === 'number' && value.includes('\u00a0')
}

function isGroup(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
}

function isPlain(value: unknown): value is string | number | boolean {
  return (
    typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && value !== '')
  )
}

type Valued = Pick<SingleField, 'kind' | 'value'> | Pick<JsonField, 'kind' | 'value' | 'summary'>

function valued(name: string, value: unknown, currency: unknown, unit?: string): Valued {
  if (value === null) return { kind: 'absent', value: 'null' }
  if (typeof value === 'boolean') return { kind: 'text', value: value ? 'Yes' : 'No' }
  if (typeof value === 'number') return { kind: 'number', value: numberText(name, value, currency, unit) }
  if (value === '') return { kind: 'absent', value: 'empty text' }
  if (typeof value === 'string') return { kind: kindOfText(value), value: visibleText(value) }
  const count = Object.keys(value ?? {}).length
  return { kind: 'json', value: jsonText(value), summary: `${count} ${count === 1 ? 'entry' : 'entries'}` }
}

const dateText = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/

function kindOfText(value: string): 'text' | 'long' | 'date' {
  if (dateText.test(value) && !Number.isNaN(Date.parse(value))) return 'date'
  const isLong = value.length > textLengthMax || value.split('\n').length > textLinesMax
  return isLong ? 'long' : 'text'
}

const moneyName = /(^|_)(amount|price|total|cost|fee|sum|refund)$/i
const identifierName = /(^|_)(id|no|number|code|year)$|[a-z]Id$/

const currencyCode = /^[A-Z]{3}$/

/**
 * The number in full: grouped, never rounded; with its currency's code or its unit where one is known.
 *
 * @param currency a code that stands beside it; it counts for names of money
 * @param unit what it counts by the policy, whatever its name
 */
export function numberText(name: string, value: number, currency: unknown, unit?: string): string {
  const isTiny = value !== 0 && Math.abs(value) < 1e-6
  if (Math.abs(value) >= 1e21 || isTiny) return withUnit(String(value), unit)
  if (unit === undefined && identifierName.test(name)) return String(value)
  const code = unit ?? (moneyName.test(name) ? currency : undefined)
  const exact = { maximumFractionDigits: 20 } as const
  if (typeof code === 'string' && currencyCode.test(code)) {
    const style = { style: 'currency', currency: code, currencyDisplay: 'code', ...exact } as const
    return new Intl.NumberFormat('en', style).format(value)
  }
  return withUnit(new Intl.NumberFormat('en', exact).format(value), unit)
}

function withUnit(number: string, unit: string | undefined): string {
  return unit === undefined ? number : `${number}\u00a0${visibleText(unit).replaceAll(' ', '\u00a0')}`
}

/** Indented JSON with deceptive characters made visible. */
export function jsonText(value: unknown): string {
  return visibleText(JSON.stringify(value, null, 2))
}

/** The JSON Pointer (RFC 6901) to the member of this name below `pointer`. */
function pointerBelow(pointer: string, name: string | number): string {
  return `${pointer}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}
