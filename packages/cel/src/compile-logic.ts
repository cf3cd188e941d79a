import { compileBool } from './compile-context.ts'
import type { CompileContext } from './compile-context.ts'
import type { Evaluate } from './frame.ts'
import type { LogicNode } from './syntax.ts'

/**
 * A chain of `&&` or of `||`, from left to right. One operand may settle it, whatever errors stand before it;
 * otherwise the first error is the result.
 */
export function compileLogic(node: LogicNode, context: CompileContext): Evaluate {
  const operands = node.operands.map((operand) => compileBool(operand, context))
  const [first, second, third] = operands
  const settled = node.operator === '||'
  if (first !== undefined && second !== undefined) {
    if (operands.length === 2) return settled ? either(first, second) : both(first, second)
    if (operands.length === 3 && third !== undefined)
      return settled ? either(either(first, second), third) : both(both(first, second), third)
  }
  return settled ? any(operands) : all(operands)
}

function both(left: Evaluate, right: Evaluate): Evaluate {
  return (frame) => {
    const one = left(frame)
    if (one === false) return false
    const other = right(frame)
    // What is neither true nor false is a failure.
    return other === false || one === true ? other : one
  }
}

function either(left: Evaluate, right: Evaluate): Evaluate {
  return (frame) => {
    const one = left(frame)
    if (one === true) return true
    const other = right(frame)
    return other === true || one === false ? other : one
  }
}

function all(operands: readonly Evaluate[]): Evaluate {
  return (frame) => {
    let result = operands[0]?.(frame) ?? true
    if (result === false) return false
    for (let index = 1; index < operands.length; index++) {
      const one = operands[index]?.(frame) ?? true
      if (one === false) return false
      if (result === true) result = one
    }
    return result
  }
}

function any(operands: readonly Evaluate[]): Evaluate {
  return (frame) => {
    let result = operands[0]?.(frame) ?? false
    if (result === true) return true
    for (let index = 1; index < operands.length; index++) {
      const one = operands[index]?.(frame) ?? false
      if (one === true) return true
      if (result === false) result = one
    }
    return result
  }
}
