import { hash, randomBytes } from 'node:crypto'
import { instantText, type Instant } from '@bailiwick/core'
import type pg from 'pg'

/** What a link in an e-mail stands for. */
export interface MailLink {
  /** The index of the decision that opened the approval. */
  readonly approval: number
  readonly digest: string
  readonly person: string
  readonly expiresAt: Instant
  readonly used: boolean
}

/** How long links that are no good any more are kept, so that whoever follows one late is told what became of it. */
const linkKeptMs = 30 * 24 * 60 * 60 * 1000

const insertPost = {
  name: 'channel_post_keep',
  text: `insert into channel_post (ledger, approval, channel, place, posted_at) values ($1, $2, $3, $4, $5)
    on conflict do nothing`,
}
const selectPosts = {
  name: 'channel_posts',
  text: 'select place from channel_post where ledger = $1 and approval = $2 and channel = $3 order by place',
}
const insertLink = {
  name: 'mail_link_make',
  text: `insert into mail_link (ledger, token_sha256, approval, digest, person, expires_at)
    values ($1, $2, $3, $4, $5, $6)`,
}
const selectLink = {
  name: 'mail_link_find',
  text: `select approval, digest, person, (extract(epoch from expires_at) * 1000)::bigint as expires_at,
      used_at is not null as used
    from mail_link where ledger = $1 and token_sha256 = $2`,
}
const useLink = {
  name: 'mail_link_use',
  text: `update mail_link set used_at = $3
    where ledger = $1 and token_sha256 = $2 and used_at is null and expires_at > $3`,
}
const giveLinkBack = {
  name: 'mail_link_give_back',
  text: 'update mail_link set used_at = null where ledger = $1 and token_sha256 = $2',
}
const forgetLinks = {
  name: 'mail_links_forget',
  text: 'delete from mail_link where ledger = $1 and expires_at < $2',
}
const insertTaken = {
  name: 'taken_request_take',
  text: `insert into taken_request (ledger, channel, signature_sha256, taken_at) values ($1, $2, $3, $4)
    on conflict do nothing`,
}
const forgetTaken = {
  name: 'taken_requests_forget',
  text: 'delete from taken_request where ledger = $1 and channel = $2 and taken_at < $3',
}
const selectIdentity = {
  name: 'channel_identity_find',
  text: 'select person from channel_identity where ledger = $1 and channel = $2 and account = $3',
}
const setIdentity = {
  name: 'channel_identity_set',
  text: `insert into channel_identity (ledger, channel, account, person) values ($1, $2, $3, $4)
    on conflict (ledger, channel, account) do update set person = excluded.person`,
}
const selectConfirmation = {
  name: 'channel_confirmation_find',
  text: `select from channel_confirmation where ledger = $1 and channel = $2 and account = $3 and person = $4`,
}
const removeConfirmation = {
  name: 'channel_confirmation_remove',
  text: 'delete from channel_confirmation where ledger = $1 and channel = $2 and account = $3',
}
const removeIdentity = {
  name: 'channel_identity_remove',
  text: 'delete from channel_identity where ledger = $1 and channel = $2 and account = $3',
}

/**
 * What channels remember between a message and its answer, in a ledger's database. None of it decides anything: a row
 * that somebody changed lets nobody vote who is not entitled, but may let one entitled person answer as another.
 *
 * Every method rejects where the database fails.
 */
export class ChannelStore {
  readonly #pool: Pick<pg.Pool, 'query'>
  readonly #ledger: string

  constructor(pool: Pick<pg.Pool, 'query'>, ledger: string) {
    this.#pool = pool
    this.#ledger = ledger
  }

