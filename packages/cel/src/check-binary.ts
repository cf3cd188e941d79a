import type { Checking } from './checking.ts'
import type { BinaryNode } from './syntax.ts'
import { isNumeric, typePhrase } from './types.ts'
import type { CelType, OpenType } from './types.ts'

/** Checks two operands and what stands between them. */
export function checkBinary(node: BinaryNode, checker: Checking): OpenType {
  const { operator, left, right } = node
  const [a, b] = [checker.visit(left), checker.visit(right)]
  switch (operator) {
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return comparison(node, checker, a, b)
    case 'in':
      return membership(node, checker, a, b)
    case '%':
      return remainder(node, checker, a, b)
    case '+':
    case '-':
    case '*':
    case '/':
      return arithmetic(node, checker, a, b)
    default:
      return operator
  }
}

function comparison(node: BinaryNode, checker: Checking, a: OpenType, b: OpenType): OpenType {
  const common = checker.inference.agree(a, b, node.offset)
  const ordering = node.operator !== '==' && node.operator !== '!='
  if (common === undefined) {
    const message = `\`${node.operator}\` compares ${typePhrase(a)} with ${typePhrase(b)}`
    checker.report(node.offset, message, comparisonFix(a, b))
  } else if (ordering && (common === 'null' || isContainer(common))) {
    checker.report(
      node.offset,
      `\`${node.operator}\` cannot order ${typePhrase(common)}`,
      'use `==`, or compare its parts',
    )
  }
  return 'bool'
}

function membership(node: BinaryNode, checker: Checking, item: OpenType, container: OpenType): OpenType {
  if (container === 'dyn') return 'bool'
  if (typeof container === 'object' && ('list' in container || isMap(container))) {
    const wanted = 'list' in container ? container.list : 'string'
    if (checker.inference.agree(item, wanted, node.left.offset) === undefined) {
      const message = `\`in\` looks for ${typePhrase(item)} among values of another type: ${typePhrase(wanted)}`
      checker.report(node.left.offset, message, 'use values of the same type')
    }
    return 'bool'
  }
  const fix =
    container === 'string' ? 'use text.contains(part)' : 'put a list after `in`, as in `x in [1, 2]`'
  checker.report(
    node.right.offset,
    `\`in\` needs a list or a map after it, not ${typePhrase(container)}`,
    fix,
  )
  return 'bool'
}

function remainder(node: BinaryNode, checker: Checking, a: OpenType, b: OpenType): OpenType {
  const whole = (type: OpenType): boolean => type === 'int' || type === 'dyn'
  if (whole(a) && whole(b)) return a === 'int' && b === 'int' ? 'int' : 'dyn'
  const wrong = whole(a) ? node.right : node.left
  const type = whole(a) ? b : a
  const message = `\`%\` takes whole numbers, not ${typePhrase(type)}`
  checker.report(
    wrong.offset,
    message,
    isNumeric(type) ? 'make it whole first, as in `int(x) % 2`' : 'use whole numbers',
  )
  // The operator is what is wrong; the name is not to be reported a second time.
  if (typeof type === 'object' && 'open' in type) checker.inference.agree(type, 'number', wrong.offset)
  return 'int'
}

function arithmetic(node: BinaryNode, checker: Checking, a: OpenType, b: OpenType): OpenType {
  const { operator } = node
  const timed = timeArithmetic(operator, a, b)
  if (timed !== undefined) return timed
  if (operator !== '+') {
    const left = checker.inference.agree(a, b === 'int' && a === 'int' ? 'int' : 'number', node.left.offset)
    const right = checker.inference.agree(b, 'number', node.right.offset)
    if (left !== undefined && right !== undefined) {
      if (a === 'dyn' || b === 'dyn') return 'dyn'
      return a === 'int' && b === 'int' ? 'int' : 'number'
    }
  } else {
    const sum = checker.inference.agree(a, b, node.offset)
    // Two undeclared names that are added are taken for numbers: a bool has no sum.
    if (typeof sum === 'object' && 'open' in sum)
      return checker.inference.agree(sum, 'number', node.offset) ?? 'number'
    const summable =
      sum !== undefined && sum !== 'bool' && sum !== 'null' && sum !== 'timestamp' && !isMap(sum)
    if (summable) return sum
  }
  const fix = operator === '+' ? 'convert one of them, as in `string(x)` or `double(x)`' : 'use numbers'
  return checker.report(
    node.offset,
    `\`${operator}\` cannot combine ${typePhrase(a)} with ${typePhrase(b)}`,
    fix,
  )
}

function isMap(type: OpenType): boolean {
  return typeof type === 'object' && ('map' in type || 'record' in type)
}

function isContainer(type: OpenType): boolean {
  return typeof type === 'object' && !('open' in type && !('record' in type))
}

function timeArithmetic(operator: string, a: OpenType, b: OpenType): CelType | undefined {
  if (operator === '+' && a === 'duration' && b === 'duration') return 'duration'
  if (
    operator === '+' &&
    (a === 'timestamp' || a === 'duration') &&
    (b === 'timestamp' || b === 'duration')
  ) {
    return a === b ? undefined : 'timestamp'
  }
  if (operator !== '-' || b === 'dyn') return undefined
  if (a === 'timestamp' && b === 'timestamp') return 'duration'
  if (a === 'timestamp' && b === 'duration') return 'timestamp'
  return a === 'duration' && b === 'duration' ? 'duration' : undefined
}

function comparisonFix(a: OpenType, b: OpenType): string {
  const pair = [a, b]
  if (pair.includes('null')) return 'a declared name is never null; remove the comparison'
  if (pair.includes('string') && pair.some(isNumeric))
    return 'put the number in quotes, or compare with a number'
  if (pair.includes('bool')) return 'use the bool by itself, or compare it with true or false'
  if (pair.includes('timestamp')) return 'compare with a time, as in `timestamp("2030-01-31T00:00:00Z")`'
  if (pair.includes('duration')) return 'compare with a span of time, as in `duration("90m")`'
  return 'compare values of the same type'
}
