import type { MouseEvent, ReactNode } from 'react'
import { Link } from '../router.tsx'
import { Icon } from './icons.tsx'

/** The way back to the list that a page belongs to. */
export function Back({ to, children }: { readonly to: string; readonly children: ReactNode }) {
  return (
    <Link to={to} className="back">
      <Icon name="back" />
      {children}
    </Link>
  )
}

/** A titled part of a page. */
export function Section({
  id,
  title,
  note,
  children,
}: {
  /** For links to it. */
  readonly id?: string
  readonly title: string
  /** Where the content comes from, beside the title. */
  readonly note?: string
  readonly children: ReactNode
}) {
  return (
    <section id={id} className="section panel" tabIndex={id === undefined ? undefined : -1}>
      <div className="section-head">
        <h2>{title}</h2>
        {note !== undefined && <span className="section-note">{note}</span>}
      </div>
      {children}
    </section>
  )
}

/** The ways to the parts of a long page, by the ids of their elements. */
export function PageParts({ parts }: { readonly parts: readonly (readonly [string, string])[] }) {
  const go = (event: MouseEvent, id: string): void => {
    event.preventDefault()
    const part = document.getElementById(id)
    part?.scrollIntoView({ block: 'start' })
    part?.focus({ preventScroll: true })
  }
  return (
    <nav className="page-parts" aria-label="On this page">
      {parts.map(([id, name]) => (
        <a key={id} href={`#${id}`} onClick={(event) => go(event, id)}>
          {name}
        </a>
      ))}
    </nav>
  )
}

/** A name and its value in a list of entries. */
export function Entry({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="entry">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
