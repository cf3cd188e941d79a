import { Fault } from '../model/fault.ts'
import { isSize } from './frontier.ts'
import { proofBundleFormat, proofBundleLengthMax, type ProofBundle } from './proof-bundle.ts'
import { parseRecord } from './record-shape.ts'
import { decodeBase64 } from './signed-note.ts'

const firstLine = 'c2sp.org/tlog-proof@v1'

/** Whether a text says that it is a C2SP tlog-proof. */
export function isTlogProof(text: string): boolean {
  return text.startsWith(`${firstLine}\n`)
}

/**
 * The bundle as a C2SP tlog-proof, which other tools read. Its extra data is the record; payload and keys have no
 * place in it.
 *
 * @throws Fault `bad_input` for a bundle without a checkpoint
 * @see https://c2sp.org/tlog-proof
 */
export function tlogProofText({ index, record, proof, checkpoint }: ProofBundle): string {
  if (checkpoint === null) {
    throw new Fault('bad_input', 'a tlog-proof needs a checkpoint', {
      fix: 'Ask for the proof at the size of a published checkpoint.',
    })
  }
  const extra = Buffer.from(record).toString('base64')
  return [firstLine, `extra ${extra}`, `index ${index}`, ...proof, '', checkpoint].join('\n')
}

/**
 * The bundle that a C2SP tlog-proof is, where its extra data is the record. It has no keys of its own.
 *
 * @throws Fault `bad_input` for what is none
 */
export function parseTlogProof(text: string): ProofBundle {
  if (text.length > proofBundleLengthMax || !isTlogProof(text)) throw notProof('its first line is another')
  const end = text.indexOf('\n\n')
  const [, extraLine = '', indexLine = '', ...proof] = text.slice(0, Math.max(end, 0)).split('\n')
  const extra = /^extra ([A-Za-z0-9+/=]+)$/.exec(extraLine)?.[1]
  const bytes = extra === undefined ? undefined : decodeBase64(extra)
  if (bytes === undefined) throw notProof('it does not carry the record as its extra data')
  const index = Number(/^index (0|[1-9][0-9]*)$/.exec(indexLine)?.[1] ?? Number.NaN)
  if (!isSize(index)) throw notProof('it has no index')
  const record = utf8Text(bytes)
  const checkpoint = text.slice(end + 2)
  return {
    format: proofBundleFormat,
    index,
    record,
    payload: { state: commitmentOf(record) === null ? 'none' : 'withheld' },
    // What the note says once its signature is checked; a text that is no note fails there.
    size: Number(checkpoint.split('\n')[1] ?? Number.NaN),
    proof,
    checkpoint,
    verifierKeys: [],
  }
}

// What is no record fails in verification, which says so better.
function commitmentOf(record: string): string | null {
  try {
    return parseRecord(record).payload
  } catch (error) {
    if (error instanceof Fault) return null
    throw error
  }
}

function utf8Text(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw notProof('the record that it carries is not UTF-8', cause)
  }
}

function notProof(why: string, cause?: unknown): Fault {
  return new Fault('bad_input', `this is no tlog-proof of a record: ${why}`, {
    fix: 'Give a file that `bailiwick log prove --format tlog-proof` wrote, whole and unchanged.',
    cause,
  })
}
