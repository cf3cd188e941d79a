import { humanName, visibleText } from './wording.ts'

/** One member of parameters or context, ready to be shown. */
export type Field = SingleField | JsonField | GroupField

export interface SingleField {
  readonly kind: 'text' | 'number' | 'absent'
  readonly name: string
  readonly label: string
  readonly value: string
}

/** A list, or an object that lies too deep to be shown by its members. */
export interface JsonField {
  readonly kind: 'json'
  readonly name: string
  readonly label: string
  readonly value: string
  /** How much there is, where there is no room for it. */
  readonly summary: string
}

/** A member that is itself an object, small enough to be shown by its members. */
export interface GroupField {
  readonly kind: 'group'
  readonly name: string
  readonly label: string
  readonly fields: readonly Field[]
}

type Data = Readonly<Record<string, unknown>>

/** How deep objects are shown by their members; below, as JSON. */
const groupDepthMax = 2

/** The members of `data` in their own order. Two names that read alike are both shown raw. */
export function fieldsOf(data: Data, depth = 0): readonly Field[] {
  const labels = Object.keys(data).map(humanName)
  const isAmbiguous = (label: string): boolean => labels.filter((other) => other === label).length > 1
  return Object.entries(data).map(([name, value]) => {
    const readable = humanName(name)
    const label = isAmbiguous(readable) ? visibleText(name) : readable
    if (isGroup(value) && depth < groupDepthMax) {
      return { kind: 'group', name, label, fields: fieldsOf(value, depth + 1) }
    }
    return { name, label, ...valued(name, value, data['currency']) }
  })
}

/** The fields that fit on a card: a currency that an amount already carries is left out. */
export function cardFieldsOf(data: Data): readonly Field[] {
  const fields = fieldsOf(data)
  const { currency } = data
  const isCarried = (field: Field): boolean =>
    field.kind === 'number' && typeof currency === 'string' && field.value.startsWith(`${currency}\u00a0`)
  return fields.some(isCarried) ? fields.filter(({ name }) => name !== 'currency') : fields
}

/** The field's value on one line. */
export function summaryOf(field: Field): string {
  if (field.kind === 'group') return field.fields.map(summaryOf).join(', ')
  return field.kind === 'json' ? field.summary : field.value
}

function isGroup(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
}

type Valued = Pick<SingleField, 'kind' | 'value'> | Pick<JsonField, 'kind' | 'value' | 'summary'>

function valued(name: string, value: unknown, currency: unknown): Valued {
  if (value === null) return { kind: 'absent', value: 'null' }
  if (typeof value === 'boolean') return { kind: 'text', value: value ? 'Yes' : 'No' }
  if (typeof value === 'number') return { kind: 'number', value: numberText(name, value, currency) }
  if (value === '') return { kind: 'absent', value: 'empty text' }
  if (typeof value === 'string') return { kind: 'text', value: visibleText(value) }
  const count = Object.keys(value ?? {}).length
  return { kind: 'json', value: jsonText(value), summary: `${count} ${count === 1 ? 'entry' : 'entries'}` }
}

const moneyName = /(^|_)(amount|price|total|cost|fee|sum|refund)$/i
const identifierName = /(^|_)(id|no|number|code|year)$|[a-z]Id$/

/** The number in full: grouped, never rounded; with its currency's code where one stands beside it. */
export function numberText(name: string, value: number, currency: unknown): string {
  if (identifierName.test(name) || Math.abs(value) >= 1e21 || (value !== 0 && Math.abs(value) < 1e-6)) {
    return String(value)
  }
  const exact = { maximumFractionDigits: 20 } as const
  if (moneyName.test(name) && typeof currency === 'string' && /^[A-Z]{3}$/.test(currency)) {
    const style = { style: 'currency', currency, currencyDisplay: 'code', ...exact } as const
    return new Intl.NumberFormat('en', style).format(value)
  }
  return new Intl.NumberFormat('en', exact).format(value)
}

/** Indented JSON with deceptive characters made visible. */
export function jsonText(value: unknown): string {
  return visibleText(JSON.stringify(value, null, 2))
}
