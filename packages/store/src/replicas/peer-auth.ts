import { createHmac, timingSafeEqual } from 'node:crypto'

/** Which message this is, of which process, for which sequencer. */
export interface PeerStamp {
  /** The sequencer that it is for: no other takes it. */
  readonly holder: string
  /** The process that sends it. */
  readonly sender: string
  /** Counts the sender's messages; none is taken twice. */
  readonly number: number
}

const scheme = 'BailiwickPeer'
const pattern =
  /^BailiwickPeer ([0-9a-f-]{36})\.([0-9a-f-]{36})\.([0-9]{1,15})\.([0-9]{1,15})\.([0-9a-f]{64})\.([0-9a-f]{64})$/
/** How far a message may be behind the newest of its sender. */
const windowSize = 4_096

/** The `authorization` of a request between two processes of a ledger. The secret is not in it. */
export function requestAuthorization(secret: Buffer, stamp: PeerStamp, body: Buffer): string {
  const claim = claimOf(secret, stamp, body.length).toString('hex')
  const mac = macOf(secret, 'request', stamp, body).toString('hex')
  return `${scheme} ${stamp.holder}.${stamp.sender}.${stamp.number}.${body.length}.${claim}.${mac}`
}

/** What the answer to the request with this stamp bears: who does not know the secret cannot answer. */
export function replyMac(secret: Buffer, stamp: PeerStamp, body: Buffer): string {
  return macOf(secret, 'reply', stamp, body).toString('hex')
}

/** Whether an answer comes from a process that knows the secret, and answers this request. */
export function isReply(secret: Buffer, stamp: PeerStamp, body: Buffer, mac: string | undefined): boolean {
  return mac !== undefined && sameMac(macOf(secret, 'reply', stamp, body), mac)
}

/** What a request's `authorization` says. */
export interface PeerClaim {
  readonly stamp: PeerStamp
  /** How long the body is, in bytes. */
  readonly length: number
  /** Shows that the sender knows the secret, before there is a body. */
  readonly claim: string
  readonly mac: string
}

/** What an `authorization` claims; undefined where it is of another form. Nothing of it has been proved. */
export function readAuthorization(text: string | undefined): PeerClaim | undefined {
  const [, holder, sender, number, length, claim, mac] = pattern.exec(text ?? '') ?? []
  if (holder === undefined || sender === undefined || claim === undefined || mac === undefined)
    return undefined
  return { stamp: { holder, sender, number: Number(number) }, length: Number(length), claim, mac }
}

/** Whether a body of this length is announced by a process that knows the secret: nobody else's is read. */
export function isAnnounced(secret: Buffer, { stamp, length, claim }: PeerClaim): boolean {
  return sameMac(claimOf(secret, stamp, length), claim)
}

/** Whether a request comes from a process that knows the secret. Takes as long whatever is wrong with it. */
export function isRequest(secret: Buffer, stamp: PeerStamp, body: Buffer, mac: string): boolean {
  return sameMac(macOf(secret, 'request', stamp, body), mac)
}

function claimOf(secret: Buffer, stamp: PeerStamp, length: number): Buffer {
  return macOf(secret, 'claim', stamp, Buffer.from(String(length)))
}

function macOf(secret: Buffer, direction: string, stamp: PeerStamp, body: Buffer): Buffer {
  const { holder, sender, number } = stamp
  return createHmac('sha256', secret)
    .update(`bailiwick ${direction} ${holder} ${sender} ${number}\n`)
    .update(body)
    .digest()
}

function sameMac(expected: Buffer, mac: string): boolean {
  const given = Buffer.from(mac, 'hex')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** Remembers which messages have been taken, so that one that is sent again by whoever saw it is taken once. */
export class TakenMessages {
  readonly #senders = new Map<string, { newest: number; readonly taken: Set<number> }>()

  /** Whether the message is new; it is taken then. */
  take({ sender, number }: PeerStamp): boolean {
    const known = this.#senders.get(sender) ?? { newest: number, taken: new Set<number>() }
    if (number <= known.newest - windowSize || known.taken.has(number)) return false
    this.#senders.set(sender, known)
    known.taken.add(number)
    if (number > known.newest) known.newest = number
    if (known.taken.size > 2 * windowSize) {
      for (const old of known.taken) if (old <= known.newest - windowSize) known.taken.delete(old)
    }
    return true
  }
}
