import {
  parseRecord,
  sealedKeys,
  subjectsOf,
  type ActionName,
  type CompiledPolicy,
  type DecisionRecord,
  type JsonObject,
  type StoredEntry,
  type BrokenLog,
} from '@bailiwick/core'
import { batchesBackwards, batchesFrom, type Queryable } from './log/batches.ts'
import { digestsOf, readSecrets, type Digests } from './log/digests.ts'
import { compiledPolicy } from './replay.ts'
import { keyIdsOf, readSubjectKeys } from './sealing/subject-keys.ts'

/**
 * Holds `payload_subject` against the payloads and the recorded policies: a row that is missing means that erasing what
 * is kept of a person would miss something. Reads the log only where a policy names subjects or the table has rows.
 *
 * Decisions of policies that this version cannot compile any more are passed over, and so are their rows.
 */
export async function subjectsProblem(client: Queryable, ledger: string): Promise<BrokenLog | undefined> {
  const policies = await recordedPolicies(client, ledger)
  const named = [...policies.values()].some((policy) => policy === 'unreadable' || policy.subjects.named)
  const { rows } = await client.query<{ index: string }>(
    'select index from payload_subject where ledger = $1 order by index limit 1',
    [ledger],
  )
  if (!named && rows.length === 0) return undefined
  const secrets = await readSecrets(client, ledger)
  if (secrets === undefined)
    return broken(null, 'the secrets of the ledger are gone; nobody can be found in it')
  return await firstMismatch(client, ledger, policies, digestsOf(secrets))
}

type Policies = ReadonlyMap<string, CompiledPolicy | 'unreadable'>

async function recordedPolicies(client: Queryable, ledger: string): Promise<Policies> {
  const found = new Map<string, CompiledPolicy | 'unreadable'>()
  for await (const { entries } of batchesBackwards(client, ledger, Number.MAX_SAFE_INTEGER, [
    'kind=policy',
  ])) {
    for (const { record: text, payload } of entries) {
      const record = parseRecord(text)
      if (record.kind !== 'policy' || found.has(record.policy.sha256)) continue
      const compiled = typeof payload === 'string' ? undefined : compiledPolicy(payload.body, record.policy)
      found.set(record.policy.sha256, compiled ?? 'unreadable')
    }
  }
  return found
}

async function firstMismatch(
  client: Queryable,
  ledger: string,
  policies: Policies,
  digests: Digests,
): Promise<BrokenLog | undefined> {
  for await (const batch of batchesFrom(client, ledger, 0)) {
    const last = batch.first + batch.entries.length - 1
    const { rows } = await client.query<{ index: string; subjects: readonly string[] }>(
      `select index, array_agg(encode(subject, 'hex')) as subjects from payload_subject
      where ledger = $1 and index between $2 and $3 group by index`,
      [ledger, batch.first, last],
    )
    const stored = new Map(rows.map(({ index, subjects }) => [Number(index), subjects]))
    const sealers = await sealersOf(client, ledger, batch.entries)
    for (const entry of batch.entries) {
      const known = { policies, digests, sealers }
      const problem = mismatch(entry, stored.get(entry.index) ?? [], known)
      if (problem !== undefined) return broken(entry.index, problem)
    }
  }
  const { rows } = await client.query<{ index: string }>(
    `select index from payload_subject s where ledger = $1 and (index < 0 or index >= (
      select size from ledger_head h where h.ledger = s.ledger)) limit 1`,
    [ledger],
  )
  return rows.length === 0 ? undefined : broken(null, 'a subject is stored for a record that does not exist')
}

/** Whose keys these payloads are sealed with: digests of people, by the ids of the keys that are there. */
async function sealersOf(
  client: Queryable,
  ledger: string,
  entries: readonly StoredEntry[],
): Promise<ReadonlyMap<string, string>> {
  const ids = keyIdsOf(entries.map(({ payload }) => (typeof payload === 'string' ? undefined : payload.body)))
  const rows = await readSubjectKeys(client, ledger, { ids })
  return new Map(rows.map(({ id, subject }) => [id, subject]))
}

interface Known {
  readonly policies: Policies
  readonly digests: Digests
  readonly sealers: ReadonlyMap<string, string>
}

function mismatch(
  { record: text, payload }: StoredEntry,
  stored: readonly string[],
  known: Known,
): string | undefined {
  const record = stored.length > 0 || text.includes('"kind":"decision"') ? parseRecord(text) : undefined
  const body = typeof payload === 'string' ? undefined : payload.body
  const said = record?.kind === 'decision' && body !== undefined ? saidOf(record, body, known) : []
  if (said === 'unknown') return undefined
  if (said.some((subject) => !stored.includes(subject))) {
    return 'a person whose data it holds is not stored beside it, and would not be found for erasing'
  }
  return stored.length === said.length
    ? undefined
    : 'a person is stored beside it whose data it does not hold'
}

function saidOf(
  { action, policy }: DecisionRecord,
  body: string,
  { policies, digests, sealers }: Known,
): readonly string[] | 'unknown' {
  // Its keys tell whose data it holds, and need not be opened for that.
  const keys = sealedKeys(body)
  if (keys !== undefined) {
    const people = keys.map((id) => sealers.get(id))
    return people.every((each) => each !== undefined) ? people : 'unknown'
  }
  if (policy === null) return []
  const compiled = policies.get(policy.sha256)
  if (compiled === undefined || compiled === 'unreadable') return 'unknown'
  if (!compiled.subjects.named) return []
  const call = JSON.parse(body) as { params: JsonObject; context: JsonObject } | null
  // A malformed call is recorded without its parameters.
  if (call === null) return []
  const { params, context } = call
  return subjectsOf(compiled, { action: action as ActionName, params, context }).map((one) =>
    digests.subject(one),
  )
}

function broken(index: number | null, problem: string): BrokenLog {
  return {
    kind: 'broken',
    index,
    problem: index === null ? problem : `record ${index}: ${problem}`,
    fix: 'Keep the database as evidence, and find out who can write to the tables; until then, erase by decision.',
  }
}
