import { questionFailed, type Failed } from './asked.ts'
import { addressLengthMax } from './limits.ts'
import type { HttpSource } from './settings.ts'

/** An address that may be asked. */
export interface Target {
  readonly kind: 'target'
  readonly url: URL
  readonly source: HttpSource
}

// Scheme and authority without user or password, path, query; no fragment.
const plainAddress = /^(https?:\/\/[^/?#@]+)(\/[^?#]*)(?:\?([^#]*))?$/i
// `URL` would remove some of these and read others as slashes.
const neverInAddress = /[\s\p{C}\p{Surrogate}\\]/u
const encodedControl = /%(?:[01][0-9a-f]|7f)/i
/** How often values may have been encoded: by us, and once by whoever made them. */
const decodingsMax = 3

/**
 * The address of a lookup, if its origin is one that the operator allows and the values of the call that were filled
 * in stay within the part of the path that they were put into.
 *
 * The address comes as one text, so no segment of the path may hold an encoded slash, backslash, question mark or
 * hash, or stand for the segment above, also where it was encoded twice: there are servers that decode once more.
 */
export function targetOf(address: string, sources: ReadonlyMap<string, HttpSource>): Target | Failed {
  const [, authority = '', path = '', query = ''] = plainAddress.exec(address) ?? []
  if (authority === '' || address.length > addressLengthMax || neverInAddress.test(address)) {
    return questionFailed('the address of the lookup is not a plain http or https URL')
  }
  const url = URL.canParse(address) ? new URL(address) : undefined
  const source = url && sources.get(url.origin)
  if (url === undefined || source === undefined) {
    return questionFailed(`${url?.origin ?? 'the address'} is not among the hosts that lookups may ask`)
  }
  const segments = path.slice(1).split('/')
  if (segments.some(leavesItsPlace) || encodedControl.test(address) || decoded(query) === undefined) {
    return questionFailed(`${source.name} was not asked: a value does not fit into the address`)
  }
  return { kind: 'target', url, source }
}

/** Whether a segment of a path could be read as another path. */
function leavesItsPlace(segment: string): boolean {
  let text = segment
  for (let round = 0; round < decodingsMax; round++) {
    // With a semicolon, too: some servers take what follows for parameters of the segment.
    if (/^\.\.?(?:;|$)/.test(text) || /[/\\?#]/.test(text)) return true
    const next = decoded(text)
    // Not encoded any more, as `100%` is not once it was decoded. As it came, it has to be well-formed.
    if (next === undefined) return round === 0
    if (next === text) return false
    text = next
  }
  return true
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
