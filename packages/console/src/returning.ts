const key = 'bailiwick:return-to'

/** Remembers the page that was asked for, in this tab only, until someone has signed in. */
export function rememberReturn(address: string): void {
  window.sessionStorage.setItem(key, address)
}

/** The remembered page, once; `/` where there is none. Only paths of this console count. */
export function takeReturn(): string {
  const address = window.sessionStorage.getItem(key)
  window.sessionStorage.removeItem(key)
  return address !== null && /^\/(?!\/)/.test(address) ? address : '/'
}

let looked: string | null = null

/** Remembers the document that a person looked at, until they are back at its list. */
export function rememberLooked(address: string): void {
  looked = address
}

/** The document that was looked at last, once; null where there is none. */
export function lastLooked(): string | null {
  const address = looked
  looked = null
  return address
}
