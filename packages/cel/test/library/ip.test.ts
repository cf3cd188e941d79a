import { BlockList, isIP, isIPv4 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { call, failureOf } from './calling.ts'

const ipv4 = fc.ipV4()
const ipv6 = fc.ipV6()
const almost = fc
  .tuple(fc.oneof(ipv4, ipv6), fc.nat(40), fc.constantFrom('', '0', ':', '::', '.', 'g', '1', '%'))
  .map(([address, at, change]) => `${address.slice(0, at)}${change}${address.slice(at + 1)}`)

describe('isIP', () => {
  test('agrees with the host on addresses and on what is almost one', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6, almost), (text) => {
        expect(call('isIP', text)).toBe(isIP(text) !== 0 && !text.includes('%'))
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    '127.1',
    '0x7f.0.0.1',
    '010.0.0.1',
    '2130706433',
    '1.2.3.4 ',
    '[::1]',
    'fe80::1%eth0',
    '::1::',
    '１.2.3.4',
    '',
  ])('%j is none: other readers take it for one, or for another', (text) => {
    expect(call('isIP', text)).toBe(false)
    expect(failureOf(call('isPrivateIP', text))).toBe(
      'needs an IP address without leading zeros, zone or brackets',
    )
    expect(failureOf(call('ipInRange', text, '0.0.0.0/0'))).toBe(
      'needs an IP address without leading zeros, zone or brackets',
    )
  })
})

describe('ipInRange', () => {
  test('agrees with the host’s block list', () => {
    const masked = (bits: bigint, size: number, prefix: number): bigint =>
      (bits >> BigInt(size - prefix)) << BigInt(size - prefix)
    const dotted = (bits: bigint): string =>
      [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 255n)).join('.')
    const grouped = (bits: bigint): string =>
      Array.from({ length: 8 }, (_, at) => ((bits >> BigInt(112 - 16 * at)) & 0xffffn).toString(16)).join(':')
    const near = fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), fc.nat(128), fc.nat(127))
    fc.assert(
      fc.property(near, ([bits, prefix, flipped]) => {
        const network = grouped(masked(bits, 128, prefix))
        const list = new BlockList()
        list.addSubnet(network, prefix, 'ipv6')
        const address = grouped(bits ^ (1n << BigInt(flipped)))
        expect(call('ipInRange', address, `${network}/${String(prefix)}`)).toBe(list.check(address, 'ipv6'))
      }),
    )
    fc.assert(
      fc.property(near, ([all, wide, flip]) => {
        const [bits, prefix] = [BigInt.asUintN(32, all), Math.max(1, wide % 33)]
        const network = dotted(masked(bits, 32, prefix))
        const list = new BlockList()
        list.addSubnet(network, prefix, 'ipv4')
        const address = dotted(bits ^ (1n << BigInt(flip % 32)))
        expect(call('ipInRange', address, `${network}/${String(prefix)}`)).toBe(list.check(address, 'ipv4'))
      }),
    )
  })

  test('sees an IPv4 address in IPv6 clothes', () => {
    expect(call('ipInRange', '::ffff:10.1.2.3', '10.0.0.0/8')).toBe(true)
    expect(call('ipInRange', '::FFFF:a01:203', '10.0.0.0/8')).toBe(true)
    expect(call('ipInRange', '10.1.2.3', '::ffff:10.0.0.0/104')).toBe(true)
    expect(call('ipInRange', '11.1.2.3', '::ffff:10.0.0.0/104')).toBe(false)
    expect(call('ipInRange', '10.1.2.3', '::/0')).toBe(false)
    expect(call('ipInRange', '::1', '0.0.0.0/0')).toBe(false)
  })

  test.each([
    '10.0.0.0',
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0/8',
    '::1/64',
    '::/129',
    '/8',
    '10.0.0.0/8 ',
    '::ffff:10.0.0.0/8',
  ])('the range %j is refused at load', (range) => {
    expect(failureOf(call('ipInRange', '10.0.0.1', range))).toBe(
      'is not a range such as 10.0.0.0/8, with no bits set beyond its prefix',
    )
  })
})

describe('isPrivateIP', () => {
  test.each([
    '10.0.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '127.0.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '192.0.2.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '2001:db8::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::10.0.0.1',
    '2002:7f00:1::',
    '2002:a00:1::5',
    'fec0::1',
    '3fff::1',
    '2001::1',
  ])('%s is not reachable from everywhere', (address) => {
    expect(call('isPrivateIP', address)).toBe(true)
  })

  test.each([
    '8.8.8.8',
    '172.32.0.1',
    '172.15.255.255',
    '192.169.0.1',
    '11.0.0.0',
    '9.255.255.255',
    '100.128.0.1',
    '169.253.1.1',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450::1',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
    '2001:200::1',
  ])('%s is public', (address) => {
    expect(call('isPrivateIP', address)).toBe(false)
  })

  test('says the same of an IPv4 address in both clothes', () => {
    fc.assert(
      fc.property(ipv4.filter(isIPv4), (address) => {
        expect(call('isPrivateIP', `::ffff:${address}`)).toBe(call('isPrivateIP', address))
      }),
    )
  })
})