  /** Remembers where a message about an approval stands. @param place what the channel calls it, as JSON text */
  async keepPost(channel: string, approval: number, place: string, at: Instant): Promise<void> {
    await this.#pool.query({
      ...insertPost,
      values: [this.#ledger, approval, channel, place, instantText(at)],
    })
  }

  /** Where messages about an approval stand. */
  async posts(channel: string, approval: number): Promise<string[]> {
    const { rows } = await this.#pool.query<{ place: string }>({
      ...selectPosts,
      values: [this.#ledger, approval, channel],
    })
    return rows.map(({ place }) => place)
  }

  /** Makes a token for a link: 256 random bits, of which only the hash is kept. */
  async makeMailLink(link: Omit<MailLink, 'used'>): Promise<string> {
    const token = randomBytes(32).toString('base64url')
    const { approval, digest, person, expiresAt } = link
    await this.#pool.query({
      ...insertLink,
      values: [this.#ledger, sha256(token), approval, digest, person, instantText(expiresAt)],
    })
    return token
  }

  /** What a token stands for; looking changes nothing. */
  async mailLink(token: string): Promise<MailLink | undefined> {
    const { rows } = await this.#pool.query<{
      approval: string
      digest: string
      person: string
      expires_at: string
      used: boolean
    }>({ ...selectLink, values: [this.#ledger, sha256(token)] })
    const [row] = rows
    if (row === undefined) return undefined
    const { approval, expires_at: expiresAt, ...rest } = row
    return { ...rest, approval: Number(approval), expiresAt: Number(expiresAt) as Instant }
  }

  /** Uses a token up; false where it had been used, or is too old. Of several at once, one is told true. */
  async useMailLink(token: string, at: Instant): Promise<boolean> {
    const { rowCount } = await this.#pool.query({
      ...useLink,
      values: [this.#ledger, sha256(token), instantText(at)],
    })
    return rowCount === 1
  }

  /** Gives a token back whose vote was not recorded. */
  async giveMailLinkBack(token: string): Promise<void> {
    await this.#pool.query({ ...giveLinkBack, values: [this.#ledger, sha256(token)] })
  }

  /** Forgets links that have been no good for long. */
  async forgetMailLinks(now: Instant): Promise<void> {
    await this.#pool.query({
      ...forgetLinks,
      values: [this.#ledger, instantText((now - linkKeptMs) as Instant)],
    })
  }

  /**
   * Takes a signed request, once; false where it was taken before, by whichever process. Signatures that were taken more
   * than `keptMs` ago are forgotten: by then their own time must have run out.
   */
  async takeRequest(channel: string, signature: string, now: Instant, keptMs: number): Promise<boolean> {
    const { rowCount } = await this.#pool.query({
      ...insertTaken,
      values: [this.#ledger, channel, sha256(signature), instantText(now)],
    })
    if (rowCount !== 1) return false
    const before = instantText((now - keptMs) as Instant)
    await this.#pool.query({ ...forgetTaken, values: [this.#ledger, channel, before] })
    return true
  }

  /** The person that an account of a channel stands for. */
  async personOf(channel: string, account: string): Promise<string | undefined> {
    const { rows } = await this.#pool.query<{ person: string }>({
      ...selectIdentity,
      values: [this.#ledger, channel, account],
    })
    return rows[0]?.person
  }

  /** Says whose an account is; `Access` records it. */
  async setPersonOf(channel: string, account: string, person: string): Promise<void> {
    await this.#pool.query({ ...setIdentity, values: [this.#ledger, channel, account, person] })
  }

  /** Whether a person has confirmed that an account is theirs. */
  async isConfirmed(channel: string, account: string, person: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query({
      ...selectConfirmation,
      values: [this.#ledger, channel, account, person],
    })
    return rowCount === 1
  }

  /** Says that an account is nobody's, also where somebody had confirmed it. */
  async forgetAccount(channel: string, account: string): Promise<void> {
    await this.#pool.query({ ...removeConfirmation, values: [this.#ledger, channel, account] })
    await this.#pool.query({ ...removeIdentity, values: [this.#ledger, channel, account] })
  }
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
