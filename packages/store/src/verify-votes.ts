import { parseRecord, RecordedVotes, type BrokenLog } from '@bailiwick/core'
import { readLines, type Queryable } from './log/batches.ts'

// The tables have been held against the records before: what the rows name is what there is in the log.
const counting = `
  select v.index from vote v where v.ledger = $1 and v.approval >= $2
  union select unnest(array[a.decision, a.consumed_by, a.cancelled_by]) from approval a
    where a.ledger = $1 and a.decision >= $2 and (a.consumed_by is not null
      or exists (select from vote v where v.ledger = a.ledger and v.approval = a.decision))
  union select unnest(array[d.index, d.revoked_by]) from delegation d where d.ledger = $1 and d.index >= $2
  order by 1`

const voters = `select distinct unnest(array[person, principal]) as person from vote where ledger = $1 and approval >= $2`

/** Whether a line of records of kind `access` says who somebody is: what `RecordedPeople` goes by. */
// Canonical JSON escapes every quotation mark inside a text, so a search for a member and its value matches nothing else.
export const saysWhoPeopleAre = `(strpos(r.line, '"event":"person_') > 0
    or strpos(r.line, '"event":"roles_changed"') > 0 or strpos(r.line, '"event":"owner_') > 0)`

const ofPeople = `
  select b.first + r.n - 1 as index, line from log_term t join log_batch b on b.ledger = t.ledger and b.first = t.first and b.at = t.at,
    lateral unnest(string_to_array(b.records, E'\\n')) with ordinality as r (line, n)
  where t.ledger = $1 and t.term = 'kind=access' and ${saysWhoPeopleAre} and b.first + r.n - 1 >= $2
  order by b.first, r.n`

const inOtherLogs = `
  select who as person from unnest($2::text[]) as who where exists (
    select from log_term t join log_batch b on b.ledger = t.ledger and b.first = t.first and b.at = t.at
    where t.ledger <> $1 and t.term = 'kind=access' and strpos(b.records, concat('"subject":', to_json(who))) > 0)`

const ownersEndedElsewhere = `
  select from log_term t join log_batch b on b.ledger = t.ledger and b.first = t.first and b.at = t.at
  where t.ledger <> $1 and t.term = 'kind=access' and strpos(b.records, '"event":"owner_removed"') > 0 limit 1`

const recordsPerRead = 512

/**
 * Judges every vote again from the log alone, with what the log said of people at that place: that it was for whom was
 * asked, by people who had not been heard before, and that the approval stood after it as its record says. A record that
 * claims `approved` without the quorum is named, however well its rows, records and hashes fit.
 *
 * Not judged is the entitlement of whom no record speaks that is not archived, and of whom the log of another ledger speaks
 * that shares the database, and so its people, with this one. Costs nothing where nobody has voted.
 *
 * Call it in the snapshot in which the log and the tables were found to agree.
 *
 * @param floor the index of the first record that is not archived; votes on what was opened before it are not looked at
 */
export async function votesProblem(
  client: Queryable,
  ledger: string,
  floor: number,
): Promise<BrokenLog | undefined> {
  const people = await client.query<{ person: string | null }>(voters, [ledger, floor])
  const named = people.rows.flatMap(({ person }) => person ?? [])
  const { rows } = await client.query<{ index: string | null }>(counting, [ledger, floor])
  const indices = rows.flatMap(({ index }) => (index === null ? [] : Number(index)))
  if (indices.length === 0) return undefined
  const shared = await spokenOfElsewhere(client, ledger, named)
  const votes = new RecordedVotes({
    isWhole: floor === 0,
    isSpokenOfElsewhere: (person) => shared.has(person),
    endsOwnersElsewhere: (await client.query(ownersEndedElsewhere, [ledger])).rowCount !== 0,
  })
  const access = await client.query<{ index: string; line: string }>(ofPeople, [ledger, floor])
  return await firstProblem(client, ledger, { votes, indices, access: access.rows })
}

/** Those of these people of whom the log of another ledger speaks that shares the database, and so its people, with this one. */
export async function spokenOfElsewhere(
  client: Queryable,
  ledger: string,
  people: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ person: string }>(inOtherLogs, [ledger, people])
  return new Set(rows.map(({ person }) => person))
}

interface ToJudge {
  readonly votes: RecordedVotes
  /** Ascending. */
  readonly indices: readonly number[]
  /** Records of people, in their order. */
  readonly access: readonly { readonly index: string; readonly line: string }[]
}

async function firstProblem(
  client: Queryable,
  ledger: string,
  { votes, indices, access }: ToJudge,
): Promise<BrokenLog | undefined> {
  let next = 0
  for (let from = 0; from < indices.length; from += recordsPerRead) {
    const part = indices.slice(from, from + recordsPerRead)
    const lines = await readLines(client, ledger, part)
    for (const index of part) {
      for (; Number(access[next]?.index ?? Infinity) < index; next++)
        votes.take(parseRecord(access[next]?.line ?? ''))
      const line = lines.get(index)
      const problem = line && votes.take(parseRecord(line.record), line.body)
      if (problem !== undefined) return broken(index, `record ${index} ${problem}`)
    }
  }
  return undefined
}

function broken(index: number, problem: string): BrokenLog {
  return {
    kind: 'broken',
    index,
    problem,
    fix: 'Keep the database as evidence: the service would not have recorded it. Find out whether the call ran, and who can write to the tables.',
  }
}
