import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ofValue } from './compiled.ts'

const check = (format: string) => {
  const schema = ofValue({ type: 'string', format })
  return (value: string) => schema.accepts({ value })
}

describe('formats are strict: beside each text that fits stands one that does not', () => {
  test.each<[format: string, fits: string, not: string]>([
    ['date', '2024-02-29', '2023-02-29'],
    ['date', '2000-02-29', '1900-02-29'],
    ['date', '2026-01-31', '2026-1-31'],
    ['date', '2026-04-30', '2026-04-31'],
    ['date', '2026-12-01', '2026-13-01'],
    ['date', '2026-01-01', '2026-01-00'],
    ['date', '2026-01-01', '2026-01-01\n'],
    ['date', '2026-01-01', '２０２６-01-01'],
    ['date-time', '2026-01-31T12:00:00Z', '2026-01-31 12:00:00Z'],
    ['date-time', '2026-01-31T12:00:00.123456+02:00', '2026-01-31T12:00:00'],
    ['date-time', '2026-01-31t12:00:00z', '2026-01-31T24:00:00Z'],
    ['date-time', '2026-01-31T23:59:59Z', '2026-01-31T23:60:00Z'],
    ['date-time', '2016-12-31T23:59:60Z', '2016-12-31T22:59:60Z'],
    ['date-time', '2017-01-01T01:59:60+02:00', '2017-01-01T01:59:60+01:00'],
    ['date-time', '2026-01-31T12:00:00-23:59', '2026-01-31T12:00:00-24:00'],
    ['date-time', '2026-01-31T12:00:00.1Z', '2026-01-31T12:00:00.Z'],
    ['date-time', '2026-01-31T12:00:00Z', '2026-02-30T12:00:00Z'],
    ['email', 'ada@example.com', 'ada@example.com, eve@evil.example'],
    ['email', "o'brien+tag@mail.example.com", '"ada lovelace"@example.com'],
    ['email', 'a.b@example.com', 'a..b@example.com'],
    ['email', 'a@example.com', '.a@example.com'],
    ['email', 'a@example.com', 'a@b@example.com'],
    ['email', 'a@example.com', 'a@-example.com'],
    ['email', 'a@example.com', 'a@exämple.com'],
    ['email', 'a@example.com', 'a@[127.0.0.1]'],
    ['email', `${'a'.repeat(64)}@example.com`, `${'a'.repeat(65)}@example.com`],
    ['uri', 'https://example.com/a?b=c#d', '//example.com/a'],
    ['uri', 'mailto:ada@example.com', 'ada@example.com'],
    ['uri', 'https://user@[::1]:8443/', 'https://[::1/'],
    ['uri', 'https://example.com/%20', 'https://example.com/%2'],
    ['uri', 'https://example.com/a', 'https://example.com/a b'],
    ['uri', 'https://example.com/', 'https://example.com\\@evil.example/'],
    ['uri', 'https://example.com:443/', 'https://example.com:44x/'],
    ['uri', 'file:///etc/hosts', '1file:///etc/hosts'],
    ['uri', 'urn:isbn:0451450523', 'urn:isbn:<0451450523>'],
    ['uri', 'https://example.com/?q=1', 'https://example.com/?q="1"'],
    ['uuid', '123e4567-e89b-12d3-a456-426614174000', '123e4567e89b12d3a456426614174000'],
    ['uuid', '123E4567-E89B-12D3-A456-426614174000', '123e4567-e89b-12d3-a456-42661417400g'],
    ['ipv4', '192.168.0.1', '192.168.00.1'],
    ['ipv4', '255.255.255.255', '256.0.0.1'],
    ['ipv4', '0.0.0.0', '0.0.0'],
    ['ipv4', '1.2.3.4', '1.2.3.4.5'],
    ['ipv4', '1.2.3.4', '1.2.3.4 '],
    ['ipv6', '::', ':::'],
    ['ipv6', '2001:db8::1', '2001:db8::1%eth0'],
    ['ipv6', '::ffff:192.0.2.1', '::ffff:192.0.2.256'],
    ['ipv6', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8:9'],
    ['ipv6', '1::8', '1::2::8'],
    ['ipv6', '1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:8::'],
    ['hostname', 'example.com', 'example..com'],
    ['hostname', 'a-b.example', '-a.example'],
    ['hostname', 'xn--bcher-kva.example', 'ab--cd.example'],
    ['hostname', 'a'.repeat(63), 'a'.repeat(64)],
    ['hostname', 'localhost', 'local_host'],
    ['hostname', 'example.com', 'example.com.'],
  ])('%s: %s fits, and %s does not', (format, fits, not) => {
    expect(check(format)(fits)).toBe(true)
    expect(check(format)(not)).toBe(false)
  })

  const ipText = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV4Extended(),
    fc.string({ unit: fc.constantFrom(':', '.', '0', '1', 'f', '25'), maxLength: 20 }),
  )

  test('addresses are those that the platform takes for addresses', () => {
    const [ipv4, ipv6] = [check('ipv4'), check('ipv6')]
    fc.assert(
      fc.property(ipText, (text) => {
        expect({ text, fits: ipv4(text) }).toEqual({ text, fits: isIPv4(text) })
        expect({ text, fits: ipv6(text) }).toEqual({ text, fits: isIPv6(text) })
      }),
      { numRuns: 3000, seed: 3 },
    )
  })

  test('every instant that the platform prints is a date-time, and its day a date', () => {
    const [date, time] = [check('date'), check('date-time')]
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        (at) => {
          expect(time(at.toISOString())).toBe(true)
          expect(date(at.toISOString().slice(0, 10))).toBe(true)
        },
      ),
    )
  })

  test('long texts take no long time', () => {
    for (const format of ['email', 'uri', 'hostname', 'ipv6', 'date-time']) {
      expect(check(format)(`a.${'a.'.repeat(30_000)}!`)).toBe(false)
      expect(check(format)(`${'1:'.repeat(30_000)}!`)).toBe(false)
    }
  })
})
