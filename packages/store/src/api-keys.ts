// The API keys that agents get in with: made, rotated, revoked, listed. For whom one speaks, `key-lookup.ts` finds out.
import { randomBytes } from 'node:crypto'
import { Fault, instantText, nameLengthMax, type Instant } from '@bailiwick/core'
import { newToken, sha256 } from './identity/secrets.ts'
import type { Ledger } from './ledger.ts'
import type { Queryable } from './log/batches.ts'
import type { ChangedBy } from './operations/access.ts'

const overlapMaxMs = 90 * 24 * 60 * 60 * 1000

/** A key as listed: never its secret. */
export interface ListedKey {
  readonly id: string
  /** What the key begins with; enough to find it where it is used. */
  readonly prefix: string
  readonly agent: string
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  /** To the hour. */
  readonly lastUsedAt: string | null
  /** The id of the key whose place it took. */
  readonly replaces: string | null
}

/** A key that was made. It is shown this once; only its hash is kept. */
export interface NewKey {
  readonly id: string
  readonly key: string
  readonly agent: string
  readonly expiresAt: string | null
}

/** How a key is made. */
export interface NewKeyOptions extends ChangedBy {
  /** How long it is good for; for ever, unless given. */
  readonly lifetimeMs?: number | undefined
}

/** How a key takes the place of another. */
export interface RotationOptions extends NewKeyOptions {
  /** How much longer the other one is good. */
  readonly overlapMs: number
}

/** A key that takes the place of another. */
export interface RotatedKey extends NewKey {
  /** The id of the other one. */
  readonly replaces: string
  /** Until when that is good. */
  readonly oldEndsAt: string
}

/**
 * Makes an API key bound to an agent. The key is shown this once; only its hash is kept.
 *
 * @throws Fault `bad_input` for what is no agent
 */
export async function createKey(
  ledger: Ledger,
  agent: string,
  { lifetimeMs, by, session }: NewKeyOptions,
): Promise<NewKey> {
  if (!/^[^\s\p{C}]+$/u.test(agent) || agent.length > nameLengthMax) {
    throw new Fault('bad_input', `\`${agent}\` is no agent id`, {
      fix: `Use 1 to ${nameLengthMax} characters without white space, as in the policy's agent_id.`,
    })
  }
  const { row, key } = madeKey(agent, expiry(ledger, lifetimeMs), null)
  const until = row.expires_at ?? undefined
  await ledger.changeAccess(
    { kind: 'access', event: 'key_created', subject: row.id, grants: [agent], by, until },
    { keysMade: [row] },
    undefined,
    session,
  )
  return { id: row.id, key, agent, expiresAt: row.expires_at }
}

/**
 * Makes a key that takes the place of another, which stays good for as long as `overlapMs` says, so that the agent can
 * change over without a gap. Both in one transaction.
 *
 * @throws Fault `not_found`; `conflict` where the key is no longer good; `bad_input` for an overlap over 90 days
 */
export async function rotateKey(
  ledger: Ledger,
  id: string,
  { overlapMs, lifetimeMs, by, session }: RotationOptions,
): Promise<RotatedKey> {
  if (!(overlapMs >= 0 && overlapMs <= overlapMaxMs)) {
    throw new Fault('bad_input', 'the overlap is not between nothing and 90 days', {
      fix: 'Give a shorter one, such as 24h.',
    })
  }
  const old = (await listKeys(ledger.pool)).find((key) => key.id === id)
  if (old === undefined) throw noKey(id)
  const now = ledger.now()
  if (old.revokedAt !== null || (old.expiresAt !== null && Date.parse(old.expiresAt) <= now)) {
    throw new Fault('conflict', `the key \`${id}\` is no longer good`, {
      fix: 'Make a new one with `bailiwick keys create`.',
    })
  }
  const ends = now + overlapMs
  const oldEndsAt = instantText(
    (old.expiresAt === null ? ends : Math.min(ends, Date.parse(old.expiresAt))) as Instant,
  )
  const { row, key } = madeKey(old.agent, expiry(ledger, lifetimeMs ?? lifetimeOf(old)), id)
  const grants = [old.agent, row.id]
  await ledger.changeAccess(
    { kind: 'access', event: 'key_rotated', subject: id, grants, by, until: oldEndsAt },
    { keysMade: [row], keysEnding: [{ id, expires_at: oldEndsAt }] },
    undefined,
    session,
  )
  return { id: row.id, key, agent: old.agent, expiresAt: row.expires_at, replaces: id, oldEndsAt }
}

/** For how long a key was made; undefined for one that is good for ever. */
function lifetimeOf({ createdAt, expiresAt }: ListedKey): number | undefined {
  return expiresAt === null ? undefined : Date.parse(expiresAt) - Date.parse(createdAt)
}

/** Makes a key useless from the next request on. @throws Fault `not_found` */
export async function revokeKey(ledger: Ledger, id: string, { by, session }: ChangedBy): Promise<void> {
  const { rows } = await ledger.pool.query<{ agent: string }>('select agent from api_key where id = $1', [id])
  const row = rows[0]
  if (!row) throw noKey(id)
  await ledger.changeAccess(
    { kind: 'access', event: 'key_revoked', subject: id, grants: [row.agent], by },
    { keysRevoked: [{ id }] },
    undefined,
    session,
  )
}

/** All keys, also those that are no longer good, the oldest first. */
export async function listKeys(client: Queryable): Promise<ListedKey[]> {
  const { rows } = await client.query<{
    id: string
    agent: string
    created_at: Date
    expires_at: Date | null
    revoked_at: Date | null
    last_used_at: Date | null
    replaces: string | null
  }>(
    // Whoever writes `infinity` by hand means what it says: never, or at once.
    `select id, agent, created_at, revoked_at, last_used_at, replaces,
      case when expires_at = '-infinity' then created_at else nullif(expires_at, 'infinity') end as expires_at
    from api_key order by created_at, id`,
  )
  return rows.map((row) => ({
    id: row.id,
    prefix: `bw_${row.id}_`,
    agent: row.agent,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    replaces: row.replaces,
  }))
}

function expiry(ledger: Ledger, lifetimeMs: number | undefined): string | null {
  return lifetimeMs === undefined ? null : instantText((ledger.now() + lifetimeMs) as Instant)
}

function madeKey(agent: string, expires_at: string | null, replaces: string | null) {
  const id = randomBytes(8).toString('hex')
  const secret = newToken()
  const row = { id, agent, secret_sha256: sha256(secret).toString('hex'), expires_at, replaces }
  return { row, key: `bw_${id}_${secret}` }
}

function noKey(id: string): Fault {
  return new Fault('not_found', `no key \`${id}\``, { fix: 'See `bailiwick keys list`.' })
}
