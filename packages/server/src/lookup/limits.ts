/** How long one lookup may take, waiting for its turn included. */
export const lookupTimeoutMsMax = 10_000
/** For how long an answer may be used again, at the longest. */
export const answerAgeMsMax = 60 * 60 * 1000
/** How much of an answer is read, in bytes. */
export const answerBytesMax = 256 * 1024
/** How deep an answer may nest. */
export const answerDepthMax = 32
/** How large the one value may be that a fact takes from an answer, as JSON in bytes: it goes into the log. */
export const valueBytesMax = 8 * 1024
/** How long a filled-in address may be. */
export const addressLengthMax = 8 * 1024
/** How many answers are kept, and how many bytes they may have had. */
export const keptAnswersMax = 10_000
export const keptBytesMax = 8 * 1024 * 1024
/** How many failures in a row make a source count as unwell, and for how long it is then left alone. */
export const failuresInRowMax = 5
export const pauseMs = 5_000
/** How many requests run on one origin, and how many queries on one database, at the same time. */
export const requestsAtOnceMax = 16
export const queriesAtOnceMax = 4
/** How many lookups may wait for one source; the next one fails at once. */
export const waitingMax = 256
