import { parseRecord, type BrokenLog, type LogRecord } from '@bailiwick/core'
import { batchesBackwards, type Queryable } from '../log/batches.ts'
import { readSecrets } from '../log/digests.ts'
import type { PayloadKey } from './payload-key.ts'

type SealingRecord = Extract<LogRecord, { readonly kind: 'sealing' }>

/**
 * Holds the secret under which people are found against what the log says of it: under another one an erasure would find
 * nobody. Only who has a master key can tell, by the records that name that key; without one it is compared whether all
 * records of one key say the same.
 *
 * A record that is about to leave the database is made again before, so those that are there are enough.
 *
 * @param key of this process
 * @param used the secret that this process works with, where it does
 */
export async function subjectSecretProblem(
  client: Queryable,
  ledger: string,
  key: PayloadKey | undefined,
  used?: Buffer,
): Promise<BrokenLog | undefined> {
  const said = new Map<string, SealingRecord>()
  for (const record of await sealingRecords(client, ledger)) {
    if (record.key === null || record.fingerprint === undefined) continue
    const before = said.get(record.key)
    if (before !== undefined && before.fingerprint !== record.fingerprint) return changedFrom(before, record)
    said.set(record.key, record)
  }
  const record = key && said.get(key.id)
  if (key === undefined || record === undefined) return undefined
  const stored = (await readSecrets(client, ledger))?.subject
  for (const secret of [stored, used ?? stored]) {
    if (secret === undefined || key.fingerprintOf(secret, ledger) !== record.fingerprint)
      return changedSince(record)
  }
  return undefined
}

/** Those in the database, in their order. */
async function sealingRecords(client: Queryable, ledger: string): Promise<readonly SealingRecord[]> {
  const found: SealingRecord[] = []
  for await (const { entries } of batchesBackwards(client, ledger, Number.MAX_SAFE_INTEGER, [
    'kind=sealing',
  ])) {
    const records = entries.map(({ record }) => parseRecord(record))
    found.push(...records.filter((record) => record.kind === 'sealing'))
  }
  return found.sort((one, other) => one.index - other.index)
}

function changedSince({ index }: SealingRecord): BrokenLog {
  return broken(
    index,
    `the secret under which people are found is not the one of record ${index}: the row \`subject\` of ledger_secret was changed`,
  )
}

function changedFrom(before: SealingRecord, { index }: SealingRecord): BrokenLog {
  return broken(
    index,
    `record ${index} says that people are found under another secret than record ${before.index} does: the row \`subject\` of ledger_secret was changed between them`,
  )
}

function broken(index: number, problem: string): BrokenLog {
  return {
    kind: 'broken',
    index,
    problem,
    fix: 'Keep the database as evidence, and put that row back from a backup; until then nobody is found by what was recorded of them.',
  }
}
