/** The channels over which votes come. */
export const voteChannels = ['console', 'slack', 'email', 'api'] as const

/**
 * Over which channel a vote came, and so what it rests on. `console`: a session of the service, as the console has one;
 * `slack`: Slack's word for the account that pressed the button; `email`: whoever had the link in the message; `api`: the
 * word of a program that has the ledger open.
 */
export type VoteChannel = (typeof voteChannels)[number]
