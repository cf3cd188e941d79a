import { networkInterfaces } from 'node:os'
import { Fault } from '@bailiwick/core'

/** Where a service listens. */
export interface Listening {
  /** As the operator named it. */
  readonly host: string
  readonly port: number
}

/** What is set up about working together with other services on one database. */
export interface PeerSettings {
  /** False: this service writes by itself, whoever else does. */
  readonly together: boolean
  /** Where others reach this service; undefined: nowhere. */
  readonly url: string | undefined
  readonly replyMs: number | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Where other services on the database reach this one: `BAILIWICK_PEER_URL`, or where it listens. One that listens
 * on every address gives the first that other machines may know, one on a loopback address is reached from this
 * machine. `BAILIWICK_PEER_TIMEOUT` is for how many seconds to wait for another service's answer.
 *
 * @throws Fault `bad_input` for what is no address, or no time
 */
export function peerSettings(env: Environment, listening: Listening): PeerSettings {
  const text = nonEmpty(env['BAILIWICK_PEER_URL'])
  const replyMs = replyTime(nonEmpty(env['BAILIWICK_PEER_TIMEOUT']))
  if (text === 'off') return { together: false, url: undefined, replyMs }
  return { together: true, url: text === undefined ? defaultUrl(listening) : checkedUrl(text), replyMs }
}

/** @throws as `peerSettings` does, before anything has been started */
export function checkPeerSettings(env: Environment): void {
  peerSettings(env, { host: '127.0.0.1', port: 0 })
}

function checkedUrl(text: string): string {
  if (URL.canParse(text)) {
    const { protocol, origin, pathname, search, hash, username } = new URL(text)
    const isOrigin = pathname === '/' && search === '' && hash === '' && username === ''
    if ((protocol === 'http:' || protocol === 'https:') && isOrigin) return origin
  }
  throw new Fault('bad_input', '`BAILIWICK_PEER_URL` is no address of a service', {
    fix: 'Give scheme, host and port alone, such as http://10.0.0.7:7420, or `off`.',
  })
}

function replyTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = /^[0-9]{1,2}$/.test(text) ? Number(text) : 0
  if (seconds >= 1 && seconds <= 60) return seconds * 1000
  throw new Fault('bad_input', '`BAILIWICK_PEER_TIMEOUT` is no number of seconds', {
    fix: 'Give a whole number from 1 to 60; the default is 5.',
  })
}

function defaultUrl({ host, port }: Listening): string | undefined {
  const everywhere = host === '0.0.0.0' || host === '::'
  const address = everywhere ? (outsideAddress() ?? '127.0.0.1') : host
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`
}

// A guess, as good as any: one that is wrong cannot be connected to, and whoever tries writes by himself.
function outsideAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return all.find(({ internal, family }) => !internal && family === 'IPv4')?.address
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
