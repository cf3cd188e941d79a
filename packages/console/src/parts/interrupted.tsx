import { useEffect, useRef } from 'react'
import type { ReactNode } from 'react'
import { visibleText } from '../wording.ts'
import type { UnfinishedAnswer } from '../unfinished.ts'
import { Notice } from './notice.tsx'

/** On the page to sign in: what became of an answer when the session ended. Not what was written: anybody may sit here. */
export function NotGivenBefore({ unfinished: { approvals } }: { readonly unfinished: UnfinishedAnswer }) {
  const [only = '', ...more] = approvals
  const what = more.length === 0 ? visibleText(only) : `${approvals.length} calls`
  return (
    <Told>
      <Notice tone="bad" role="alert">
        <strong>Your answer to {what} was not given</strong>
        <p>
          Your session has ended.{' '}
          {more.length === 0
            ? 'Sign in in this tab, and you can go on where you were.'
            : 'Sign in, and choose these calls again.'}
        </p>
      </Notice>
    </Told>
  )
}

/** Where somebody goes on with an answer. */
export function Interrupted() {
  return (
    <Told>
      <Notice tone="bad" role="status">
        <strong>This answer was not given</strong>
        <p>Your session ended before. Look at it again, then confirm it.</p>
      </Notice>
    </Told>
  )
}

/** Whoever comes to the page is led here first, wherever it was scrolled to, and whatever else takes the focus. */
function Told({ children }: { readonly children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const frame = requestAnimationFrame(() => place.current?.focus())
    return () => cancelAnimationFrame(frame)
  }, [])
  return (
    <div ref={place} tabIndex={-1} className="vote-result told">
      {children}
    </div>
  )
}
