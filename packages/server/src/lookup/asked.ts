/** What asking a source came to. */
export type Asked<Value> = Got<Value> | Failed

export interface Got<Value> {
  readonly kind: 'got'
  readonly value: Value
  /** How large the answer was. */
  readonly bytes: number
}

export interface Failed {
  readonly kind: 'failed'
  /** For the log and for people: a sentence that begins with the source and holds no value and no secret. */
  readonly why: string
  /**
   * `source`: it is unwell, and others who ask it would fare no better. `question`: it has answered, only not with
   * what was wanted. Agents choose what is asked, and must not be able to make a source look unwell by asking for what
   * is not there.
   */
  readonly blame: 'source' | 'question'
}

/** The source did not do its part. */
export function sourceFailed(why: string): Failed {
  return { kind: 'failed', why, blame: 'source' }
}

/** The question got no usable answer. */
export function questionFailed(why: string): Failed {
  return { kind: 'failed', why, blame: 'question' }
}

/** No answer within the time that the policy gives. */
export function timedOut(source: string, timeoutMs: number): Failed {
  return sourceFailed(`${source} gave no answer within ${timeoutMs} ms`)
}
