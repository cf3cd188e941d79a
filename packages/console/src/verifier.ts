import { listOf, object, oneOf, orNull, text, flag, number, ShapeMismatch } from './shape.ts'
import type { Shaped } from './shape.ts'

const finding = object({
  outcome: oneOf('proven', 'self-signed', 'keyless', 'refuted', 'unsupported'),
  checks: listOf(object({ title: text, passed: flag, made: flag, detail: text })),
  checkpoint: orNull(object({ origin: text, size: number })),
})

/** What checking a proof in this browser came to. */
export type Finding = Shaped<typeof finding>

/**
 * Checks a proof bundle in this browser, with the verifier that the service publishes beside its verification page: one
 * file that is written apart from the service's own.
 *
 * @param keys the log's keys by the reader's own knowledge; none: those in the bundle, which prove nobody
 */
export async function verifyHere(bundle: string, keys: readonly string[]): Promise<Finding> {
  const address = '/log/verify.js'
  const verifier: unknown = await import(/* @vite-ignore */ address)
  if (!isVerifier(verifier)) throw new ShapeMismatch(address, 'a verifier')
  return finding(await verifier.verifyText(bundle, keys), '')
}

interface Verifier {
  verifyText(bundle: string, keys: readonly string[]): Promise<unknown>
}

function isVerifier(value: unknown): value is Verifier {
  return (
    typeof value === 'object' &&
    value !== null &&
    'verifyText' in value &&
    typeof value.verifyText === 'function'
  )
}
