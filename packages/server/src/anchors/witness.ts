import { cosignatureOf, Fault, type Cosignature } from '@bailiwick/core'
import { postPlain, type Answered } from '../delivery/http-post.ts'
import type { Witness } from './settings.ts'

/** What a witness is shown. */
export interface Submission {
  /** The signed checkpoint. */
  readonly note: string
  readonly size: number
  /** The consistency proof between two sizes of this log, RFC 9162, each hash in base64. */
  proof(from: number, to: number): Promise<readonly string[]>
}

export interface WitnessPorts {
  readonly allowPrivate: boolean
  readonly timeoutMs?: number
}

/**
 * Has a checkpoint cosigned by one witness (C2SP tlog-witness). The witness remembers the last checkpoint that it saw;
 * where we do not know which that was, it says so, and is asked again once.
 *
 * @param seen the size that the witness cosigned last, as far as is known
 * @returns a cosignature that verifies
 * @throws Fault `service_unreachable` or `bad_input` where it gives none; `log_broken` where it has seen more records than
 *   there are, so that the log was rewound or forked
 * @see https://c2sp.org/tlog-witness
 */
export async function cosigned(
  witness: Witness,
  submission: Submission,
  seen: number,
  ports: WitnessPorts,
): Promise<Cosignature> {
  const first = await added(witness, submission, seen, ports)
  if (first.status !== 409) return accepted(witness, submission, first)
  const known = sizeOf(first)
  if (known === undefined) throw noCosignature(witness, 'it knows another size and does not say which')
  if (known > submission.size) {
    throw new Fault(
      'log_broken',
      `the witness \`${witness.key.name}\` has seen ${known} records of this log, which has ${submission.size}`,
      {
        fix: 'Run `bailiwick log verify`: the database was restored from an older backup, or the log was forked.',
      },
    )
  }
  return accepted(witness, submission, await added(witness, submission, known, ports))
}

async function added(
  { url }: Witness,
  submission: Submission,
  old: number,
  { allowPrivate, timeoutMs }: WitnessPorts,
): Promise<Answered> {
  const { note, size } = submission
  const hashes = old === 0 || old === size ? [] : await submission.proof(old, size)
  return await postPlain({
    url,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: [`old ${old}`, ...hashes, '', note].join('\n'),
    allowPrivate,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })
}

function accepted(witness: Witness, { note }: Submission, answer: Answered): Cosignature {
  if (answer.status !== 200) throw noCosignature(witness, `it answered ${answer.status}`)
  const lines = answer.body?.toString('utf8') ?? ''
  // What it signs is the note that it was sent, and nothing that it puts behind it.
  if (lines.includes('\n\n') || lines.startsWith('\n'))
    throw noCosignature(witness, 'it answered more than a signature')
  const whole = note + (lines.endsWith('\n') ? lines : `${lines}\n`)
  const cosignature = cosignatureIn(whole, witness)
  if (cosignature === undefined) throw noCosignature(witness, 'its cosignature does not verify')
  return cosignature
}

// Whatever it answered is no note only because of it.
function cosignatureIn(note: string, { key }: Witness): Cosignature | undefined {
  try {
    return cosignatureOf(note, key)
  } catch (fault) {
    if (fault instanceof Fault) return undefined
    throw fault
  }
}

function sizeOf({ body, contentType }: Answered): number | undefined {
  const text = body?.toString('latin1') ?? ''
  if (!contentType.startsWith('text/x.tlog.size') || !/^(0|[1-9][0-9]{0,15})\n$/.test(text)) return undefined
  const size = Number(text)
  return Number.isSafeInteger(size) ? size : undefined
}

function noCosignature({ key }: Witness, why: string): Fault {
  return new Fault('service_unreachable', `the witness \`${key.name}\` gave no cosignature: ${why}`, {
    fix: 'Check that it runs, and that it knows this log and its key.',
  })
}
