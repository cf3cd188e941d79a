import { generateKeyPairSync, hash, sign, type KeyObject } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cosignedMessage, Fault, openCheckpoint, verifyConsistency, type Checkpoint } from '@bailiwick/core'

/** A witness by C2SP tlog-witness, as strict as the specification; for one log. */
export class TestWitness {
  readonly verifierKey: string
  /** Bodies as they came. */
  readonly received: string[] = []
  /** Answers instead of doing its work, where set. */
  instead: { status: number; type?: string; body: string } | undefined
  /** Spoils what it signs. */
  liar = false
  /** Signs the note with a line more, and sends that line along. */
  smuggles = false
  seen: Checkpoint | undefined
  readonly #name: string
  readonly #keyId: Buffer
  readonly #privateKey: KeyObject
  readonly #logKeys: readonly string[]
  readonly #server: Server

  constructor(name: string, logKeys: readonly string[]) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
    const typed = Buffer.concat([Buffer.of(0x04), raw])
    this.#name = name
    this.#privateKey = privateKey
    this.#keyId = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'buffer').subarray(0, 4)
    this.verifierKey = `${name}+${this.#keyId.toString('hex')}+${typed.toString('base64')}`
    this.#logKeys = logKeys
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8')
        this.received.push(body)
        const answer =
          request.url === '/w/add-checkpoint' && request.method === 'POST'
            ? (this.instead ?? this.#add(body))
            : { status: 404, body: '' }
        response.writeHead(answer.status, { 'content-type': answer.type ?? 'text/plain' }).end(answer.body)
      })
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/w/`
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  #add(body: string): { status: number; type?: string; body: string } {
    const split = body.indexOf('\n\n')
    const [oldLine = '', ...proofLines] = body.slice(0, split).split('\n')
    const old = Number(/^old (0|[1-9][0-9]*)$/.exec(oldLine)?.[1] ?? Number.NaN)
    const note = body.slice(split + 2)
    let next: Checkpoint
    try {
      next = openCheckpoint(note, this.#logKeys)
    } catch (fault) {
      return { status: fault instanceof Fault ? 403 : 500, body: '' }
    }
    if (!Number.isSafeInteger(old) || old > next.size) return { status: 400, body: '' }
    const known = this.seen?.size ?? 0
    if (old !== known) return { status: 409, type: 'text/x.tlog.size', body: `${known}\n` }
    const proof = proofLines.map((line) => Buffer.from(line, 'base64'))
    if (this.seen !== undefined) {
      const same = old === next.size && proof.length === 0 && Buffer.from(this.seen.root).equals(next.root)
      const { root } = this.seen
      const claim = { from: old, to: next.size, fromRoot: root, toRoot: next.root, proof }
      if (!same && !verifyConsistency(claim)) return { status: 422, body: '' }
    } else if (proof.length > 0) return { status: 400, body: '' }
    this.seen = next
    if (this.smuggles) return { status: 200, body: `extra\n\n${this.#cosignature(`${note}extra\n`)}` }
    return { status: 200, body: this.#cosignature(note.slice(0, note.lastIndexOf('\n\n') + 1)) }
  }

  #cosignature(text: string): string {
    const time = Math.floor(Date.now() / 1000)
    const stamp = Buffer.alloc(8)
    stamp.writeBigUInt64BE(BigInt(time))
    const signature = sign(null, cosignedMessage(text, this.liar ? time + 1 : time), this.#privateKey)
    return `— ${this.#name} ${Buffer.concat([this.#keyId, stamp, signature]).toString('base64')}\n`
  }
}
