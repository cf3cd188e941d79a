/** Rows that are folded from the log, in the names of their columns. */

import type { AgentOwner } from './voting.ts'

export interface CallRow {
  readonly agent: string
  readonly call_id: string
  readonly index: number
}

export interface OutcomeRow {
  readonly decision: number
  readonly index: number
  readonly status: string
  /** The record of this batch that said `unknown` before; of an earlier batch, the row knows it. */
  readonly earlier: number | null
}

export interface ApprovalRow {
  readonly decision: number
  readonly agent: string
  readonly action: string
  readonly policy_sha256: string
  /** `ApprovalTerms` as JSON. */
  readonly terms: string
  readonly opened_at: string
  readonly expires_at: string
  readonly consumed_by: number | null
  /** The index of the record that withdrew it. */
  readonly cancelled_by: number | null
  readonly next_prompt_at: string | null
  readonly status: string
}

export interface VoteRow {
  readonly approval: number
  readonly person: string
  readonly vote: string
  readonly at: string
  readonly index: number
  /** In whose stead. */
  readonly principal: string | null
}

/** A row of `delegation`. */
export interface DelegationRow {
  readonly index: number
  readonly delegator: string
  readonly delegate: string
  readonly starts_at: string
  readonly ends_at: string
  readonly revoked_by: number | null
}

/** A standing grant that was made. */
export interface GrantRow {
  readonly approval: number
  readonly index: number
  readonly uses: number
  readonly until_at: string
  readonly revoked_by: number | null
}

/** A row of `standing_use`. */
export interface GrantUseRow {
  readonly approval: number
  readonly use: number
  readonly decision: number
}

/** A standing grant of an earlier batch that was revoked. */
export interface GrantEndRow {
  readonly approval: number
  readonly revoked_by: number
}

export interface CounterRow {
  readonly decision: number
  /** Hexadecimal. */
  readonly key: string
  readonly counter: string
  /** A decimal number. */
  readonly amount: string
  readonly window_ms: number
  readonly releasable: boolean
}

/** A row of `counter_entry` that is given back. */
export interface ReleasedRow {
  readonly decision: number
  readonly key: string
}

export interface MarkRow {
  readonly session: string
  readonly kind: 'action' | 'label'
  readonly value: string
  readonly index: number
}

export interface SuspensionRow {
  readonly agent: string
  readonly index: number
  readonly state: 'suspended' | 'active'
}

/** A key that is made. */
export interface KeyRow {
  readonly id: string
  readonly agent: string
  /** Hexadecimal. */
  readonly secret_sha256: string
  /** RFC 3339; null: it has no end of its own. */
  readonly expires_at: string | null
  /** The id of the key whose place it takes. */
  readonly replaces: string | null
}

export interface PersonRow {
  readonly id: string
  readonly roles: readonly string[]
  readonly roles_from: 'local' | 'provider'
  /** The index of the record that makes the person one; 0 where the person was one before. */
  readonly since: number
  /** Null where no identity provider has vouched for the address; what is known already stays. */
  readonly provider_subject: string | null
}

/** An account of a channel, and whose it is. */
export interface AccountRow {
  readonly channel: string
  readonly account: string
  readonly person: string
}

/** A sign-in link that is made. */
export interface SignInLinkRow {
  /** Hexadecimal. */
  readonly token_sha256: string
  readonly person: string
  readonly expires_at: string
}

/** A session that is opened, if nothing has ended the person's sessions since `epoch`. */
export interface SessionRow {
  readonly id: string
  /** Hexadecimal. */
  readonly token_sha256: string
  readonly person: string
  readonly method: string
  readonly epoch: number
  /** What the browser says of itself. */
  readonly client: string
  /** When its person signed in, where that was before; null: now. */
  readonly created_at: string | null
  readonly expires_at: string
}

/** What a person proves to be himself with. */
export interface CredentialRow {
  readonly person: string
  readonly kind: 'password' | 'totp' | 'recovery'
  readonly id: string
  readonly value: string
  readonly is_usable: boolean
}

