import type { ReactNode } from 'react'
import { fieldsOf, jsonText } from '@bailiwick/core/words'
import type { Field, Presentation } from '@bailiwick/core/words'
import type { Missing } from '../missing.ts'
import { unreachable } from '../unreachable.ts'
import { readTime } from '../wording.ts'
import { Masked } from './reveal.tsx'

const whyNoData: Readonly<Record<Missing, string>> = {
  erased: 'Erased. The record of the call stays, and can still be verified.',
  sealed:
    'Sealed, and the service cannot open it: it lacks the payload key, or a stored key was changed. The record can still be verified.',
  malformed: 'Not stored: the call was malformed. Its record can still be verified.',
}

/** The members of an object as a list of names and values, with the exact JSON one click away. */
export function Fields({
  root,
  data,
  presentation,
  missing,
  isLarge = false,
}: {
  readonly root: 'params' | 'context'
  /** Null: erased on someone's request, sealed, or never stored because the call was malformed. */
  readonly data: Readonly<Record<string, unknown>> | null
  readonly presentation: Presentation
  readonly missing: Missing
  /** Where the values are what the page is about. */
  readonly isLarge?: boolean
}) {
  const what = root === 'params' ? 'parameters' : 'context'
  if (data === null) {
    return <p className="quiet">{whyNoData[missing]}</p>
  }
  const fields = fieldsOf(data, `/${root}`, presentation)
  if (fields.length === 0) return <p className="quiet">No {what}.</p>
  return (
    <>
      <FieldList fields={fields} className={isLarge ? 'fields fields-large' : 'fields'} />
      <details className="raw">
        <summary>Exact JSON</summary>
        <Code label={`Exact JSON of the ${what}`}>{jsonText(data)}</Code>
      </details>
    </>
  )
}

function FieldList({ fields, className }: { readonly fields: readonly Field[]; readonly className: string }) {
  return (
    <dl className={className}>
      {fields.map((field) => (
        <div key={field.name} className={`field field-${field.kind}`}>
          <dt title={field.name}>{field.label}</dt>
          <dd>
            <FieldValue field={field} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

function FieldValue({ field }: { readonly field: Field }) {
  switch (field.kind) {
    case 'group':
      return <FieldList fields={field.fields} className="fields fields-nested" />
    case 'list':
      return (
        <ul className="field-items">
          {field.items.map((item, at) => (
            // Items have no name of their own, and never change places.
            <li key={at}>
              <OutsideText text={item} />
            </li>
          ))}
        </ul>
      )
    case 'json':
      return <Code label={field.label}>{field.value}</Code>
    case 'absent':
      return <em className="quiet">{field.value}</em>
    case 'number':
      return <span className="number">{field.value}</span>
    case 'date':
      return <DateValue text={field.value} />
    case 'long':
      return <LongText text={field.value} />
    case 'masked':
      return <Masked pointer={field.pointer} label={field.label} />
    case 'text':
      return <OutsideText text={field.value} />
    default:
      return unreachable(field)
  }
}

/** A day or an instant. As it was sent, too: what a day or an hour is depends on where one reads it. */
export function DateValue({ text }: { readonly text: string }) {
  return (
    <>
      <time dateTime={text}>{readTime(text)}</time> <span className="as-sent">{text}</span>
    </>
  )
}

const foldedLength = 160

function LongText({ text }: { readonly text: string }) {
  const start = text.slice(0, foldedLength).trimEnd()
  return (
    <details className="long-text">
      <summary>
        <span className="long-start">
          <OutsideText text={start} />…
        </span>
        <span className="long-more">{text.length.toLocaleString('en')} characters: show all of it</span>
      </summary>
      <OutsideText text={text} />
    </details>
  )
}

/** Text by others: isolated, so that it cannot rearrange what stands beside it, its escapes set apart. */
export function OutsideText({ text }: { readonly text: string }) {
  const parts = text.split(/(\\u\{[0-9a-f]+\})/)
  return (
    <bdi>
      {parts.map((part, index) =>
        // Every second part is an escape, because the pattern captures.
        index % 2 === 0 ? (
          part
        ) : (
          <mark key={index} className="escape" title="A character that can’t be seen">
            {part}
          </mark>
        ),
      )}
    </bdi>
  )
}

/** A block of code that scrolls by itself, also from the keyboard. */
export function Code({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <pre className="code" role="region" aria-label={label} tabIndex={0}>
      <code>{children}</code>
    </pre>
  )
}
