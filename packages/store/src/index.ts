export { ColdLog } from './archive/cold-log.ts'
export { erasePayloadsInArchive, type ColdErasure } from './archive/erase.ts'
export { holdsNow, listHolds, type StandingHold } from './archive/holds.ts'
export type { ArchiveReport } from './archive/run.ts'
export { searchLog, type FoundRecord, type LogSearch } from './archive/search.ts'
export { archivedEnd } from './archive/segments.ts'
export { openArchiveStore } from './archive/open-store.ts'
export type { ArchiveStore } from './archive/store.ts'
export { verifyStoredArchive } from './archive/verify-archive.ts'
export { keepPartitions, partitionLength, type PartitionLength } from './log/partitions.ts'
export { Access, type ListedKey } from './access.ts'
export { CheckpointFile, readCheckpoint } from './checkpoints.ts'
export { openDatabase, stopIfUnused, type OpenedDatabase } from './engine/open.ts'
export { tryServiceLock, type HeldLock } from './engine/service-lock.ts'
export { GovernanceEnforcer, type EnforcerOptions } from './enforcer.ts'
export { explainedCall, explainedDecision, type ExplainedDecision } from './explain.ts'
export { Ledger, type ArchiveRequest, type CommitListener, type LedgerOptions } from './ledger.ts'
export { inSchema, migrate, schemaName } from './migrate.ts'
export { createNoticeFeed, createOutbox } from './outbox.ts'
export {
  isPolicyFile,
  isPolicyTestFile,
  loadPolicies,
  PolicyFault,
  readPolicies,
  type PolicyReading,
  type PolicySet,
} from './policies.ts'
export type { LookupGatherer } from './operations/gather.ts'
export { readPolicy, readPolicyTest } from './policy-text.ts'
export type { ApprovalFilter, DecisionFilter } from './queries.ts'
export {
  recallStoredDecision,
  recordedPolicy,
  replayDecision,
  type RecalledDecision,
  type Replay,
} from './replay.ts'
export { ApprovalWaits } from './waits.ts'
export { hasEmbeddedDatabase, verifyStoredLog, verifyWithoutDatabase, type VerifyOptions } from './verify.ts'
