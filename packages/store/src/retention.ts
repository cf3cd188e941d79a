// What leaves a ledger's database: records that go to cold storage, and payloads that are erased in both.
import type { Instant } from '@bailiwick/core'
import type { ColdLog } from './archive/cold-log.ts'
import { eraseInArchive } from './archive/erase.ts'
import { segmentEnds, segmentLimits } from './archive/plan.ts'
import { refuseOtherStore } from './archive/right-place.ts'
import { archiveLog, spoolDirectory, type ArchiveReport } from './archive/run.ts'
import { archivedEnd } from './archive/segments.ts'
import { openedStore, type ArchiveStore } from './archive/store.ts'
import { erasePayloads, type ErasureRequest, type ErasureResult } from './erasure/erase.ts'
import { subjectTexts } from './erasure/subjects.ts'
import { keepPolicies, keepSealing, keepSuspensions, type NotedLedger } from './ledger-notes.ts'
import type { ArchiveRequest, LedgerOptions } from './ledger-options.ts'
import type { Queryable } from './log/batches.ts'
import type { Digests } from './log/digests.ts'
import type { Operation } from './log/operation.ts'
import type { Sealing } from './sealing/sealing.ts'

/** What retention needs of a ledger that others do not see. */
export interface RetentionPorts {
  readonly options: Pick<LedgerOptions, 'archive' | 'connection' | 'dataDir'>
  readonly digests: Digests
  readonly sealing: Pick<Sealing, 'checkSecret'>
  readonly submit: <Answer>(operation: Operation<Answer>) => Promise<Answer>
}

/** Erases payloads where they lie: in the database and in cold storage. @throws as `erasePayloads` does */
export async function eraseEverywhere(
  {
    pool: client,
    name: ledger,
    cold,
  }: { readonly pool: Queryable; readonly name: string; readonly cold: ColdLog },
  { options, digests, sealing, submit }: RetentionPorts,
  request: ErasureRequest,
): Promise<ErasureResult> {
  const { archive, connection, dataDir } = options
  // Under another secret nobody is found, and the answer would be that nothing is left of the person.
  if ('subject' in request.target) await sealing.checkSecret()
  const ports = {
    client,
    ledger,
    cold,
    submit,
    subjectDigests: (subject: string | number) => subjectTexts(subject).map((text) => digests.subject(text)),
    eraseInArchive: async () => {
      const storeOf = (address: string) => openedStore(archive, address)
      await eraseInArchive({ connection, ledger, storeOf, spoolDir: spoolDirectory(dataDir) })
    },
  }
  return await erasePayloads(ports, request)
}

/** Archives records and removes them from the database; what is still in force is recorded again before. @throws as `archiveLog` does */
export async function archiveRecords(
  ledger: NotedLedger & { checkpoint(): Promise<unknown> },
  { options, submit }: RetentionPorts,
  request: ArchiveRequest,
): Promise<ArchiveReport> {
  const { connection, dataDir } = options
  return await archiveLog({
    ...request,
    connection,
    dataDir,
    ledger: ledger.name,
    now: ledger.now(),
    publish: () => ledger.checkpoint(),
    submit,
    keepStanding: async (end) => {
      await keepPolicies(ledger, end)
      await keepSuspensions(ledger, end, submit)
      await keepSealing(ledger, end, submit)
    },
  })
}

/** Where the segments of a run into `store` would end now. @throws as the run would, where it is not the place of those before */
export async function plannedSegments(
  client: Queryable,
  ledger: string,
  before: Instant,
  store: ArchiveStore | undefined,
): Promise<{ readonly first: number; readonly ends: readonly number[] }> {
  if (store !== undefined) await refuseOtherStore(client, ledger, store)
  const first = await archivedEnd(client, ledger)
  return { first, ends: await segmentEnds(client, ledger, first, before, segmentLimits) }
}
