// The shapes of the API, for the routes that describe it.
export * from './channel-schemas.ts'
export * from './decision-schemas.ts'
export * from './explanation-schemas.ts'
export * from './log-schemas.ts'
export * from './problem-schema.ts'
export * from './query-schemas.ts'
export * from './review-schemas.ts'
export * from './service-schemas.ts'
export {
  approvalList,
  approvalView,
  cancellationRequest,
  delegationAnswer,
  delegationList,
  delegationRequest,
  grantAnswer,
  grantList,
  revocationRequest,
  voteRequest,
  votesAnswer,
  votesRequest,
} from './approval-schemas.ts'
