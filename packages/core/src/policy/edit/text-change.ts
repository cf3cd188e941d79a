import {
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import type { DocumentChange } from '../../model/document-edit.ts'
import type { Json } from '../../model/json.ts'
import { flowText, scalarText } from './yaml-text.ts'

/** Characters of a text and what takes their place. Offsets count UTF-16 code units from 0. */
export interface TextChange {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * The smallest change of the text that makes the change of its content, or undefined where there is none that leaves
 * everything else as it is: the place is gone, written in an unusual way, or has a comment that would be lost.
 */
export function textChange(text: string, change: DocumentChange): TextChange | undefined {
  const document = parseDocument(text, { uniqueKeys: true, logLevel: 'silent' })
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined
  const root = document.contents as YAMLMap
  return change.kind === 'add' ? addition(text, document, root, change) : removal(text, document, change)
}

function addition(
  text: string,
  document: Document,
  root: YAMLMap,
  { map, key, value, before }: Extract<DocumentChange, { kind: 'add' }>,
): TextChange | undefined {
  const target = map.length === 0 ? root : document.getIn(map, true)
  if (isMap(target)) return target.has(key) ? undefined : withEntry(text, target, key, value)
  const [name] = map
  if (target !== undefined || map.length !== 1 || typeof name !== 'string' || root.has(name)) return undefined
  if (root.flow === true) return withEntry(text, root, name, { [key]: value })
  return withBlock(text, document, root, { name, key, value, before })
}

/** One more entry at the end of a map. */
function withEntry(text: string, map: YAMLMap, key: string, value: Json): TextChange | undefined {
  const last = map.items[map.items.length - 1]
  const entry = `${scalarText(key)}: ${flowText(value)}`
  if (map.flow === true) {
    const start = map.range?.[0]
    if (start === undefined) return undefined
    if (last === undefined) return insertion(start + 1, ` ${entry}${text[start + 1] === '}' ? ' ' : ''}`)
    const end = endOf(last)
    return end === undefined ? undefined : insertion(end, `, ${entry}`)
  }
  const end = last === undefined ? undefined : endOf(last)
  const column = columnOf(text, map)
  if (end === undefined || column === undefined) return undefined
  return lineInsertion(text, lineEnd(text, end), `${' '.repeat(column)}${entry}`)
}

interface NewBlock {
  readonly name: string
  readonly key: string
  readonly value: Json
  readonly before: readonly string[]
}

/** A map of its own at the root of a file in block style. */
function withBlock(text: string, document: Document, root: YAMLMap, block: NewBlock): TextChange | undefined {
  const column = columnOf(text, root)
  const last = root.items[root.items.length - 1]
  const end = last === undefined ? undefined : endOf(last)
  if (column === undefined || end === undefined) return undefined
  const margin = ' '.repeat(column)
  const lines = [
    `${margin}${scalarText(block.name)}:`,
    `${margin}${' '.repeat(indentation(text, root))}${scalarText(block.key)}: ${flowText(block.value)}`,
  ]
  const spaced = root.items.slice(1).some((pair) => hasBlankLineAbove(text, startOf(pair)))
  const next = root.items.find((pair) => isScalar(pair.key) && block.before.includes(String(pair.key.value)))
  if (next === undefined) {
    const at = documentEnd(text, document)
    return lineInsertion(text, at, [...(spaced ? [''] : []), ...lines].join(eol(text)))
  }
  const at = commentStart(text, lineStart(text, startOf(next)))
  return lineInsertion(text, at, [...lines, ...(spaced ? [''] : [])].join(eol(text)))
}

function removal(
  text: string,
  document: Document,
  { item, value }: Extract<DocumentChange, { kind: 'remove' }>,
): TextChange | undefined {
  const list = document.getIn(item.slice(0, -1), true)
  const at = item[item.length - 1]
  if (!isSeq(list) || typeof at !== 'number') return undefined
  const node = list.items[at]
  if (!isScalar(node) || node.value !== value || !node.range || node.anchor !== undefined) return undefined
  const [start, end] = node.range
  if (list.flow === true) return flowRemoval(list, at, start, end)
  const line = { start: lineStart(text, start), end: lineEnd(text, end) }
  const indicator = text.slice(line.start, start)
  // A comment or another item on the line would go with it.
  if (!/^[ \t]*-[ \t]+$/.test(indicator) || text.slice(end, line.end).trim() !== '') return undefined
  return { ...line, text: '' }
}

function flowRemoval(list: YAMLSeq, at: number, start: number, end: number): TextChange | undefined {
  const before = list.items[at - 1]
  const from = isNode(before) ? before.range?.[1] : undefined
  // Only items that stand before it are known to be its equals, so that there is one.
  return from === undefined || from > start ? undefined : { start: from, end, text: '' }
}

/** Where the text of a pair ends, without comments behind it. */
function endOf(pair: Pair): number | undefined {
  const { key, value } = pair
  if (isAlias(value)) return value.range?.[1]
  if ((isMap(value) || isSeq(value)) && value.flow !== true) {
    const last = value.items[value.items.length - 1]
    if (isPair(last)) return endOf(last)
    if (isMap(last) && last.flow !== true) {
      const inner: unknown = last.items[last.items.length - 1]
      return isPair(inner) ? endOf(inner) : last.range?.[1]
    }
    return isNode(last) && !isSeq(last) ? last.range?.[1] : value.range?.[1]
  }
  if (isNode(value) && value.range && value.range[1] > value.range[0]) return value.range[1]
  return isNode(key) ? key.range?.[1] : undefined
}

function startOf(pair: Pair): number {
  return isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0
}

/** The column of a block map's first key, where only spaces stand before it. */
function columnOf(text: string, map: YAMLMap): number | undefined {
  const [first] = map.items
  if (first === undefined) return undefined
  const start = startOf(first)
  const before = text.slice(lineStart(text, start), start)
  return /^(\uFEFF)? *$/.test(before) ? before.replace('\uFEFF', '').length : undefined
}

/** How far the file indents what stands below a key; two where nothing shows it. */
function indentation(text: string, root: YAMLMap): number {
  for (const { value } of root.items) {
    if (!isMap(value) || value.flow === true) continue
    const column = columnOf(text, value)
    const outer = columnOf(text, root)
    if (column !== undefined && outer !== undefined && column > outer) return column - outer
  }
  return 2
}

/** The end of the content, before a marker that ends the document. */
function documentEnd(text: string, document: Document): number {
  const from = document.contents?.range?.[1] ?? 0
  const marker = /^\.\.\.(?=\s|$)/m.exec(text.slice(from))
  return marker === null ? text.length : from + marker.index
}

/** The start of the comment lines right above a line; the line itself where there are none. */
function commentStart(text: string, line: number): number {
  let at = line
  while (at > 0) {
    const above = lineStart(text, at - 1)
    if (!/^[ \t]*#/.test(text.slice(above, at))) break
    at = above
  }
  return at
}

/** Whether an empty line sets a pair, with the comments that belong to it, apart from what stands above. */
function hasBlankLineAbove(text: string, at: number): boolean {
  const start = commentStart(text, lineStart(text, at))
  return start > 0 && text.slice(lineStart(text, start - 1), start).trim() === ''
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

function lineEnd(text: string, at: number): number {
  if (at > 0 && text[at - 1] === '\n') return at
  const found = text.indexOf('\n', at)
  return found === -1 ? text.length : found + 1
}

function eol(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

function insertion(at: number, text: string): TextChange {
  return { start: at, end: at, text }
}

/** Whole lines, also where the text before has no line end. */
function lineInsertion(text: string, at: number, lines: string): TextChange {
  const broken = at === 0 || text[at - 1] === '\n'
  return insertion(at, `${broken ? '' : eol(text)}${lines}${eol(text)}`)
}
