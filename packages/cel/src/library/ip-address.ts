/** An address as a number of 32 or 128 bits. An IPv6 address that stands for an IPv4 one is that one. */
export interface IpAddress {
  readonly bits: 32 | 128
  readonly value: bigint
}

/** All addresses from one to another, both included. */
export interface IpRange {
  readonly bits: 32 | 128
  readonly first: bigint
  readonly last: bigint
}

const mappedPrefix = 0xff_ffn

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`)
const group = /^[\dA-Fa-f]{1,4}$/

/** The longest text of an address: eight groups, of which the last two are written as an IPv4 address. */
const addressUnitsMax = 45

/**
 * Reads an IPv4 or IPv6 address, strictly: four decimal numbers without leading zeros, or groups of RFC 4291 without a
 * zone and without brackets.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (text.length > addressUnitsMax) return undefined
  if (ipv4.test(text)) return { bits: 32, value: ipv4Value(text) }
  const value = ipv6Value(text)
  if (value === undefined) return undefined
  return value >> 32n === mappedPrefix ? { bits: 32, value: BigInt.asUintN(32, value) } : { bits: 128, value }
}

/**
 * Reads `10.0.0.0/8` or `2001:db8::/32`. Bits beyond the prefix must be zero: they would be ignored, and are more
 * often a mistake than meant.
 */
export function parseIpRange(text: string): IpRange | undefined {
  const [, address = '', digits = ''] = /^([^/]*)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const parsed = parseIp(address)
  if (parsed === undefined) return undefined
  // The prefix of an IPv4 range may be written as IPv6 counts it: ::ffff:10.0.0.0/104.
  const prefix = parsed.bits === 32 && address.includes(':') ? Number(digits) - 96 : Number(digits)
  if (prefix < 0 || prefix > parsed.bits) return undefined
  const behind = (1n << BigInt(parsed.bits - prefix)) - 1n
  if ((parsed.value & behind) !== 0n) return undefined
  return { bits: parsed.bits, first: parsed.value, last: parsed.value + behind }
}

/** Whether the address is one of the range. An address of the other family is not. */
export function isInRange({ bits, value }: IpAddress, range: IpRange): boolean {
  return bits === range.bits && value >= range.first && value <= range.last
}

function ipv4Value(text: string): bigint {
  return BigInt(text.split('.').reduce((value, each) => value * 256 + Number(each), 0))
}

function ipv6Value(text: string): bigint | undefined {
  const halves = withoutIpv4(text)?.split('::')
  if (halves === undefined || halves.length > 2) return undefined
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')))
  if (head === undefined) return undefined
  const missing = 8 - head.length - (tail?.length ?? 0)
  // `::` stands for one group of zeros at least.
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...(tail ?? [])]
  if (!groups.every((each) => group.test(each))) return undefined
  return groups.reduce((value, each) => (value << 16n) | BigInt(`0x${each}`), 0n)
}

/** The text with an IPv4 address at its end written as two groups; undefined where that is no IPv4 address. */
function withoutIpv4(text: string): string | undefined {
  if (!text.includes('.')) return text
  const start = text.lastIndexOf(':') + 1
  const last = text.slice(start)
  if (!ipv4.test(last)) return undefined
  const value = ipv4Value(last)
  return `${text.slice(0, start)}${(value >> 16n).toString(16)}:${(value & 0xff_ffn).toString(16)}`
}
