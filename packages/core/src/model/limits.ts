/** Everything that can grow has a limit, and passing it is a clear error. */

/** A policy file's size in bytes. */
export const policyBytesMax = 1024 * 1024
/** A condition's length in UTF-16 code units. */
export const conditionLengthMax = 4 * 1024
/** A call's parameters and context together, as canonical JSON, in bytes. */
export const payloadBytesMax = 64 * 1024
/** How deep parameters and context may nest. */
export const payloadDepthMax = 64
/** A record as canonical JSON, in bytes; the tile format could carry 65,535. */
export const recordBytesMax = 60 * 1024
/** The length of agent ids, action names and call ids. */
export const nameLengthMax = 200
/** The length of the URL at which an agent wants to be told. */
export const callbackLengthMax = 2000
/** How many calls one request may ask to have decided. */
export const batchCallsMax = 64
/** A person's comment on a vote, and the detail of an outcome, in UTF-16 code units. */
export const commentLengthMax = 2000
/** How long an approval waits unless the policy says otherwise. */
export const approvalDeadlineMsDefault = 5 * 60 * 1000
/** The longest deadline a policy may set: 30 days. */
export const approvalDeadlineMsMax = 30 * 24 * 60 * 60 * 1000
/** No approval waits longer than this from its opening, whatever its business hours: 90 days. */
export const approvalOpenMsMax = 90 * 24 * 60 * 60 * 1000
/** How often a route may remind people, and how often it may ask others. */
export const approvalPromptsMax = 10
/** How long a delegation of votes may last: 366 days. */
export const delegationMsMax = 366 * 24 * 60 * 60 * 1000
/** How long one long-poll for an approval may last, in seconds. */
export const waitSecondsMax = 60
/** A policy test file's size in bytes. */
export const policyTestBytesMax = 1024 * 1024
/** How many files a policy may extend, all together. */
export const parentFilesMax = 8
/** The longest span a budget or a rate may count over: 366 days. */
export const counterWindowMsMax = 366 * 24 * 60 * 60 * 1000
/** How long looking one fact up may take, at the longest. */
export const lookupTimeoutMsMax = 10 * 1000
/** How long it may take unless the policy says otherwise. */
export const lookupTimeoutMsDefault = 1000
/** For how long what was looked up may be used again, at the longest: 1 hour. */
export const lookupCacheMsMax = 60 * 60 * 1000
/** How long the part of a counter's key may be that stands for its `per`; longer values are hashed. */
export const counterKeyValueLengthMax = 200
/** The most calls that one standing grant may let through. */
export const standingUsesMax = 100
/** The longest that a standing grant may last. */
export const standingMsMax = 24 * 60 * 60 * 1000
/** How many parameters of a call a route may let differ. */
export const standingParamsMax = 20
/** How many standing grants may be live in one ledger: each is kept in memory with the parameters it was given for. */
export const standingGrantsMax = 500
