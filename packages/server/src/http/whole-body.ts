import { Fault } from '@bailiwick/core'

/**
 * What reading a body gives, of one that came whole.
 *
 * @throws Fault `bad_input` where it did not
 */
export async function wholeBody<Body>(reading: Promise<Body>): Promise<Body> {
  try {
    return await reading
  } catch (error) {
    throw bodyEndedEarly(error)
  }
}

/** What is wrong where a body cannot be read to its end. Connections of clients break with the same codes as those of the database. */
export function bodyEndedEarly(cause: unknown): Fault {
  return new Fault('bad_input', 'the request body ended early', { fix: 'Send the request again.', cause })
}
