export { nearest } from '@bailiwick/cel'
export { approvalTerms } from './decision/terms.ts'
export { allowsDeed, deedRoles, isPerson, type Deed } from './approval/deeds.ts'
export { approvalDigest } from './approval/digest.ts'
export { instantAfter } from './approval/hours.ts'
export { approvalStatus, choiceFor, termsAt } from './approval/state.ts'
export type { JsonSource } from './model/captured-json.ts'
export { personIdOf } from './model/person-id.ts'
export { principalsIn } from './approval/principals.ts'
export {
  grantScope,
  isCovered,
  standingOf,
  standingWithin,
  type GrantScope,
  type MadeGrant,
} from './approval/standing.ts'
export { countsFor, isExcluded, isSomebody, mayVote, roleOrGroup, type Voter } from './approval/voter.ts'
export { followPasskeys, passkeyOf, type PasskeyState } from './approval/passkeys.ts'
export { SignedVotes } from './approval/signed-votes.ts'
export { openedApproval } from './approval/opened.ts'
export { RecordedDeeds } from './approval/recorded-deeds.ts'
export { RecordedVotes, type WhatTheLogHas } from './approval/recorded-votes.ts'
export { checkRecordedVote, checkVoteSignature, signatureOf } from './approval/vote-signature.ts'
export { voteChallenge, voteStatementText, type VoteStatement } from './approval/vote-statement.ts'
export { checkAssertion, countsOn, type CheckedAssertion } from './approval/webauthn/assertion.ts'
export {
  checkRegistration,
  type Attestation,
  type CheckedRegistration,
} from './approval/webauthn/registration.ts'
export type { Assertion, RegisteredPasskey } from './model/passkey.ts'
export { canonicalJson, canonicalJsonOfPresent, frozenCopy, jsonProblem } from './model/canonical-json.ts'
export { isReason, saysSomething } from './model/reason.ts'
export {
  createLogKey,
  isEncryptedKey,
  loadLogKey,
  openCheckpoint,
  reencryptLogKey,
  signCheckpoint,
  verifierKey,
  type Checkpoint,
  type NoteSigner,
} from './audit/checkpoint.ts'
export { commitPayload, commitSalted, saltBytes } from './audit/commitment.ts'
export {
  openPayload,
  sealedKeys,
  sealPayload,
  type SealedPlace,
  type SubjectKey,
} from './audit/sealed-payload.ts'
export { encodeEntries } from './audit/entry-bundle.ts'
export {
  cosignatureOf,
  cosignedMessage,
  parseWitnessKey,
  type Cosignature,
  type WitnessKey,
} from './audit/cosignature.ts'
export { readTimeStamp, timeStampRequest, type TimeStamp } from './audit/time-stamp.ts'
export {
  appendLeaf,
  appendLeaves,
  consistencyProof,
  decodeFrontier,
  emptyFrontier,
  encodeFrontier,
  frontierRoot,
  inclusionProof,
  hashBytes,
  leafHash,
  leafPrefix,
  verifyConsistency,
  verifyInclusion,
  type Frontier,
  type Hash,
  writeLeafHash,
} from './audit/merkle.ts'
export {
  parseProofBundle,
  proofBundleFormat,
  proofBundleLengthMax,
  verifyProofBundle,
  type BundledPayload,
  type ConsistencyProof,
  type ProofBundle,
  type ProofVerdict,
} from './audit/proof-bundle.ts'
export { proveConsistency, proveInclusion, treeRoot } from './audit/proofs.ts'
export {
  completeRoot,
  nodesFromTiles,
  parseTilePath,
  tileEnd,
  tilePath,
  tileWidth,
  type Tile,
  type TileReader,
} from './audit/tiles.ts'
export { isTlogProof, parseTlogProof, tlogProofText } from './audit/tlog-proof.ts'
export { completeRecord, recordText } from './audit/record.ts'
export { parseRecord } from './audit/record-shape.ts'
export { callTerm, recordTerms, TermSet } from './audit/record-terms.ts'
export { RecordWriter } from './audit/record-writer.ts'
export type { CompactRange } from './audit/compact-range.ts'
export {
  RangeCheck,
  type BrokenLog,
  type LogHead,
  type RangeResult,
  type StoredEntry,
} from './audit/range-check.ts'
export { LogVerification, verifyLog, type VerifyResult } from './audit/verify.ts'
export { decide, denyFailedEvaluation, denyMalformed, denyWithoutPolicy } from './decision/decide.ts'
export { explain } from './decision/explain.ts'
export { needsOf } from './decision/needs.ts'
export { factsFromRecord, recordedFacts } from './decision/recorded-facts.ts'
export { retryAt } from './approval/retry.ts'
export type {
  ApprovalView,
  CallView,
  DecisionAnswer,
  DecisionRequest,
  DecisionView,
  GrantView,
} from './execution/answer.ts'
export { parseCall, type ParsedCall } from './execution/call.ts'
export { decideCall } from './execution/decide-call.ts'
export { PointGovernance } from './execution/point-governance.ts'
export { BailiwickClient, type BailiwickClientOptions } from './execution/client.ts'
export { systemPorts } from './execution/edge-ports.ts'
export { govern } from './execution/govern.ts'
export { resume } from './execution/resume.ts'
export type {
  Checked,
  CheckOptions,
  DecisionPoint,
  Governance,
  Governed,
  GovernOptions,
  GovernPorts,
  PermittedCall,
  Resumed,
  ResumeOptions,
} from './execution/governance.ts'
export { voteChannels, type VoteChannel } from './model/vote-channel.ts'
export type { Approval, ApprovalStatus, Cancelled, Standing, Vote, VoteChoice } from './model/approval.ts'
export type {
  ApprovalFact,
  ApprovalRefusal,
  Facts,
  LookupResult,
  Outcome,
  OutcomeStatus,
  SessionFact,
  StandingFact,
  ToolCall,
} from './model/call.ts'
export type {
  AllowDecision,
  ApprovalAsk,
  ApprovalTerms,
  BreakGlassTerms,
  BusinessHours,
  CounterUse,
  Decision,
  DenyCode,
  DeterminingRule,
  Effect,
  Obligation,
  PolicyRef,
  SessionTrace,
  ShadowedDecision,
  StandingDifference,
  StandingTerms,
  StandingUse,
} from './model/decision.ts'
export { Fault, faultCodes, unreachable, type FaultCode, type Recorded } from './model/fault.ts'
export {
  approvalId,
  decisionId,
  delegationId,
  grantId,
  indexOfId,
  instantText,
  firstInstant,
  parseInstant,
  type ActionName,
  type AgentId,
  type ApprovalId,
  type CallId,
  type CounterKey,
  type DecisionId,
  type GrantId,
  type Instant,
  type PersonId,
  type RuleId,
  type SessionId,
  type Sha256,
} from './model/ids.ts'
export type { Json, JsonObject } from './model/json.ts'
export { pointerBelow, valueAt } from './model/json-pointer.ts'
export {
  approvalDeadlineMsDefault,
  batchCallsMax,
  callbackLengthMax,
  commentLengthMax,
  delegationMsMax,
  nameLengthMax,
  payloadBytesMax,
  payloadDepthMax,
  policyBytesMax,
  recordBytesMax,
  standingGrantsMax,
  waitSecondsMax,
} from './model/limits.ts'
export type {
  ExplainedChange,
  ExplainedCounter,
  ExplainedFact,
  ExplainedPart,
  ExplainedRule,
  Explanation,
} from './model/explanation.ts'
export type { CounterNeed, DecisionNeeds, LookupNeed } from './model/needs.ts'
export type { CompiledPolicy, FactDeclaration, ParentFile } from './model/policy.ts'
export type { CounterWindow, TimeWindow } from './model/window.ts'
export type { DocumentChange, DocumentEdit } from './model/document-edit.ts'
export { besideFile, problemText, type Problem } from './model/problem.ts'
export type {
  AccessRecord,
  ArchiveRecord,
  DecisionRecord,
  DelegationRecord,
  ExpiryRecord,
  LogRecord,
  OutcomeRecord,
  PolicyRecord,
  RecordBody,
  RecordedStanding,
  RecordedUse,
  ErasureRecord,
  HoldRecord,
  KeyRecord,
  OpenedApproval,
  ReadRecord,
  RevocationRecord,
  SuspensionRecord,
  VoteRecord,
} from './model/record.ts'
export type { Notice } from './monitor/notice.ts'
export { logBrokenNotice, noticesOf } from './monitor/notices-of.ts'
export type { ClaimedMessage, NoticeFeed, Outbox, OutboxMessage } from './monitor/ports.ts'
export { causesNoNotice } from './monitor/quiet-record.ts'
export { slackBody } from './monitor/slack-body.ts'
export { slackLink, slackPlain, slackText } from './monitor/slack-text.ts'
export { webhookBody, type NoticeLinks } from './monitor/webhook-body.ts'
export { junitReport } from './policy-test/junit-report.ts'
export { suiteTotals, type SuiteReport, type SuiteTotals } from './policy-test/report.ts'
export {
  runPolicyTest,
  type ActualDecision,
  type CaseResult,
  type PolicyTestReport,
} from './policy-test/run.ts'
export {
  parsePolicyTest,
  policyTestFormat,
  policyTestNowDefault,
  type Expectation,
  type ParsedPolicyTest,
  type PolicyTestCase,
  type PolicyTestSuite,
} from './policy-test/suite.ts'
export { onOneLine, textReport } from './policy-test/text-report.ts'
export { bindAgents, type AgentOverlap, type BoundAgents } from './policy/agents.ts'
export { parsePolicy, type ParsedPolicy, type ParsePolicyOptions } from './policy/compile.ts'
export { policyJsonSchema } from './policy/json-schema.ts'
export { ruleText } from './policy/rule-text.ts'
export { hiddenPointers, masked, maskText } from './policy/sensitive.ts'
export { editedText, type EditedText } from './policy/edit/edited-text.ts'
export { textChange, type TextChange } from './policy/edit/text-change.ts'
export { blockLines, flowText, scalarText } from './policy/edit/yaml-text.ts'
export {
  compileParamsSchema,
  type CompiledParamsSchema,
  type ParamsSchema,
} from './policy/params-schema/compile.ts'
export { exampleParams } from './policy/params-schema/example.ts'
export { narrowParamsSchema, type NarrowedSchema } from './policy/params-schema/narrow.ts'
export { errorCodes, problemCodeText, warningCodes, type ProblemCode } from './policy/problem-codes.ts'
export { policyFormat } from './policy/shape.ts'
export type { LoadFile, RefusedFile } from './policy/sources.ts'
export { subjectsOf } from './policy/subjects.ts'
export { windowStart } from './policy/windows.ts'
export { tooLargeProblem } from './policy/yaml-file.ts'
