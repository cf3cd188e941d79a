import { roundSteps } from './compile-macro.ts'
import { charactersPerStep, itemsPerStep, undeclaredSize } from './limits.ts'
import type { LibraryFunction } from './library/entry.ts'
import { measure } from './measure.ts'
import type { SizeBounds } from './scope.ts'
import type { BinaryNode, BindNode, CallNode, MacroNode, Node } from './syntax.ts'
import type { CelType } from './types.ts'

/** What is known of how large a value may be. */
interface Extent {
  /** UTF-16 units of a text, bytes, items of a list, entries of a map; 1 for everything else. */
  readonly size: number
  /** The items of a list, the values of a map. */
  readonly item: () => Extent
  /** A field of a map. */
  readonly field: (name: string) => Extent
}

interface Estimate {
  readonly steps: number
  readonly extent: Extent
}

/** What the estimate of a condition's cost needs to know. */
export interface CostScope {
  /** Bounds by path: `params.items` is a field, `params.items[]` what the list holds. */
  readonly bounds: ReadonlyMap<string, SizeBounds> | undefined
  readonly formsOf: (node: CallNode) => readonly LibraryFunction[] | undefined
}

/**
 * The steps that one evaluation takes at most, told from the declared sizes. A size that nobody declared is that of
 * the largest payload. It is an upper bound: `||` and `&&` are counted as if they never stopped early.
 */
export function costOf(root: Node, scope: CostScope): number {
  return new Estimator(scope).estimate(root).steps
}

const scalar: Extent = { size: 1, item: () => scalar, field: () => scalar }

function sized(size: number, item: () => Extent = () => scalar): Extent {
  const once = kept(item)
  return { size, item: once, field: once }
}

/** Worked out once: `cel.bind` may double what is asked for at each of its levels. */
function kept(make: () => Extent): () => Extent {
  let made: Extent | undefined
  return () => (made ??= make())
}

/** A type whose values have one size, whatever they are. */
function isScalar(type: CelType): boolean {
  return typeof type === 'string' && type !== 'string' && type !== 'bytes' && type !== 'dyn'
}

class Estimator {
  readonly #scope: CostScope
  readonly #variables: { readonly name: string; readonly extent: Extent }[] = []

  constructor(scope: CostScope) {
    this.#scope = scope
  }

  estimate(node: Node): Estimate {
    const { steps, extent } = this.#estimate(node)
    return { steps, extent: isScalar(node.type) ? scalar : extent }
  }

