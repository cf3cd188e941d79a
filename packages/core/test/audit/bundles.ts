import { createLogKey, loadLogKey, signCheckpoint } from '../../src/audit/checkpoint.ts'
import { appendLeaves, emptyFrontier, frontierRoot, leafHash } from '../../src/audit/frontier.ts'
import { inclusionProof } from '../../src/audit/merkle.ts'
import { proofBundleFormat, type ProofBundle } from '../../src/audit/proof-bundle.ts'
import { storedLog } from './stored-log.ts'

/** The log of these bundles. */
export const origin = 'log.example.com/main'
const key = createLogKey(origin)
const { signer } = loadLogKey(origin, key.privateKeyPem)
/** Its key, and one of the same name that is not its own. */
export const { verifierKey } = key
export const otherKey = createLogKey(origin).verifierKey
/** What it holds. */
export const entries = storedLog(23)
export const leaves = entries.map(({ record }) => leafHash(record))

/** Its checkpoint at a size. */
export function noteAt(size: number): string {
  const root = frontierRoot(appendLeaves(emptyFrontier, leaves.slice(0, size)))
  return signCheckpoint({ origin, size, root }, signer)
}

/** A bundle as it should be, with the payload where there is one. */
export function bundleOf(index: number, size = entries.length): ProofBundle {
  const entry = entries[index]
  if (entry === undefined) throw new Error('no such entry')
  const { record, payload } = entry
  return {
    format: proofBundleFormat,
    index,
    record,
    payload:
      typeof payload === 'string'
        ? { state: payload }
        : { state: 'included', salt: Buffer.from(payload.salt).toString('hex'), body: payload.body },
    size,
    proof: inclusionProof(leaves, index, size).map((hash) => hash.toString('base64')),
    checkpoint: noteAt(size),
    verifierKeys: [verifierKey],
  }
}
