export { BailiwickClient, Fault, type BailiwickClientOptions } from '@bailiwick/core'
export type {
  ApprovalView,
  CallView,
  Checked,
  CheckOptions,
  DecisionAnswer,
  DecisionRequest,
  FaultCode,
  Governance,
  Governed,
  GovernOptions,
  PermittedCall,
  Recorded,
  Resumed,
  ResumeOptions,
} from '@bailiwick/core'
export {
  GovernanceEnforcer,
  PayloadKey,
  type EnforcerOptions,
  type ExplainedDecision,
} from '@bailiwick/store'
export { startService, type RunningService, type ServiceOptions } from './service.ts'
export { createLookups, type Lookups } from './lookup/lookups.ts'
export { lookupSettings, type LookupSettings } from './lookup/settings.ts'
