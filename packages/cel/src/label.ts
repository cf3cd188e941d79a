import type { Node } from './syntax.ts'
import { CelUint } from './value.ts'

const labelLengthMax = 60

/** The part of a condition in words for a message: a path as it is, an expression in backticks, cut where long. */
export function labelOf(node: Node): string {
  return (node.label ??= textOf(node))
}

function textOf(node: Node): string {
  const text = render(node)
  const cut = text.length > labelLengthMax ? `${text.slice(0, labelLengthMax - 1)}…` : text
  return isPath(node) ? cut : `\`${cut}\``
}

function isPath(node: Node): boolean {
  if (node.kind === 'select') return isPath(node.operand)
  if (node.kind === 'index') return isPath(node.operand)
  return node.kind === 'name'
}

function render(node: Node): string {
  switch (node.kind) {
    case 'literal':
      return literalText(node.value)
    case 'name':
      return node.name
    case 'select':
      return `${render(node.operand)}.${node.optional ? '?' : ''}${node.field}`
    case 'has':
      return `has(${render(node.operand)}.${node.field})`
    case 'index':
      return `${render(node.operand)}[${render(node.index)}]`
    case 'logic':
      return node.operands.map(inner).join(` ${node.operator} `)
    case 'binary':
      return `${inner(node.left)} ${node.operator} ${inner(node.right)}`
    case 'unary':
      return `${node.operator}${inner(node.operand)}`
    case 'choice':
      return `${inner(node.condition)} ? ${inner(node.whenTrue)} : ${inner(node.whenFalse)}`
    case 'call': {
      const call = `${node.name}(${node.args.map(render).join(', ')})`
      return node.target === undefined ? call : `${inner(node.target)}.${call}`
    }
    case 'list':
      return `[${node.items.map((item) => render(item.value)).join(', ')}]`
    case 'map':
      return '{…}'
    case 'macro':
      return `${inner(node.range)}.${node.macro}(${node.variable}, …)`
    case 'bind':
      return `cel.bind(${node.variable}, …)`
    default:
      return unlabelled(node)
  }
}

function inner(node: Node): string {
  const compound = node.kind === 'logic' || node.kind === 'binary' || node.kind === 'choice'
  return compound ? `(${render(node)})` : render(node)
}

function literalText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof CelUint) return `${value.value}u`
  return value instanceof Uint8Array ? 'b"…"' : String(value)
}

function unlabelled(node: never): string {
  throw new Error(`a node that cannot be: ${JSON.stringify(node)}`)
}
