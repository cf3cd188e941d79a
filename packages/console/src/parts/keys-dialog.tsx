import { changePreferences, usePreferences } from '../preferences.ts'
import { Dialog } from './dialog.tsx'

const keys: readonly { readonly keys: readonly string[]; readonly does: string }[] = [
  { keys: ['j'], does: 'to the next row, or the next approval that waits' },
  { keys: ['k'], does: 'to the previous one' },
  { keys: ['Enter'], does: 'opens the row' },
  { keys: ['x'], does: 'selects the row, to answer it together with others like it' },
  { keys: ['a'], does: 'opens the answer with “approve” or “acknowledge” chosen' },
  { keys: ['r'], does: 'opens the answer with “reject” chosen' },
  { keys: ['Escape'], does: 'takes the choice back; once more, goes back to the inbox' },
  { keys: ['?'], does: 'shows these keys' },
]

/** Which keys do what, and the way to turn them off: they are in the way of whoever speaks to the computer. */
export function KeysDialog({ onClose }: { readonly onClose: () => void }) {
  const preferences = usePreferences()
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="keys">
        {keys.map(({ keys: names, does }) => (
          <div key={does}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p className="quiet small">No key gives an answer: that takes the button below it.</p>
      <label className="switch">
        <input
          type="checkbox"
          checked={preferences.keys}
          onChange={(event) => changePreferences({ keys: event.target.checked })}
        />
        <span>Shortcuts of one letter on this device</span>
      </label>
      <div className="dialog-buttons">
        <button type="button" className="button button-primary" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  )
}
