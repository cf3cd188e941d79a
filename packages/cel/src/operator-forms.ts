import { TypeVariable } from './static-types.ts'
import type { StaticType } from './static-types.ts'

/** A form of an operator: what it takes and gives. */
export interface OperatorForm {
  readonly parameters: readonly StaticType[]
  readonly result: StaticType
}

const numbers = ['int', 'uint', 'double'] as const
const ordered = ['bool', 'string', 'bytes', 'timestamp', 'duration'] as const

function same(types: readonly StaticType[]): readonly OperatorForm[] {
  return types.map((type) => ({ parameters: [type, type], result: type }))
}

const sums: readonly OperatorForm[] = [
  ...same([...numbers, 'string', 'bytes', 'duration']),
  { parameters: ['timestamp', 'duration'], result: 'timestamp' },
  { parameters: ['duration', 'timestamp'], result: 'timestamp' },
]

const differences: readonly OperatorForm[] = [
  ...same([...numbers, 'duration']),
  { parameters: ['timestamp', 'timestamp'], result: 'duration' },
  { parameters: ['timestamp', 'duration'], result: 'timestamp' },
]

/** Numbers of different kinds have an order too. */
const orders: readonly OperatorForm[] = [
  ...numbers.flatMap((one) => numbers.map((other) => [one, other] as const)),
  ...ordered.map((type) => [type, type] as const),
].map((parameters) => ({ parameters, result: 'bool' }))

/** The forms of an operator of the standard dialect; `-_` is the minus sign before a number. Type variables are new. */
export function operatorForms(operator: string): readonly OperatorForm[] {
  const [some, other] = [new TypeVariable(), new TypeVariable()]
  switch (operator) {
    case '+':
      return [...sums, { parameters: [{ list: some }, { list: some }], result: { list: some } }]
    case '-':
      return differences
    case '*':
    case '/':
      return same(numbers)
    case '%':
      return same(['int', 'uint'])
    case '-_':
      return (['int', 'double'] as const).map((type) => ({ parameters: [type], result: type }))
    case '==':
    case '!=':
      return [{ parameters: [some, some], result: 'bool' }]
    case 'in':
      return [
        { parameters: [some, { list: some }], result: 'bool' },
        { parameters: [some, { map: other, key: some }], result: 'bool' },
      ]
    default:
      return orders
  }
}
