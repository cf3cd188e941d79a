/** How a fact is looked up in another system, before the call is decided. */
export type Lookup = HttpLookup | SqlLookup

/** A value of the call, by its path: `['params', 'customer_id']`. */
export type CallPath = readonly string[]

/** A GET request whose answer is JSON. */
export interface HttpLookup {
  readonly kind: 'http'
  /** Text of the URL and values of the call, in turns. The text holds at least scheme, host and a slash. */
  readonly url: readonly (string | CallPath)[]
  /** Where the value stands in the answer; empty: the answer itself. */
  readonly select: readonly string[]
  readonly timeoutMs: number
  /** For how long an answer may be used again; 0: not at all. */
  readonly cacheMs: number
}

/** A query that gives one row with one column. */
export interface SqlLookup {
  readonly kind: 'sql'
  /** The data source's name in the service's configuration. */
  readonly source: string
  /** With `$1`, `$2` … for the arguments. */
  readonly text: string
  readonly args: readonly CallPath[]
  readonly timeoutMs: number
  readonly cacheMs: number
}
