import { Fault } from '../model/fault.ts'
import { emptyRoot, hashBytes } from './frontier.ts'
import type { Hash } from './frontier.ts'
import { decodeBase64, openNote, signNote } from './signed-note.ts'
import type { NoteSigner } from './signed-note.ts'

export { createLogKey, isEncryptedKey, loadLogKey, reencryptLogKey, verifierKey } from './signed-note.ts'
export type { NoteSigner } from './signed-note.ts'

/** What a log promises when it signs: its first `size` records have this root, for ever. */
export interface Checkpoint {
  /** Which log: unique in the world, such as `example.com/ledger`. */
  readonly origin: string
  readonly size: number
  readonly root: Hash
}

/**
 * The three lines that are signed: origin, size, base64 root.
 *
 * @throws Fault `bad_input` for an origin that is empty or has line breaks, a size that is none, a root not of 32 bytes
 * @see https://c2sp.org/tlog-checkpoint
 */
export function checkpointBody({ origin, size, root }: Checkpoint): string {
  const isSize = Number.isSafeInteger(size) && size >= 0
  if (origin === '' || origin.includes('\n') || !isSize || root.length !== hashBytes) {
    throw new Fault('bad_input', 'a checkpoint needs an origin on one line, a size and a root of 32 bytes', {
      fix: 'Make checkpoints from a committed head only.',
    })
  }
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`
}

/**
 * The checkpoint as a signed note. Only a committed head may be signed: the note contradicts every log that does not
 * contain it.
 */
export function signCheckpoint(checkpoint: Checkpoint, ...signers: readonly NoteSigner[]): string {
  return signNote(checkpointBody(checkpoint), ...signers)
}

/**
 * The checkpoint inside a signed note. Extension lines are allowed and ignored, and so are signatures by unknown keys.
 * The origin is the signer's word: compare it with the log you mean.
 *
 * @param verifierKeys keys as `verifierKey` writes them; one of them must have signed
 * @throws Fault `log_broken` for a note that is malformed or not signed so; `bad_input` for a malformed key
 */
export function openCheckpoint(note: string, verifierKeys: readonly string[]): Checkpoint {
  const [origin = '', sizeText = '', rootText = '', ...extensions] = openNote(note, verifierKeys)
    .slice(0, -1)
    .split('\n')
  const size = Number(sizeText)
  const root = decodeBase64(rootText)

  const hasSize = /^(0|[1-9][0-9]*)$/.test(sizeText) && Number.isSafeInteger(size)
  const hasRoot = root?.length === hashBytes && (size > 0 || root.equals(emptyRoot()))
  if (origin === '' || !hasSize || !hasRoot || extensions.includes('')) {
    throw new Fault('log_broken', 'the note is signed, but is no checkpoint', {
      fix: 'Give a checkpoint: origin, size and base64 root on three lines.',
    })
  }
  return { origin, size, root }
}
