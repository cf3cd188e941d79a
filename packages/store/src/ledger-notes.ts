import { canonicalJson, Fault, instantText, type CompiledPolicy, type Instant } from '@bailiwick/core'
import type { CheckpointFile } from './checkpoints/checkpoint-file.ts'
import { readKnownKeys, rememberKey } from './checkpoints/known-keys.ts'
import type { Queryable } from './log/batches.ts'
import type { Operation } from './log/operation.ts'
import { readSealing } from './log/sealing-state.ts'
import { readSuspended } from './log/suspensions.ts'
import type { NoteBody } from './operations/note.ts'
import { restateSealing } from './operations/sealing.ts'
import { restateSuspension } from './operations/suspend.ts'
import type { PolicySet } from './policies.ts'
import { lastPolicy } from './queries.ts'

/** What a ledger that is opened records of itself is recorded with. */
export interface NotedLedger {
  readonly pool: Queryable
  readonly name: string
  readonly policies: PolicySet
  readonly checkpoints: CheckpointFile
  readonly now: () => Instant
  note(body: NoteBody, payload?: string): Promise<unknown>
}

/** Records the policies that are in force from here on, once for each change: a restart with the same ones adds nothing. */
export async function recordPolicies(ledger: NotedLedger): Promise<void> {
  for (const policy of ledger.policies.all) {
    const { ref } = policy
    const last = await lastPolicy(ledger.pool, ledger.name, ref.id)
    if (last?.sha256 !== ref.sha256) await ledger.note({ kind: 'policy', policy: ref }, sourcePayload(policy))
  }
}

/**
 * Records policies in force again whose records lie before `end` and are about to leave the database: otherwise every
 * decision that is explained would look for them in cold storage.
 */
export async function keepPolicies(ledger: NotedLedger, end: number): Promise<void> {
  for (const policy of ledger.policies.all) {
    const last = await lastPolicy(ledger.pool, ledger.name, policy.ref.id)
    if (last === undefined || last.index >= end) continue
    await ledger.note({ kind: 'policy', policy: policy.ref }, sourcePayload(policy))
  }
}

/** Records suspensions again whose records lie before `end`, so that verification can hold those that stand against them. */
export async function keepSuspensions(
  ledger: Pick<NotedLedger, 'pool' | 'name'>,
  end: number,
  submit: <Answer>(operation: Operation<Answer>) => Promise<Answer>,
): Promise<void> {
  for (const suspended of await readSuspended(ledger.pool, ledger.name)) {
    if (suspended.index < end) await submit(restateSuspension(suspended))
  }
}

/**
 * Records again that payloads are sealed, where the record of that lies before `end`: whatever would pass for the secret
 * under which people are found is held against it without cold storage.
 */
export async function keepSealing(
  ledger: Pick<NotedLedger, 'pool' | 'name'>,
  end: number,
  submit: <Answer>(operation: Operation<Answer>) => Promise<Answer>,
): Promise<void> {
  const row = await readSealing(ledger.pool, ledger.name)
  if (row !== undefined && row.index < end) await submit(restateSealing(end))
}

/**
 * Records the keys that sign from here on, where they are not known yet; the ledger's first one is only remembered.
 * Recorded first: a crash before it is remembered records it again.
 */
export async function recordKeys(ledger: NotedLedger): Promise<void> {
  const { pool, name, checkpoints } = ledger
  if (!checkpoints.signs) return
  const known = await readKnownKeys(pool, name)
  for (const verifierKey of checkpoints.verifierKeys) {
    if (known.includes(verifierKey)) continue
    if (known.length > 0) await ledger.note({ kind: 'key', event: 'added', verifierKey, by: 'operator' })
    await rememberKey(pool, name, verifierKey, instantText(ledger.now()))
  }
}

/** Why a process that has to sign does not open the ledger. */
export function signedElsewhere(ledger: string): Fault {
  return new Fault(
    'conflict',
    `the checkpoints of the ledger \`${ledger}\` are signed with a key that is not in this data directory`,
    {
      fix: 'Give this service the key (BAILIWICK_LOG_KEY, or the checkpoints directory of the one that has it), and the identity key beside it (BAILIWICK_IDENTITY_KEY_FILE); where it is lost, or this one shall sign with a key of its own, run `bailiwick log key create`.',
    },
  )
}

// All that it takes to compile it again.
function sourcePayload({ source, parents }: CompiledPolicy): string {
  const files = parents.map((parent) => ({ file: parent.file, source: parent.source }))
  return canonicalJson(files.length === 0 ? { source } : { parents: files, source })
}
