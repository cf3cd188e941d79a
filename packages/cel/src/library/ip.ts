import { CelFailure } from '../value.ts'
import type { CelValue } from '../value.ts'
import type { LibraryFunction } from './entry.ts'
import { free } from './forms.ts'
import { isInRange, parseIp, parseIpRange } from './ip-address.ts'
import type { IpAddress, IpRange } from './ip-address.ts'
import { readingSteps } from './limits.ts'

/** What is not reachable from everywhere on the internet, after the registries of special-purpose addresses. */
const specialRanges: readonly IpRange[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Of IPv6, global addresses are assigned from 2000::/3 alone.
  '::/3',
  '2001::/23',
  '2001:db8::/32',
  '3fff::/20',
  '4000::/2',
  '8000::/1',
].flatMap((text) => parseIpRange(text) ?? [])

/** Ranges of IPv6 that carry an IPv4 address, and how many bits stand behind it. */
const carriers: readonly (readonly [IpRange, bigint])[] = [
  ...carrier('64:ff9b::/96', 0n),
  ...carrier('2002::/16', 80n),
]

function carrier(text: string, bitsBehind: bigint): readonly (readonly [IpRange, bigint])[] {
  const range = parseIpRange(text)
  return range === undefined ? [] : [[range, bitsBehind]]
}

function isSpecial(address: IpAddress): boolean {
  for (const [range, bitsBehind] of carriers) {
    if (isInRange(address, range))
      return isSpecial({ bits: 32, value: BigInt.asUintN(32, address.value >> bitsBehind) })
  }
  return specialRanges.some((range) => isInRange(address, range))
}

function notAnAddress(): CelFailure {
  return new CelFailure('needs an IP address without leading zeros, zone or brackets')
}

function isPrivateIP(text: string): boolean | CelFailure {
  const address = parseIp(text)
  return address === undefined ? notAnAddress() : isSpecial(address)
}

function ipInRange(text: string, range: IpRange): boolean | CelFailure {
  const address = parseIp(text)
  return address === undefined ? notAnAddress() : isInRange(address, range)
}

function prepareRange(text: CelValue): IpRange | CelFailure {
  const range = typeof text === 'string' ? parseIpRange(text) : undefined
  return range ?? new CelFailure('is not a range such as 10.0.0.0/8, with no bits set beyond its prefix')
}

const reading = { cost: (text = 0) => 5 + readingSteps(text), resultSize: () => 1 }

/**
 * IP addresses in texts. `isPrivateIP` is true for all that is not reachable from everywhere: private, loopback, link-local,
 * shared, documentation, multicast and reserved addresses, also when written as IPv6. An IPv4 address in IPv6 clothes
 * (`::ffff:10.0.0.1`) is the IPv4 address. `isIP` answers false where the others fail.
 */
export const ipFunctions: readonly LibraryFunction[] = [
  free('isIP', ['string'], 'bool', (text: string) => parseIp(text) !== undefined, reading),
  free('isPrivateIP', ['string'], 'bool', isPrivateIP, {
    ...reading,
    cost: (text = 0) => 20 + readingSteps(text),
  }),
  free('ipInRange', ['string', 'string'], 'bool', ipInRange, {
    ...reading,
    literal: { arg: 1, use: 'checked' },
    prepare: prepareRange,
  }),
]
