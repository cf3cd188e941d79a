import { createContext, useContext, useEffect, useMemo, useRef, useState } from 'react'
import type { ReactNode } from 'react'
import { useMutation } from '@tanstack/react-query'
import { jsonText } from '@bailiwick/core/words'
import type { Revealed } from '../api.ts'
import { useApi } from '../queries.ts'
import { visibleText } from '../wording.ts'
import { ReasonDialog } from './dialog.tsx'
import { Icon } from './icons.tsx'

interface Revealing {
  readonly decision: string
  readonly isAllowed: boolean
  readonly shown: ReadonlyMap<string, Revealed>
  readonly onShown: (pointer: string, revealed: Revealed) => void
}

const RevealingContext = createContext<Revealing | null>(null)

/**
 * Lets people who are entitled see what is masked in the call of one decision. What they were shown is kept as long as
 * the page is, and in no cache.
 */
export function RevealingFor({
  decision,
  isAllowed,
  children,
}: {
  readonly decision: string
  readonly isAllowed: boolean
  readonly children: ReactNode
}) {
  const [shown, setShown] = useState<ReadonlyMap<string, Revealed>>(new Map())
  const revealing = useMemo(
    () => ({
      decision,
      isAllowed,
      shown,
      onShown: (pointer: string, revealed: Revealed) =>
        setShown((before) => new Map([...before, [pointer, revealed]])),
    }),
    [decision, isAllowed, shown],
  )
  return <RevealingContext value={revealing}>{children}</RevealingContext>
}

/** A value that the policy calls sensitive, where it is not to be seen. */
export function Hidden() {
  return (
    <span className="hidden-value">
      <Icon name="masked" />
      Hidden
    </span>
  )
}

/** The same, with the way to see it for whoever is entitled. */
export function Masked({ pointer, label }: { readonly pointer: string; readonly label: string }) {
  const revealing = useContext(RevealingContext)
  const [isAsking, setAsking] = useState(false)
  const revealed = revealing?.shown.get(pointer)
  if (revealed !== undefined) return <RevealedValue revealed={revealed} />
  if (revealing === null) return <Hidden />
  if (!revealing.isAllowed) {
    return (
      <span className="masked">
        <Hidden />
        <span className="masked-why">for people who are asked about this call, and for auditors</span>
      </span>
    )
  }
  return (
    <span className="masked">
      <Hidden />
      <button
        type="button"
        className="button button-small"
        aria-label={`Reveal ${label}`}
        onClick={() => setAsking(true)}
      >
        Reveal
      </button>
      {isAsking && (
        <RevealDialog
          pointer={pointer}
          label={label}
          revealing={revealing}
          onClose={() => setAsking(false)}
        />
      )}
    </span>
  )
}

function RevealDialog({
  pointer,
  label,
  revealing,
  onClose,
}: {
  readonly pointer: string
  readonly label: string
  readonly revealing: Revealing
  readonly onClose: () => void
}) {
  const api = useApi()
  const reveal = useMutation({
    mutationFn: (reason: string) => api.reveal(revealing.decision, pointer, reason),
    onSuccess: (revealed) => {
      revealing.onShown(pointer, revealed)
      onClose()
    },
  })
  return (
    <ReasonDialog
      title={`Reveal “${label}”?`}
      label="Why you need to see it"
      button="Reveal and record"
      isPending={reveal.isPending}
      error={reveal.error}
      onSubmit={(reason) => reveal.mutate(reason)}
      onClose={onClose}
    >
      <p>
        The policy calls this value sensitive. That you have seen it, and why, is written into the log, where
        others can read it.
      </p>
    </ReasonDialog>
  )
}

function RevealedValue({ revealed: { value, record } }: { readonly revealed: Revealed }) {
  const place = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    // The button that asked for it has gone, and the focus with it.
    if (document.activeElement === document.body) place.current?.focus()
  }, [])
  return (
    <span ref={place} tabIndex={-1} className="revealed">
      <bdi>{typeof value === 'string' ? visibleText(value) : jsonText(value)}</bdi>
      <span className="masked-why" role="status">
        shown to you, as record {record.index} says
      </span>
    </span>
  )
}
