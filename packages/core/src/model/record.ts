import type { ApprovalId, DecisionId, GrantId, PersonId, Sha256 } from './ids.ts'
import type {
  ApprovalTerms,
  CounterUse,
  DenyCode,
  DeterminingRule,
  Effect,
  Obligation,
  PolicyRef,
  ShadowedDecision,
  StandingUse,
} from './decision.ts'
import type { OutcomeStatus } from './call.ts'
import type { Assertion, RegisteredPasskey } from './passkey.ts'
import type { ApprovalStatus, VoteChoice } from './approval.ts'
import type { VoteChannel } from './vote-channel.ts'

/** What every record of the log starts from. Stored and hashed as canonical JSON (RFC 8785). */
interface RecordBase {
  /** The record format's version. */
  readonly v: 1
  readonly ledger: string
  /** Zero-based position in the ledger's log. */
  readonly index: number
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string
  /**
   * Commitment to what is kept apart so that it can be erased: SHA-256(salt ‖ JCS(payload)), the salt
   * 32 random bytes. Null where the record has no payload.
   */
  readonly payload: Sha256 | null
}

/**
 * A decision, whatever its effect. Its payload is `{params, context}`, with `facts` where anything beside the time was
 * known, and `keys` where it consumes: the keys of `consumes`, in the same order.
 */
export interface DecisionRecord extends RecordBase {
  readonly kind: 'decision'
  readonly id: DecisionId
  readonly agent: string
  readonly action: string
  readonly callId: string | null
  readonly effect: Effect
  readonly code: DenyCode | null
  readonly reasons: readonly string[]
  readonly rules: readonly DeterminingRule[]
  readonly policy: PolicyRef | null
  /** The approval it opened: only with effect `escalate`. */
  readonly opens: OpenedApproval | null
  /** The approval that the caller claimed, and whether this decision used it up. */
  readonly claims: { readonly id: string; readonly consumed: boolean } | null
  /** What it takes from budgets and rates: only with effect `allow`, and only where it takes something. */
  readonly consumes?: readonly RecordedUse[] | undefined
  /** What its session is marked with, beside the action: only with effect `allow`, in a session. */
  readonly labels?: readonly string[] | undefined
  /** What has to be done beside the action: only with effect `allow`, and only where there is something. */
  readonly obligations?: readonly Obligation[] | undefined
  /** The session that the call named, where it named one. */
  readonly session?: string | undefined
  /** What a policy in shadow mode would have decided, where that is something else. */
  readonly shadow?: ShadowedDecision | undefined
  /** The standing grant that it used: only with effect `allow`, and only where one let it through. */
  readonly standing?: StandingUse | undefined
}

/** The approval that an escalation opens. Instants are RFC 3339, and hold whatever the zones' rules become. */
export interface OpenedApproval {
  readonly id: ApprovalId
  readonly terms: ApprovalTerms
  readonly deadline: string
  /** When each of the terms' `escalateTo` begins to be asked. */
  readonly escalatesAt?: readonly string[] | undefined
  /** When people are told again, ascending. */
  readonly promptsAt?: readonly string[] | undefined
}

/** What a decision takes from one counter. Its key may hold personal data, and is in the payload. */
export type RecordedUse = Omit<CounterUse, 'key'>

/** What became of an allowed call. Its payload is `{detail, result}`. */
export interface OutcomeRecord extends RecordBase {
  readonly kind: 'outcome'
  readonly decision: DecisionId
  readonly agent: string
  readonly status: OutcomeStatus
}

/** One person's vote. Its payload is `{comment}`. */
export interface VoteRecord extends RecordBase {
  readonly kind: 'vote'
  readonly approval: ApprovalId
  readonly person: PersonId
  readonly vote: VoteChoice
  /** Where the approval stands after this vote. */
  readonly status: ApprovalStatus
  /** What the person was asked about: `approvalDigest`. Records of earlier versions lack it. */
  readonly digest?: Sha256 | undefined
  /** The person's passkey over the vote's statement, where the approval asks for signed votes. */
  readonly signature?: Assertion | undefined
  /** In whose stead, where somebody has delegated their votes to the person. */
  readonly for?: PersonId | undefined
  /** The entries of the terms' `quorumOf` that it can stand for, where there are any. */
  readonly counts?: readonly string[] | undefined
  /** Cast in an emergency, by the terms' `breakGlass`; the comment says why. */
  readonly breakGlass?: true | undefined
  /** Over which channel it came. Records of earlier versions lack it. */
  readonly channel?: VoteChannel | undefined
  /** What the person grants beside the one call, within the terms' `standing`. */
  readonly standing?: RecordedStanding | undefined
  /** The standing grant that the votes on the approval make together: only with the vote that completes them. */
  readonly grant?: RecordedStanding | undefined
}