/** What a batch changes of who may use the service. */
export interface AccessChange {
  readonly keysMade?: readonly KeyRow[]
  /** By id. */
  readonly keysRevoked?: readonly { readonly id: string }[]
  /** Keys that end then, or earlier where they were to. */
  readonly keysEnding?: readonly { readonly id: string; readonly expires_at: string }[]
  readonly peopleSet?: readonly PersonRow[]
  /** With all that lets them in. */
  readonly peopleRemoved?: readonly { readonly id: string }[]
  readonly ownersAdded?: readonly AgentOwner[]
  readonly ownersRemoved?: readonly AgentOwner[]
  /** Whose sessions and sign-ins under way end, and with `links` their sign-in links. */
  readonly signedOut?: readonly { readonly id: string; readonly links: boolean }[]
  /** Sign-in links that are made. */
  readonly linksMade?: readonly SignInLinkRow[]
  readonly sessionsOpened?: readonly SessionRow[]
  readonly accountsConfirmed?: readonly AccountRow[]
  /** By id. */
  readonly sessionsEnded?: readonly { readonly id: string }[]
  readonly credentialsSet?: readonly CredentialRow[]
  /** All of a kind. */
  readonly credentialsRemoved?: readonly Pick<CredentialRow, 'person' | 'kind'>[]
}

/** A passkey that is registered. */
export interface PasskeyRow {
  readonly id: string
  readonly person: string
  /** Hexadecimal. */
  readonly user_handle: string
  readonly name: string
  readonly transports: readonly string[]
  readonly registered: number
  /** The text of the record that registers it. */
  readonly record: string
  readonly removed: number | null
  readonly sign_count: number
}

/** A passkey that signed, or was removed. */
export interface PasskeyChange {
  readonly id: string
  readonly removed: number | null
  readonly sign_count: number
  readonly signed: boolean
}

/** Whose data the payload of a decision holds. */
export interface SubjectRow {
  /** Hexadecimal. */
  readonly subject: string
  readonly index: number
}

/** A row of `subject_key`. */
export interface SubjectKeyRow {
  readonly id: string
  /** Hexadecimal. */
  readonly subject: string
  readonly master: string
  /** Hexadecimal. */
  readonly wrapped: string
}

/** A row of `payload_sealing`. */
export interface SealingRow {
  readonly index: number
  readonly key: string | null
  /** As in the record; null where that has none. */
  readonly fingerprint: string | null
}

/** Payloads of one batch that are erased, each with its salt. */
export interface ErasureRow {
  /** The index of the batch's first record; null: they are in cold storage, and only whose data it was is forgotten. */
  readonly first: number | null
  readonly indices: readonly number[]
}

/** A row of `archive_segment`. */
export interface SegmentRow {
  readonly first: number
  readonly stop: number
  readonly index: number
  readonly store: string
  readonly manifest: string
  readonly payloads: string
}

/** A row of `hold`. */
export interface HoldRow {
  readonly name: string
  readonly index: number
}

/** Every row that follows from a batch's records, each key once and in its last state. */
export interface BatchRows {
  readonly calls: readonly CallRow[]
  readonly outcomes: readonly OutcomeRow[]
  readonly approvals: readonly ApprovalRow[]
  readonly votes: readonly VoteRow[]
  /** What its decisions use of counters. */
  readonly entries: readonly CounterRow[]
  /** What its outcomes give back of what earlier batches used. */
  readonly released: readonly ReleasedRow[]
  readonly marks: readonly MarkRow[]
  readonly suspensions: readonly SuspensionRow[]
  readonly delegations: readonly DelegationRow[]
  readonly grantsMade: readonly GrantRow[]
  readonly grantUses: readonly GrantUseRow[]
  readonly grantsRevoked: readonly GrantEndRow[]
  /** By the database's clock, the batch is written before this instant, RFC 3339, or not at all. */
  readonly notAfter: string | undefined
  readonly passkeysMade: readonly PasskeyRow[]
  readonly passkeysChanged: readonly PasskeyChange[]
  /** Whose data its payloads hold. */
  readonly subjects: readonly SubjectRow[]
  /** Keys of people that are made. */
  readonly subjectKeysMade: readonly SubjectKeyRow[]
  /** Keys of people that another master key wraps from here on. */
  readonly subjectKeysRewrapped: readonly SubjectKeyRow[]
  readonly subjectKeysDestroyed: readonly Pick<SubjectKeyRow, 'id'>[]
  /** Whether payloads are sealed from here on. */
  readonly sealings: readonly SealingRow[]
  /** Payloads of earlier batches that are erased. */
  readonly erasures: readonly ErasureRow[]
  readonly segments: readonly SegmentRow[]
  readonly holdsPlaced: readonly HoldRow[]
  readonly holdsLifted: readonly HoldRow[]
  /** Who may use the service. */
  readonly access: Required<AccessChange>
}
