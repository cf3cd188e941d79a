import { parseDocument } from 'yaml'
import { jsonEqual } from '../params-schema/equality.ts'
import type { DocumentChange, DocumentEdit } from '../../model/document-edit.ts'
import { textChange } from './text-change.ts'

/** A file's text after edits. */
export interface EditedText {
  readonly text: string
  /** Those that were made, in the order in which they were. */
  readonly made: readonly DocumentEdit[]
  /** Those that could not be made without touching more than they say. */
  readonly left: readonly DocumentEdit[]
}

/**
 * Makes all edits that can be made. Comments and formatting of everything else stay as they are: after each edit the
 * text is read again, and the edit is taken back unless the content is the old one with exactly that change.
 */
export function editedText(text: string, edits: readonly DocumentEdit[]): EditedText {
  let now = text
  const made: DocumentEdit[] = []
  const left: DocumentEdit[] = []
  for (const edit of [...edits].sort(lastItemsFirst)) {
    const after = oneEdit(now, edit.change)
    if (after === undefined) left.push(edit)
    else {
      now = after
      made.push(edit)
    }
  }
  return { text: now, made, left }
}

// Removing an item moves those behind it.
function lastItemsFirst(a: DocumentEdit, b: DocumentEdit): number {
  return a.change.kind === 'remove' && b.change.kind === 'remove' ? indexOf(b.change) - indexOf(a.change) : 0
}

function indexOf({ item }: Extract<DocumentChange, { kind: 'remove' }>): number {
  return Number(item[item.length - 1])
}

function oneEdit(text: string, change: DocumentChange): string | undefined {
  const found = textChange(text, change)
  if (found === undefined) return undefined
  const after = `${text.slice(0, found.start)}${found.text}${text.slice(found.end)}`
  const read = contentOf(after)
  return read !== undefined && jsonEqual(read, changed(contentOf(text), change)) ? after : undefined
}

function contentOf(text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true, logLevel: 'silent' })
  return document.errors.length > 0 ? undefined : (document.toJS({ maxAliasCount: 100 }) as unknown)
}

/** The content as the change should leave it. */
function changed(content: unknown, change: DocumentChange): unknown {
  return change.kind === 'add'
    ? withMember(content, [...change.map, change.key], change.value)
    : withoutItem(content, change.item)
}

function withMember(
  content: unknown,
  [name, ...rest]: readonly (string | number)[],
  value: unknown,
): unknown {
  if (name === undefined) return value
  const members = isMap(content) ? content : {}
  const before = Object.hasOwn(members, name) ? members[name] : undefined
  return { ...members, [name]: withMember(before, rest, value) }
}

function withoutItem(content: unknown, [name, ...rest]: readonly (string | number)[]): unknown {
  if (name === undefined) return content
  if (Array.isArray(content) && rest.length === 0) return content.filter((_, at) => at !== name)
  return isMap(content) ? { ...content, [name]: withoutItem(content[name], rest) } : content
}

function isMap(value: unknown): value is Readonly<Record<string | number, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