/** So many more calls like the approved one, before `until`, RFC 3339 as `instantText` writes it. */
export interface RecordedStanding {
  readonly uses: number
  readonly until: string
}

/** A standing grant was ended before its time. Its payload is `{reason}`. */
export interface RevocationRecord extends RecordBase {
  readonly kind: 'revocation'
  readonly grant: GrantId
  readonly agent: string
  readonly action: string
  /** As in `SuspensionRecord`. */
  readonly by: string
}

/** People were told again of an approval that waits, or others are asked from here on. */
export interface ReminderRecord extends RecordBase {
  readonly kind: 'reminder'
  readonly approval: ApprovalId
  readonly agent: string
  readonly action: string
  /** Who is asked from here on, as well; empty where those who were asked are reminded. */
  readonly asks: readonly string[]
  /** When they are to be told again, RFC 3339; null where never. */
  readonly next: string | null
}

/** Somebody votes in another person's stead for a time, or no longer does. Its payload is `{reason}`. */
export interface DelegationRecord extends RecordBase {
  readonly kind: 'delegation'
  readonly event: 'granted' | 'revoked'
  /** `dlg_` and the index of the record that granted it. */
  readonly delegation: string
  /** Whose votes they are. */
  readonly from: PersonId
  /** Who casts them. */
  readonly to: PersonId
  /** RFC 3339: from when on, and until when. */
  readonly starts: string
  readonly ends: string
  /** As in `SuspensionRecord`. */
  readonly by: string
}

/** An approval that was withdrawn before it was used. Its payload is `{reason}`. */
export interface CancellationRecord extends RecordBase {
  readonly kind: 'cancellation'
  readonly approval: ApprovalId
  readonly agent: string
  readonly action: string
  /** A person's id, `operator` for whoever runs commands beside the service, or `agent` for the agent that had asked. */
  readonly by: string
}

/** An approval whose deadline passed without enough votes. Silence is a denial. */
export interface ExpiryRecord extends RecordBase {
  readonly kind: 'expiry'
  readonly approval: ApprovalId
  readonly agent: string
  readonly action: string
}

/** A policy that decides from here on. Its payload is `{source}`, and `parents` where it extends files. */
export interface PolicyRecord extends RecordBase {
  readonly kind: 'policy'
  readonly policy: PolicyRef
}

/** A change of who may use the service: keys of agents, people and their roles. */
export interface AccessRecord extends RecordBase {
  readonly kind: 'access'
  readonly event:
    | 'key_created'
    | 'key_revoked'
    | 'key_rotated'
    | 'owner_added'
    | 'owner_removed'
    | 'password_removed'
    | 'password_set'
    | 'person_created'
    | 'person_removed'
    | 'recovery_codes_made'
    | 'roles_changed'
    | 'session_ended'
    | 'sessions_revoked'
    | 'sign_in_link_created'
    | 'signed_in'
    | 'signed_out'
    | 'totp_added'
    | 'totp_removed'
    | 'passkey_registered'
    | 'passkey_removed'
    | 'account_confirmed'
    | 'account_linked'
    | 'account_unlinked'
  /** The key's id or the person's; of an owner, the agent. Never a secret. */
  readonly subject: string
  /**
   * The agent a key is bound to, and of a key that is rotated the id of the new one; the person's roles; how a person
   * signed in; the id of a session that was ended; the person who stands behind the agent;
   * the account of a channel, such as `slack:U0123456789`.
   */
  readonly grants: readonly string[]
  /** Who made the change, as in `SuspensionRecord`, where it was not the subject. */
  readonly by?: string | undefined
  /** RFC 3339: when a key ends, where it does. */
  readonly until?: string | undefined
  /** Which passkey was registered or removed. */
  readonly passkey?: RegisteredPasskey | undefined
}

