import { hash, randomBytes } from 'node:crypto'
import { Fault, readTimeStamp, timeStampRequest, type TimeStamp } from '@bailiwick/core'
import { postPlain } from '../delivery/http-post.ts'

const nonceBytes = 8
const responseBytesMax = 64 * 1024

/**
 * Has a checkpoint time-stamped by an authority (RFC 3161 over HTTP).
 *
 * @param note the signed checkpoint, whose bytes are stamped
 * @throws Fault where no answer came, it was refused, or it is about something else
 */
export async function timeStamped(url: URL, note: string, allowPrivate: boolean): Promise<TimeStamp> {
  const digest = hash('sha256', note, 'buffer')
  const nonce = randomBytes(nonceBytes)
  const { status, body } = await postPlain({
    url,
    headers: { 'content-type': 'application/timestamp-query' },
    body: timeStampRequest(digest, nonce),
    allowPrivate,
    responseBytesMax,
  })
  if (status === 200 && body !== undefined) return readTimeStamp(body, digest, nonce)
  throw new Fault('service_unreachable', `the time-stamping authority answered ${status}`, {
    fix: 'Check BAILIWICK_TSA_URL.',
  })
}
