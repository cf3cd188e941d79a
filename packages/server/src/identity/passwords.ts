import { hash, verify } from '@node-rs/argon2'
import { Fault } from '@bailiwick/core'
import { Turns } from '../lookup/turns.ts'

/** Argon2id as the OWASP Password Storage Cheat Sheet has it: 19 MiB, two passes, one lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const current = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/
const lengthMin = 12
const lengthMax = 128
/** So many hashes are worked out at once, and so many wait: each takes its memory. */
const atOnce = 4
const waitingMax = 64

/** Hashes and checks passwords. */
export class Passwords {
  readonly #turns = new Turns(atOnce, waitingMax)
  #nobodys: Promise<string> | undefined

  /** What is kept of a password. @throws Fault `bad_input` where it is too short, too long or no text */
  async hash(password: string, person: string): Promise<string> {
    const text = normalized(password)
    const length = Array.from(text).length
    if (length < lengthMin || length > lengthMax || /\p{Surrogate}/u.test(text)) {
      throw new Fault('bad_input', `the password must have ${lengthMin} to ${lengthMax} characters`, {
        fix: 'Choose another one; several words are easy to remember.',
      })
    }
    if (text.toLowerCase().includes(person) || /^(.)\1*$/u.test(text)) {
      throw new Fault('bad_input', 'the password is too easy to guess', {
        fix: 'Choose one that is neither your address nor one character over and over.',
      })
    }
    return await this.#inTurn(() => hash(text, parameters))
  }

  /**
   * Whether a password is the one that was hashed. Without a hash, as for an account that is not there, the same work is
   * done for nothing, so that the time an answer takes tells nobody which accounts there are.
   */
  async isRight(kept: string | undefined, password: string): Promise<boolean> {
    const against = kept ?? (await (this.#nobodys ??= this.#inTurn(() => hash('nobody', parameters))))
    const right = await this.#inTurn(() => verify(against, normalized(password)).catch(() => false))
    return kept !== undefined && right
  }

  /** Whether a hash was made with other parameters than those of now. */
  isDated(kept: string): boolean {
    return !current.test(kept)
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = await this.#turns.take(new AbortController().signal)
    if (turn === 'too_many' || turn === 'given_up') {
      throw new Fault('store_busy', 'too many people sign in at once', { fix: 'Try again in a moment.' })
    }
    try {
      return await work()
    } finally {
      this.#turns.leave()
    }
  }
}

// Two keyboards may send one password as different code points.
function normalized(password: string): string {
  return password.normalize('NFKC')
}
