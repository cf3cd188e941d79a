import { useSyncExternalStore } from 'react'

/** What a person has chosen on this device. Nothing secret: it lies in the browser's local storage. */
export interface Preferences {
  /** A sound for each new approval that the person may answer. */
  readonly sound: boolean
  /** A notification of the system for the same. */
  readonly notify: boolean
  /** Whether single letters do something. */
  readonly keys: boolean
}

const storageKey = 'bailiwick:preferences'
const defaults: Preferences = { sound: false, notify: false, keys: true }
const listeners = new Set<() => void>()
let known: Preferences | undefined

/** The preferences; the component renders again when they change. */
export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, preferences)
}

/** The preferences as they are now. */
export function preferences(): Preferences {
  known ??= read()
  return known
}

/** Changes some of them, for this page and the next ones. */
export function changePreferences(change: Partial<Preferences>): void {
  known = { ...preferences(), ...change }
  // Private windows may refuse to keep anything; then it holds for this page.
  try {
    window.localStorage.setItem(storageKey, JSON.stringify(known))
  } catch {
    // Nothing is lost but the choice.
  }
  for (const listener of listeners) listener()
}

function read(): Preferences {
  try {
    const kept: unknown = JSON.parse(window.localStorage.getItem(storageKey) ?? '{}')
    const chosen = (name: keyof Preferences): boolean => {
      const value: unknown =
        typeof kept === 'object' && kept !== null ? Object.getOwnPropertyDescriptor(kept, name)?.value : null
      return typeof value === 'boolean' ? value : defaults[name]
    }
    return { sound: chosen('sound'), notify: chosen('notify'), keys: chosen('keys') }
  } catch {
    // Somebody else's text, or no storage at all.
    return defaults
  }
}

function subscribe(changed: () => void): () => void {
  listeners.add(changed)
  return () => listeners.delete(changed)
}
