import { useEffect, useRef, useState } from 'react'
import { Dialog } from './dialog.tsx'

/** Something that is shown this once: a key, a sign-in link. */
export function SecretDialog({
  title,
  secret,
  advice,
  onClose,
}: {
  readonly title: string
  readonly secret: string
  readonly advice: string
  readonly onClose: () => void
}) {
  const field = useRef<HTMLInputElement>(null)
  const [isCopied, setCopied] = useState(false)
  useEffect(() => field.current?.select(), [])
  const copy = async (): Promise<void> => {
    field.current?.select()
    await navigator.clipboard.writeText(secret)
    setCopied(true)
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{advice}</p>
      <label className="comment">
        <span>Shown this once</span>
        <input ref={field} type="text" readOnly value={secret} className="secret" />
      </label>
      <div className="dialog-buttons">
        {'clipboard' in navigator && (
          <button
            type="button"
            className="button button-primary"
            onClick={() => void copy().catch(() => setCopied(false))}
          >
            {isCopied ? 'Copied' : 'Copy'}
          </button>
        )}
        <button type="button" className="button" onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  )
}