/** An agent was suspended, or may decide again. Its payload is `{reason}`. */
export interface SuspensionRecord extends RecordBase {
  readonly kind: 'suspension'
  readonly agent: string
  readonly state: 'suspended' | 'active'
  /** A person's id, or `operator` for whoever runs commands beside the service. */
  readonly by: string
}

/** Payloads that were erased, each with its salt, in the transaction that wrote this. Its payload is `{reason}`. */
export interface ErasureRecord extends RecordBase {
  readonly kind: 'erasure'
  /** What was asked for: one decision, or everything about one person, who is not named here. */
  readonly scope: 'decision' | 'subject'
  /** The indices of the records whose payloads were erased, in ascending order. */
  readonly records: readonly number[]
  /** The ids of the subject keys that were destroyed with it: whatever was sealed with one cannot be read any more, anywhere. */
  readonly keys?: readonly string[] | undefined
  /** As in `SuspensionRecord`. */
  readonly by: string
}

/** From here on, payloads that hold data of people are sealed, or no longer are. */
export interface SealingRecord extends RecordBase {
  readonly kind: 'sealing'
  readonly event: 'on' | 'off'
  /** The id of the master key under which the keys of people are wrapped; null where nothing is sealed from here on. */
  readonly key: string | null
  /**
   * Of the secret under which people are found: its HMAC under that master key. Whoever has the key can tell by it that the
   * secret is the one of then. Absent with `off`, and in records of before.
   */
  readonly fingerprint?: Sha256 | undefined
  /** As in `SuspensionRecord`. */
  readonly by: string
}

/** Records that were copied into cold storage, read back and verified; they may leave the database from here on. */
export interface ArchiveRecord extends RecordBase {
  readonly kind: 'archive'
  /** The index of the first record of the segment. */
  readonly first: number
  /** The index after its last record. */
  readonly end: number
  /** The log's frontier at `end`, as `encodeFrontier` writes it, in hexadecimal. */
  readonly frontier: string
  /** SHA-256 of the segment's manifest, in hexadecimal. */
  readonly manifest: Sha256
  /** Where it was put: the store's address without secrets. */
  readonly store: string
}

/** A legal hold: while it stands, nothing of what it covers is erased, archived away or deleted. Its payload is `{reason}`. */
export interface HoldRecord extends RecordBase {
  readonly kind: 'hold'
  /** The hold's name. */
  readonly hold: string
  readonly event: 'placed' | 'lifted'
  /** As in `SuspensionRecord`. */
  readonly by: string
}

/** What a person looked at. Its payload is `{reason, filter}`: why, and by what it was searched for, of a text `true`. */
export interface ReadRecord extends RecordBase {
  readonly kind: 'read'
  readonly person: string
  /** `reveal`: with sensitive fields, for a reason; all others with these masked, or without params at all. */
  readonly what: 'list' | 'search' | 'decision' | 'approval' | 'reveal' | 'export'
  /** The indices of the records that were shown, in ascending order. */
  readonly records: readonly number[]
}

/** A key that signs the log's checkpoints from here on, or no longer does. */
export interface KeyRecord extends RecordBase {
  readonly kind: 'key'
  readonly event: 'added' | 'retired'
  /** As `verifierKey` writes it: name, key id and public key. */
  readonly verifierKey: string
  /** As in `SuspensionRecord`. */
  readonly by: string
}

export type LogRecord =
  | DecisionRecord
  | OutcomeRecord
  | VoteRecord
  | ExpiryRecord
  | CancellationRecord
  | ReminderRecord
  | DelegationRecord
  | RevocationRecord
  | PolicyRecord
  | AccessRecord
  | SuspensionRecord
  | ErasureRecord
  | SealingRecord
  | ArchiveRecord
  | HoldRecord
  | ReadRecord
  | KeyRecord

/** A record as its author knows it: the sequencer adds version, ledger, index and time. */
export type RecordBody = WithoutBase<LogRecord>
type WithoutBase<R> = R extends LogRecord ? Omit<R, 'v' | 'ledger' | 'index' | 'at' | 'payload'> : never
