import { parseIp } from './ip-address.ts'

/** The longest name that DNS knows, in characters. */
const hostUnitsMax = 253
const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const labels = new RegExp(`^${label}(?:\\.${label})*$`)
/** A last label that clients take for a part of an IPv4 address: `127.1`, `0x7f000001`. */
const numeric = /(?:^|\.)(?:\d+|0x[\da-f]*)$/
/** Upper case is turned to lower case among these alone: the Kelvin sign would become a k. */
const beyondHosts = /[^\w.-]/

/**
 * A host in the one form in which it can be compared: lower case, without the dot of the root at the end, an IPv6 address
 * without brackets. Undefined for what is no name of ASCII letters, digits, `-` and `_`, and no strict address: other
 * ways to write a host mean different things to different readers.
 */
export function normalHost(text: string): string | undefined {
  if (text.includes(':')) return normalIpv6(text)
  if (text.length > hostUnitsMax + 1 || beyondHosts.test(text)) return undefined
  const name = text.toLowerCase().replace(/\.$/, '')
  if (name.length > hostUnitsMax || !labels.test(name)) return undefined
  return numeric.test(name) && parseIp(name) === undefined ? undefined : name
}

function normalIpv6(text: string): string | undefined {
  const address = parseIp(text.replace(/^\[(.*)\]$/, '$1'))
  if (address === undefined) return undefined
  return address.bits === 32 ? dotted(address.value) : shortest(address.value)
}

function dotted(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.')
}

/** As RFC 5952 writes it: no leading zeros, and `::` for the first longest run of two zeros or more. */
function shortest(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((value >> BigInt(112 - 16 * at)) & 0xff_ffn).toString(16),
  )
  let [start, length] = [0, 0]
  for (let at = 0; at < 8; at += 1) {
    const run = zerosFrom(groups, at)
    if (run > length) [start, length] = [at, run]
  }
  if (length < 2) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`
}

function zerosFrom(groups: readonly string[], start: number): number {
  const end = groups.findIndex((each, at) => at >= start && each !== '0')
  return (end === -1 ? groups.length : end) - start
}
