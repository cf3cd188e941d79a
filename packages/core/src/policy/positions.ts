import { isMap, isNode, isPair, isScalar, type Document, type LineCounter, type Node } from 'yaml'

/** A path into a YAML document: keys and indices from the root. */
export type DocumentPath = readonly (string | number)[]

/** One-based, as editors count. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Finds places in the text of a YAML document. */
export class Positions {
  readonly #document: Document
  readonly #lines: LineCounter
  readonly #text: string

  constructor(document: Document, lines: LineCounter, text: string) {
    this.#document = document
    this.#lines = lines
    this.#text = text
  }

  /** Where the value at `path` starts, or its nearest parent that exists. */
  ofValue(path: DocumentPath): Position {
    for (let length = path.length; length > 0; length--) {
      const node: unknown = this.#document.getIn(path.slice(0, length), true)
      if (isNode(node) && node.range) return this.#at(node.range[0])
    }
    return { line: 1, column: 1 }
  }

  /** Where a node of the document starts. */
  ofNode(node: { readonly range?: readonly [number, number, number] | null | undefined }): Position {
    return node.range ? this.#at(node.range[0]) : { line: 1, column: 1 }
  }

  /** Where the key named last in `path` stands. */
  ofKey(path: DocumentPath): Position {
    const parent: unknown =
      path.length === 1 ? this.#document.contents : this.#document.getIn(path.slice(0, -1), true)
    const key = path[path.length - 1]
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
      const node = pair?.key as Node | undefined
      if (node?.range) return this.#at(node.range[0])
    }
    return this.ofValue(path)
  }

  /**
   * Where the character at `offset` of the string at `path` stands. Exact for strings that stand in
   * the file as they are read; where escapes or folding moved characters, the start of the string.
   */
  insideString(path: DocumentPath, offset: number): Position {
    const node: unknown = this.#document.getIn(path, true)
    if (!isScalar(node) || !node.range || typeof node.value !== 'string') return this.ofValue(path)
    const quoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE'
    const start = node.range[0] + (quoted ? 1 : 0)
    const verbatim = this.#text.startsWith(node.value, start)
    return this.#at(verbatim ? start + offset : node.range[0])
  }

  #at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
}
