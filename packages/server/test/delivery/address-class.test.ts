import { isIP } from 'node:net'
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { createAddressClassifier } from '../../src/delivery/address-class.ts'

const classify = createAddressClassifier()
const classOf = (address: string) => classify(address, isIP(address) === 6 ? 6 : 4)

describe('where an address leads', () => {
  test.each([
    '127.0.0.1',
    '127.255.255.255',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '::1',
    'fc00::1',
    'fdff::1',
    'fec0::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.1.2.3',
    '64:ff9b::a00:1',
    '64:ff9b::192.168.0.1',
    '2002:7f00:1::',
    '2002:c0a8:101::5',
    '::ffff:0:10.0.0.1',
  ])('%s into a private network', (address) => expect(classOf(address)).toBe('private'))

  test.each([
    '0.0.0.0',
    '169.254.169.254',
    '169.254.170.2',
    '192.0.0.192',
    '224.0.0.1',
    '239.1.1.1',
    '240.0.0.1',
    '255.255.255.255',
    '100.100.100.200',
    '168.63.129.16',
    '198.51.100.7',
    '192.88.99.1',
    '::',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    '2001:db8::1',
    '2001::1',
    '2001:2::1',
    '2001:10::1',
    '2001:1ff:ffff::1',
    'fd12::5efe:10.0.0.1',
    '2606:4700::200:5efe:a00:1',
    '2606:4700::5efe:a00:1',
    '64:ff9b:1::1',
    '100::1',
    'fd00:ec2::254',
    'fd20:ce::254',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::1',
    '::127.0.0.1',
    '::8.8.8.8',
    '::2',
    '::ffff:0:169.254.169.254',
    '::ffff:0.0.0.0',
  ])('%s to no receiver', (address) => expect(classOf(address)).toBe('never'))

  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '100.63.255.255',
    '100.128.0.0',
    '11.0.0.0',
    '126.255.255.255',
    '128.0.0.1',
    '169.253.255.255',
    '223.255.255.255',
    '198.20.0.0',
    '2606:4700:4700::1111',
    '2a00:1450:4001::1',
    '2001:4860:4860::8888',
    '2001:200::1',
    '2606:4700::5efe',
    '2606:4700::1:5efe:a00:1',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
  ])('%s to the public', (address) => expect(classOf(address)).toBe('public'))

  test('an IPv4 address leads to the same place however IPv6 wraps it', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
        const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
        const wrapped = [`::ffff:${hex}`, `::ffff:${address}`, `64:ff9b::${hex}`, `2002:${hex}::1`]
        expect(wrapped.map(classOf)).toEqual(wrapped.map(() => classOf(address)))
      }),
      { numRuns: 500 },
    )
  })
})
