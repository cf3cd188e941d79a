import type { PersonId } from '../model/ids.ts'
import { nameLengthMax } from '../model/limits.ts'

// Without what only quoted names and lists have: `mailto:ann@example.com` would be somebody else than ann@example.com.
const letters = String.raw`[^\s\p{C}@:;,<>()[\]"\\]`

/** A bare e-mail address such as ann@example.com, as the source of a regular expression with the flag `u`. */
export const bareAddress = `${letters}+@${letters}+(?<![.])`

const address = new RegExp(`^${bareAddress}$`, 'u')

/**
 * The person whom an e-mail address names, however its letters are written: composed (NFC), lower case, without white space
 * around it. Undefined for what is no bare address of at most `nameLengthMax` characters.
 */
export function personIdOf(text: string): PersonId | undefined {
  const id = text.trim().normalize('NFC').toLowerCase().normalize('NFC')
  return address.test(id) && id.length <= nameLengthMax ? (id as PersonId) : undefined
}
