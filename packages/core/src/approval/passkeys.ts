import type { AccessRecord } from '../model/record.ts'
import type { RegisteredPasskey } from '../model/passkey.ts'

/** A passkey as of one place of the log. */
export interface PasskeyState {
  readonly key: RegisteredPasskey
  readonly person: string
  /** The index of the record that registered it. */
  readonly registered: number
  /** The index of the record that removed it, or its person. */
  readonly removed: number | null
  /** The highest counter that it has signed with. */
  readonly signCount: number
}

/** The passkey that a record of access registers or removes; undefined where it says none, or not all of it. */
export function passkeyOf({ passkey }: Pick<AccessRecord, 'passkey'>): RegisteredPasskey | undefined {
  return isAllText(passkey, ['id', 'publicKey', 'rpId', 'origin']) ? passkey : undefined
}

/** Whether all of these members are texts: parsing a record says nothing of what is inside its objects. */
export function isAllText<T extends object>(value: T | undefined, members: readonly (keyof T)[]): value is T {
  return value !== undefined && members.every((member) => typeof value[member] === 'string')
}

/**
 * Lets a record of access change which passkeys there are, by the ids of their credentials.
 *
 * @returns what is wrong with the record, where it cannot
 */
export function followPasskeys(known: Map<string, PasskeyState>, record: AccessRecord): string | undefined {
  const { event, subject, index } = record
  if (event === 'person_removed') {
    for (const [id, state] of known) {
      if (state.person === subject && state.removed === null) known.set(id, { ...state, removed: index })
    }
    return undefined
  }
  if (event !== 'passkey_registered' && event !== 'passkey_removed') return undefined
  const key = passkeyOf(record)
  if (key === undefined) return 'names no passkey that can be read'
  const state = known.get(key.id)
  if (event === 'passkey_registered') {
    if (state !== undefined) return 'registers a passkey that was registered before'
    known.set(key.id, { key, person: subject, registered: index, removed: null, signCount: 0 })
    return undefined
  }
  if (state?.person !== subject || state.removed !== null) return 'removes a passkey that was not registered'
  known.set(key.id, { ...state, removed: index })
  return undefined
}
