import {
  appendLeaves,
  consistencyProof,
  createLogKey,
  emptyFrontier,
  frontierRoot,
  leafHash,
  loadLogKey,
  signCheckpoint,
  type Hash,
} from '@bailiwick/core'

const origin = 'bailiwick.local/main'
const key = loadLogKey(origin, createLogKey(origin).privateKeyPem)

/** A log that lives in memory, with a real key, tree and proofs. */
export class TestLog {
  static readonly verifierKey = key.verifierKey
  readonly #leaves: Hash[] = []

  /** @param seed two logs with different seeds share no record */
  constructor(
    readonly seed: string,
    size: number,
  ) {
    this.grow(size)
  }

  grow(by: number): void {
    for (let at = 0; at < by; at++) this.#leaves.push(leafHash(`${this.seed} ${this.#leaves.length}`))
  }

  readonly checkpoint = async (): Promise<{ note: string; size: number }> => {
    const head = appendLeaves(emptyFrontier, this.#leaves)
    const checkpoint = { origin, size: head.size, root: frontierRoot(head) }
    return { note: signCheckpoint(checkpoint, key.signer), size: head.size }
  }

  readonly proof = async (from: number, to: number): Promise<string[]> =>
    consistencyProof(this.#leaves.slice(0, to), from, to).map((hash) => hash.toString('base64'))
}