  #estimate(node: Node): Estimate {
    switch (node.kind) {
      case 'literal':
        return { steps: 0, extent: sized(measure(node.value)) }
      case 'name':
        return this.#name(node.name, node.type)
      case 'select': {
        const { steps, extent } = this.estimate(node.operand)
        return { steps: steps + 1, extent: extent.field(node.field) }
      }
      case 'has':
      case 'unary':
        return { steps: this.estimate(node.operand).steps + 1, extent: scalar }
      case 'index': {
        const operand = this.estimate(node.operand)
        const by = node.index.kind === 'literal' ? node.index.value : undefined
        const extent = typeof by === 'string' ? operand.extent.field(by) : operand.extent.item()
        return { steps: operand.steps + this.estimate(node.index).steps + 1, extent }
      }
      case 'logic':
        return { steps: this.#sum(node.operands), extent: scalar }
      case 'choice': {
        const [one, other] = [this.estimate(node.whenTrue), this.estimate(node.whenFalse)]
        const steps = this.estimate(node.condition).steps + Math.max(one.steps, other.steps) + 1
        return { steps, extent: larger(one.extent, other.extent) }
      }
      case 'binary':
        return this.#binary(node)
      case 'call':
        return this.#call(node)
      case 'list':
        return this.#collection(
          node.items.map((item) => item.value),
          node.items.length,
        )
      case 'map':
        return this.#collection(
          node.entries.flatMap((entry) => [entry.value, entry.key]),
          node.entries.length,
        )
      case 'macro':
        return this.#macro(node)
      case 'bind':
        return this.#bind(node)
      default:
        return node
    }
  }

  #sum(nodes: readonly Node[]): number {
    return nodes.reduce((steps, node) => steps + this.estimate(node).steps, nodes.length)
  }

  #name(name: string, type: CelType): Estimate {
    const variable = this.#variables.findLast((one) => one.name === name)
    if (variable !== undefined) return { steps: 1, extent: variable.extent }
    const extent = this.#declared(name)
    const isLookedThrough = typeof type === 'object' && !('record' in type)
    return { steps: isLookedThrough ? 1 + Math.ceil(extent.size / itemsPerStep) : 1, extent }
  }

  #declared(path: string): Extent {
    const bounds = this.#scope.bounds?.get(path)
    const given = [bounds?.length, bounds?.items, bounds?.keys].filter((size) => size !== undefined)
    return {
      size: given.length === 0 ? undeclaredSize : Math.max(...given),
      item: () => this.#declared(`${path}[]`),
      field: (name) => this.#declared(`${path}.${name}`),
    }
  }

  #binary(node: BinaryNode): Estimate {
    const [left, right] = [this.estimate(node.left), this.estimate(node.right)]
    const steps = left.steps + right.steps + 1
    const [a, b] = [left.extent, right.extent]
    if (node.operator === 'in') {
      return { steps: steps + b.size * (1 + comparing(a, b.item())), extent: scalar }
    }
    if (node.operator !== '+') return { steps: steps + comparing(a, b), extent: scalar }
    const size = a.size + b.size
    return {
      steps: steps + Math.ceil(size / itemsPerStep),
      extent: sized(size, () => larger(a.item(), b.item())),
    }
  }

  #call(node: CallNode): Estimate {
    const parts = node.target === undefined ? node.args : [node.target, ...node.args]
    const estimates = parts.map((part) => this.estimate(part))
    const sizes = estimates.map(({ extent }) => extent.size)
    const units = sizes.reduce((sum, size) => sum + size, 0)
    const forms = this.#scope.formsOf(node) ?? []
    const costs = forms.map((form) => form.cost?.(...sizes) ?? 1 + units / charactersPerStep)
    const preparing = forms.map((form) => {
      const arg = form.literal === undefined ? undefined : node.args[form.literal.arg]
      if (arg === undefined || arg.kind === 'literal') return 0
      return form.prepareCost?.(estimates[parts.indexOf(arg)]?.extent.size ?? 1) ?? 0
    })
    const results = forms.map((form) => form.resultSize?.(...sizes) ?? Math.max(1, ...sizes))
    const size = Math.max(1, ...results)
    return {
      steps: estimates.reduce(
        (sum, one) => sum + one.steps,
        Math.ceil(Math.max(1, ...costs) + Math.max(0, ...preparing)),
      ),
      extent: sized(size, () => sized(size)),
    }
  }

  #collection(parts: readonly Node[], size: number): Estimate {
    const estimates = parts.map((part) => this.estimate(part))
    const steps = estimates.reduce((sum, one) => sum + one.steps, Math.ceil(size / itemsPerStep))
    return { steps, extent: sized(size, () => estimates.map((one) => one.extent).reduce(larger, scalar)) }
  }

  #macro(node: MacroNode): Estimate {
    const range = this.estimate(node.range)
    const { size } = range.extent
    const isMap = typeof node.range.type === 'object' && !('list' in node.range.type)
    // A key is part of the payload; how long one may be is declared for nobody.
    const first = isMap ? sized(undeclaredSize) : node.second === undefined ? range.extent.item() : scalar
    const depth = this.#variables.length
    this.#variables.push({ name: node.variable, extent: first })
    if (node.second !== undefined) this.#variables.push({ name: node.second, extent: range.extent.item() })
    const test = node.test === undefined ? undefined : this.estimate(node.test)
    const step = node.step === undefined ? undefined : this.estimate(node.step)
    this.#variables.length = depth
    const each = roundSteps(node) + (test?.steps ?? 0) + (step?.steps ?? 0)
    const made = step === undefined ? range.extent.item : () => step.extent
    return {
      steps: range.steps + Math.ceil(size / itemsPerStep) + size * each,
      extent: sized(size, made),
    }
  }

  #bind(node: BindNode): Estimate {
    const value = this.estimate(node.value)
    const depth = this.#variables.length
    this.#variables.push({ name: node.variable, extent: value.extent })
    const body = this.estimate(node.body)
    this.#variables.length = depth
    return { steps: value.steps + body.steps + 1, extent: body.extent }
  }
}

/** Comparing goes through the smaller of two values, one step for each part at most. */
function comparing(a: Extent, b: Extent): number {
  const size = Math.min(a.size, b.size)
  return size <= 1 ? 0 : size
}

function larger(a: Extent, b: Extent): Extent {
  if (a === b) return a
  const fields = new Map<string, Extent>()
  return {
    size: Math.max(a.size, b.size),
    item: kept(() => larger(a.item(), b.item())),
    field: (name) => {
      const field = fields.get(name) ?? larger(a.field(name), b.field(name))
      fields.set(name, field)
      return field
    },
  }
}
