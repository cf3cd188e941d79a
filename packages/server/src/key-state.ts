import type { Instant } from '@bailiwick/core'
import type { ListedKey } from '@bailiwick/store'

/** Whether a key opens anything: `good`, or why not. */
export type KeyState = 'good' | 'ended' | 'revoked'

/** A key as it is listed, with whether it is good at an instant. */
export type StatedKey = ListedKey & { readonly state: KeyState }

/** Says of each key whether it is good at this instant. */
export function withStates(keys: readonly ListedKey[], now: Instant): StatedKey[] {
  return keys.map((key) => ({ ...key, state: stateOf(key, now) }))
}

function stateOf({ revokedAt, expiresAt }: ListedKey, now: Instant): KeyState {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && Date.parse(expiresAt) <= now ? 'ended' : 'good'
}
