import { CelFailure } from '../value.ts'
import type { LibraryFunction } from './entry.ts'
import { free } from './forms.ts'
import { readingSteps } from './limits.ts'

/** The longest address that mail takes, in characters, and the longest part before the `@`. */
const emailUnitsMax = 254
const localUnitsMax = 64

/** Words with single dots between them. `%` and `!` are left out: mail servers once took them for further hops. */
const local = /^[\w#$&'*+/=?^`{|}~-]+(?:\.[\w#$&'*+/=?^`{|}~-]+)*$/
/** Two labels or more, the last of which begins with a letter. */
const domain = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/

/**
 * The domain of an address in lower case. Undefined for all but one plain address in ASCII: no name or angle brackets
 * around it, no quotes, comments, white space or second `@`, no letters that only look like others.
 */
function parseEmailDomain(text: string): string | undefined {
  if (text.length > emailUnitsMax) return undefined
  const at = text.indexOf('@')
  if (at < 1 || at > localUnitsMax || !local.test(text.slice(0, at))) return undefined
  const written = text.slice(at + 1)
  // Lower case is made of ASCII alone: the Kelvin sign becomes a k elsewhere.
  const name = /^[\w.-]+$/.test(written) ? written.toLowerCase() : ''
  return domain.test(name) ? name : undefined
}

function emailDomain(text: string): string | CelFailure {
  return parseEmailDomain(text) ?? new CelFailure('needs one plain e-mail address such as ann@example.com')
}

const cost = (text = 0): number => 2 + readingSteps(text)

/** E-mail addresses in texts. `isEmail` answers false where `emailDomain` fails. */
export const emailFunctions: readonly LibraryFunction[] = [
  free('isEmail', ['string'], 'bool', (text: string) => parseEmailDomain(text) !== undefined, {
    cost,
    resultSize: () => 1,
  }),
  free('emailDomain', ['string'], 'string', emailDomain, { cost }),
]
