import {
  approvalDigest,
  checkRecordedVote,
  parseRecord,
  signatureOf,
  type DecisionRecord,
  type PasskeyState,
  type BrokenLog,
  type VoteRecord,
} from '@bailiwick/core'
import { readEntries, type Queryable } from './log/batches.ts'
import { recordedPasskeys, type RecordedPasskeys } from './verify-passkeys.ts'

// Terms and votes have been held against the records before: what the rows say is what the log says. A quotation mark
// inside a text is escaped, so the search matches the member alone.
const signed = `select v.index, v.approval from vote v join approval a on a.ledger = v.ledger and a.decision = v.approval
  where v.ledger = $1 and v.approval >= $2 and strpos(a.terms, '"signed":true') > 0 order by v.index`

const counters = 'select id, sign_count from passkey where ledger = $1'

const votesPerRead = 32

/**
 * Verifies every vote that had to be signed, from the log alone: its statement, its signature, and the passkey as it was
 * registered and not removed at that place. A consent that nobody signed is named, however well its rows, records and
 * hashes fit: whoever can write to the database cannot sign.
 *
 * Call it in the snapshot in which the log and the tables were found to agree.
 *
 * @param floor the index of the first record that is not archived; votes on what was opened before it are not looked at
 */
export async function signedVotesProblem(
  client: Queryable,
  ledger: string,
  floor: number,
): Promise<BrokenLog | undefined> {
  const passkeys = await recordedPasskeys(client, ledger, floor)
  if ('kind' in passkeys) return passkeys
  const { rows } = await client.query<{ index: string; approval: string }>(signed, [ledger, floor])
  const counts = new Map<string, number>()
  for (let from = 0; from < rows.length; from += votesPerRead) {
    const part = rows.slice(from, from + votesPerRead)
    const indices = part.flatMap(({ index, approval }) => [Number(index), Number(approval)])
    const entries = await readEntries(client, ledger, indices)
    for (const row of part) {
      const [vote, opened] = [row.index, row.approval].map((index) => {
        const text = entries.get(Number(index))?.record
        return text === undefined ? undefined : parseRecord(text)
      })
      if (vote?.kind !== 'vote' || opened?.kind !== 'decision') continue
      const problem = voteProblem(vote, opened, passkeys, counts)
      if (problem !== undefined)
        return broken(vote.index, `record ${vote.index}, a vote that has to be signed: ${problem}`)
    }
  }
  return await countersProblem(client, ledger, counts)
}

function voteProblem(
  vote: VoteRecord,
  opened: DecisionRecord,
  passkeys: RecordedPasskeys,
  counts: Map<string, number>,
): string | undefined {
  const credential = signatureOf(vote)?.credential ?? ''
  const checked = checkRecordedVote(
    vote,
    approvalDigest(opened),
    asOf(vote.index, passkeys.get(credential), counts),
  )
  if (checked.kind === 'invalid') return checked.problem
  counts.set(credential, checked.signCount)
  return undefined
}

function asOf(
  index: number,
  passkey: PasskeyState | undefined,
  counts: ReadonlyMap<string, number>,
): PasskeyState | undefined {
  if (passkey === undefined || passkey.registered >= index) return undefined
  const isRemoved = passkey.removed !== null && passkey.removed < index
  const signCount = counts.get(passkey.key.id) ?? 0
  return { ...passkey, removed: isRemoved ? passkey.removed : null, signCount }
}

// A counter that was turned back would let a copy of the key sign.
async function countersProblem(
  client: Queryable,
  ledger: string,
  counts: ReadonlyMap<string, number>,
): Promise<BrokenLog | undefined> {
  if (counts.size === 0) return undefined
  const { rows } = await client.query<{ id: string; sign_count: string }>(counters, [ledger])
  const turned = rows.find((row) => Number(row.sign_count) < (counts.get(row.id) ?? 0))
  return (
    turned && broken(null, `the counter of the passkey ${turned.id} is lower than the one it has voted with`)
  )
}

function broken(index: number | null, problem: string): BrokenLog {
  return {
    kind: 'broken',
    index,
    problem,
    fix: 'Keep the database as evidence: somebody wrote a vote that its person did not sign. Find out whether the call ran, and who can write to the tables.',
  }
}
