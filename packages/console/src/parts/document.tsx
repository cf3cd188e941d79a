import type { ReactNode } from 'react'
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
  title,
  note,
  children,
}: {
  readonly title: string
  /** Where the content comes from, beside the title. */
  readonly note?: string
  readonly children: ReactNode
}) {
  return (
    <section className="section panel">
      <div className="section-head">
        <h2>{title}</h2>
        {note !== undefined && <span className="section-note">{note}</span>}
      </div>
      {children}
    </section>
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
