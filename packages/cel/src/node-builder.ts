import type { SourceLimits } from './limits.ts'
import { tooDeep } from './nesting.ts'
import { childrenOf } from './syntax.ts'
import type { CelProblem, Node, Placed } from './syntax.ts'

/** Ends the parsing at a place that has no meaning. */
export class Refusal extends Error {
  readonly problem: CelProblem

  constructor(problem: CelProblem) {
    super(problem.message)
    this.problem = problem
  }

  /** A refusal with its place and its fix. */
  static at(offset: number, message: string, fix: string): Refusal {
    return new Refusal({ offset, message, fix })
  }
}

/** How strongly an operator holds on to its operands; `?:` is weaker than all of them. */
export const binaryPower: ReadonlyMap<string, number> = new Map([
  ['||', 1],
  ['&&', 2],
  ['==', 3],
  ['!=', 3],
  ['<', 3],
  ['<=', 3],
  ['>', 3],
  ['>=', 3],
  ['in', 3],
  ['+', 4],
  ['-', 4],
  ['*', 5],
  ['/', 5],
  ['%', 5],
])

/** A node before it has a place. */
export type Draft = Node extends infer One ? (One extends Node ? Omit<One, keyof Placed> : never) : never

/** Makes nodes within the limits of a source. */
export class NodeBuilder {
  readonly #limits: SourceLimits
  readonly #depths = new WeakMap<Node, number>()
  #nodes = 0

  constructor(limits: SourceLimits) {
    this.#limits = limits
  }

  /**
   * A node with its place, counted, with its depth checked.
   *
   * @throws a Refusal where a limit is reached
   */
  node(draft: Draft, offset: number, [start, end]: readonly [number, number]): Node {
    this.count(offset)
    const node: Node = { ...draft, offset, start, end, type: 'dyn' }
    let depth = 0
    for (const child of childrenOf(node)) depth = Math.max(depth, this.#depths.get(child) ?? 0)
    if (depth >= this.#limits.nesting) throw new Refusal(tooDeep(offset, this.#limits.nesting))
    this.#depths.set(node, depth + 1)
    return node
  }

  /**
   * Counts one part.
   *
   * @throws a Refusal where there are too many
   */
  count(offset: number): void {
    this.#nodes += 1
    if (this.#nodes <= this.#limits.nodes) return
    const message = `the condition has more than ${this.#limits.nodes} parts`
    throw Refusal.at(offset, message, 'split it into several rules')
  }
}
