export { ColdLog } from './archive/cold-log.ts'
export { closedStores, type ClosedStore } from './archive/closed-stores.ts'
export { archiveHeldUp, type HeldUp } from './archive/held-up.ts'
export { holdsNow, listHolds, type StandingHold } from './archive/holds.ts'
export type { ArchiveReport } from './archive/run.ts'
export { searchLog, type FoundRecord, type LogSearch } from './archive/search.ts'
export { archivedEnd } from './archive/segments.ts'
export { openArchiveStore } from './archive/open-store.ts'
export type { ArchiveStore } from './archive/store.ts'
export { verifyStoredArchive } from './archive/verify-stored-archive.ts'
export { keepPartitions, partitionLength, type PartitionLength } from './log/partitions.ts'
export { AdmissionLapsed, type AdmittingKey } from './log/admission.ts'
export type { Admission } from './key-lookup.ts'
export { Access, type AccessOptions, type ListedPerson } from './access.ts'
export type { ListedKey, NewKey } from './api-keys.ts'
export { agentActivity, type Activity, type ActivityQuery, type PastDecision } from './activity.ts'
export type { Tried } from './identity/attempts.ts'
export { recoveryHash, type OwnCredentials } from './identity/credentials.ts'
export type { Asking } from './operations/from-session.ts'
export { personId } from './identity/secrets.ts'
export {
  sessionLifetimesDefault,
  type KnownSession,
  type ListedSession,
  type SessionLifetimes,
} from './identity/sessions.ts'
export type { FirstFactor, SecondFactor, SignInResult, SignInStep } from './identity/sign-ins.ts'
export { agentsOf, type KnownAgent } from './agents.ts'
export { changeOwner, ownersOf } from './owners.ts'
export type { DelegationView } from './delegations.ts'
export type { CancelRequest } from './operations/cancel.ts'
export type { RevokeGrantAnswer, RevokeGrantRequest } from './operations/revoke-grant.ts'
export type { DelegationAnswer, DelegationRequest } from './operations/delegate.ts'
export type { VoteRequest } from './operations/vote.ts'
export {
  confirmSlackAccount,
  linkSlackAccount,
  unlinkSlackAccount,
  type ConfirmingPerson,
} from './channel-accounts.ts'
export { ChannelStore, type MailLink } from './channel-store.ts'
export { CheckpointFile, isSignedBy, readCheckpoint } from './checkpoints/checkpoint-file.ts'
export { cosignedPath, newestCopyPath } from './checkpoints/copies.ts'
export { textIfThere, writeDurably } from './checkpoints/durable-file.ts'
export { forgetKey, readKnownKeys } from './checkpoints/known-keys.ts'
export {
  createLogKeyHere,
  encryptLogKeys,
  readLogKeys,
  rememberRetiredKey,
  retireLogKey,
  rotateLogKey,
  logKeyFiles,
  type LogKeys,
  type LogKeySettings,
} from './checkpoints/log-keys.ts'
export type { DecisionFilter } from './decision-list.ts'
export {
  listDeliveries,
  retryDeliveries,
  type Delivery,
  type DeliveryFilter,
  type DeliveryState,
} from './deliveries.ts'
export { openDatabase, stopIfUnused, type OpenedDatabase } from './engine/open.ts'
export { tryServiceLock, tryServiceShare, type HeldLock } from './engine/service-lock.ts'
export { GovernanceEnforcer, type EnforcerOptions } from './enforcer.ts'
export { PayloadKey } from './sealing/payload-key.ts'
export type { SealingStatus } from './sealing/sealing.ts'
export type { ErasureRequest, ErasureResult, ErasureTarget } from './erasure/erase.ts'
export { explainedCall, explainedDecision, type ExplainedDecision } from './explain.ts'
export { peerPath } from './replicas/forwarder.ts'
export type { PeerOptions } from './replicas/replicated-writer.ts'
export { Ledger, type ArchiveRequest, type CommitListener, type LedgerOptions } from './ledger.ts'
export type { Changed } from './operations/access.ts'
export { everyAgent, type SuspendedAgent } from './log/suspensions.ts'
export { inSchema, migrate, schemaName } from './migrate.ts'
export { moveLog, type Moved, type MoveOptions, type MoveStep } from './move/move-log.ts'
export {
  passkeyFactor,
  Passkeys,
  type ListedPasskey,
  type NewPasskeyAnswer,
  type SignInAssertion,
} from './passkeys.ts'
export { createNoticeFeed, createOutbox, enqueueMessages } from './outbox.ts'
export {
  isPolicyFile,
  isPolicyTestFile,
  loadPolicies,
  PolicyFault,
  readParent,
  readPolicies,
  type PolicyReading,
  type PolicySet,
} from './policies.ts'
export type { NoteBody } from './operations/note.ts'
export { mayRevealAny, type Revealed, type RevealRequest } from './operations/reveal.ts'
export type { SuspensionChange } from './operations/suspend.ts'
export type { LookupGatherer } from './operations/gather.ts'
export {
  lastPolicies,
  lastStoredPolicies,
  listPolicies,
  type ListedPolicy,
  type RecordedPolicy,
} from './policy-list.ts'
export { readPolicy, readPolicyTest } from './policy-text.ts'
export { proveRecord, recordIndex, type ProofSource, type ProveOptions } from './prove.ts'
export type { ApprovalFilter } from './queries.ts'
export {
  recallStoredDecision,
  recordedPolicy,
  replayDecision,
  type RecalledDecision,
  type Replay,
} from './replay.ts'
export { LogWalk, type LogWalkOptions, type Walk, type WalkStep } from './self-check/log-walk.ts'
export { canWalkAside, WalksAside } from './self-check/walks-aside.ts'
export { withStoredProofs } from './stored-proofs.ts'
export type { LogTiles } from './tiles.ts'
export type { ApprovalAsker } from './views.ts'
export { ApprovalWaits } from './waits.ts'
export { hasEmbeddedDatabase, verifyStoredLog, verifyWithoutDatabase, type VerifyOptions } from './verify.ts'
export { leavesKeysUnopened } from './verify-sealing.ts'
