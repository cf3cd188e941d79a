import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { call, failureOf, textOf } from './calling.ts'

const refusal =
  'needs a plain URL such as https://example.com/path, without a user name or anything to repair'

describe('URLs', () => {
  test('are taken apart', () => {
    const url = 'HTTPS://API.Example.com:8443/v1/users?page=2&q=a+b%20c#top'
    expect(call('urlScheme', url)).toBe('https')
    expect(call('urlHost', url)).toBe('api.example.com')
    expect(call('urlPort', url)).toBe(8443n)
    expect(call('urlPath', url)).toBe('/v1/users')
    expect(call('urlQuery', url, 'page')).toBe('2')
    expect(call('urlQuery', url, 'q')).toBe('a b c')
    expect(call('isURL', url)).toBe(true)
  })

  test('have the port and the path that are left out', () => {
    expect(call('urlPort', 'https://example.com')).toBe(443n)
    expect(call('urlPort', 'http://example.com/x')).toBe(80n)
    expect(call('urlPath', 'https://example.com')).toBe('/')
    expect(call('urlPath', 'https://example.com?x=1')).toBe('/')
    expect(call('urlHost', 'postgres://db.internal:5432/app')).toBe('db.internal')
    expect(failureOf(call('urlPort', 'postgres://db.internal/app'))).toBe(
      'has no port, and its scheme has none by default',
    )
  })

  test('have one host, however it is written', () => {
    expect(call('urlHost', 'https://example.com./')).toBe('example.com')
    expect(call('urlHost', 'https://XN--E1AFMKFD.example/')).toBe('xn--e1afmkfd.example')
    expect(call('urlHost', 'https://[2001:DB8:0:0:0:0:0:1]/')).toBe('2001:db8::1')
    expect(call('urlHost', 'https://[::ffff:10.0.0.1]:80/')).toBe('10.0.0.1')
    expect(call('urlHost', 'https://127.0.0.1./')).toBe('127.0.0.1')
  })

  test.each([
    'https://good.com@evil.com/',
    'https://good.com:pass@evil.com/',
    'https://good.com%40evil.com/',
    'https://evil.com\\@good.com/',
    'https:\\\\evil.com/',
    'https:/\\evil.com/',
    '//evil.com/',
    'https:evil.com',
    'https:/evil.com',
    'https:///evil.com',
    ' https://evil.com/',
    'https://evil.com/ ',
    'ht\ttps://evil.com/',
    'https://ev\nil.com/',
    'https://evil.com/a\u0000b',
    'https://evil.com/\u202Egpj',
    'https://ev%69l.com/',
    'https://еvil.com/', // The first letter of the name is Cyrillic.
    'https://evil。com/',
    'https://ｅｖｉｌ.com/',
    'https://evil\u00AD.com/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0x7f000001/',
    'https://127.1/',
    'https://0177.0.0.1/',
    'https://evil.com.127/',
    'https://evil..com/',
    'https://.evil.com/',
    'https://evil.com../',
    'https://-evil.com/',
    'https://[::1/',
    'https://::1/',
    'https://[fe80::1%25eth0]/',
    'https://evil.com:/',
    'https://evil.com:0443/',
    'https://evil.com:65536/',
    'https://evil.com:80:90/',
    'https://evil.com/%zz',
    'https://evil.com/\uD83D',
    'javascript:alert(1)',
    'mailto:ann@example.com',
    'file:///etc/passwd',
    'data:text/plain,hi',
    'evil.com',
    '',
  ])('%j is refused by every function', (url) => {
    expect(call('isURL', url)).toBe(false)
    for (const name of ['urlScheme', 'urlHost', 'urlPort', 'urlPath'])
      expect(failureOf(call(name, url))).toBe(refusal)
    expect(failureOf(call('urlQuery', url, 'a'))).toBe(refusal)
    expect(failureOf(call('urlHasQuery', url, 'a'))).toBe(refusal)
  })

  test('that are read have the host that browsers connect to', () => {
    const pieces = fc.constantFrom(
      'https://',
      'http:',
      '//',
      '/',
      '\\',
      '@',
      ':',
      '.',
      '..',
      'good.com',
      'evil.com',
      '127.0.0.1',
      '0x7f',
      '1',
      '443',
      '[',
      ']',
      '::1',
      '%2e',
      '%40',
      '?',
      '#',
      '&',
      '=',
      ' ',
      '\t',
      'é',
      '。',
      'xn--',
      '-',
      '_',
      'WWW',
      '\u00AD',
      ';',
    )
    const urls = fc.oneof(
      fc.array(pieces, { maxLength: 8 }).map((all) => all.join('')),
      fc.array(pieces, { maxLength: 8 }).map((all) => `https://good.com${all.join('')}`),
      fc.array(pieces, { maxLength: 8 }).map((all) => `https://${all.join('')}`),
    )
    fc.assert(
      fc.property(urls, (text) => {
        // What browsers refuse can hide nothing from them, such as xn-- with nothing behind it.
        if (call('isURL', text) !== true || !URL.canParse(text)) return
        // Of schemes that browsers do not know, they keep the host's case and the missing path.
        const { hostname, protocol } = new URL(text)
        const host = textOf(call('urlHost', text))
        if (!host.includes(':') && !hostname.startsWith('['))
          expect(host).toBe(hostname.toLowerCase().replace(/\.$/, ''))
        expect(`${textOf(call('urlScheme', text))}:`).toBe(protocol)
        const path = call('urlPath', text)
        if (typeof path === 'string')
          expect(decodeURIComponent(new URL(text).pathname || '/')).toBe(
            decodeURIComponent(new URL('https://x.test' + path).pathname),
          )
      }),
      { numRuns: 1000 },
    )
  })

  test('are mostly read, where nothing is odd about them', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (text) => {
        expect(call('isURL', text)).toBe(true)
      }),
    )
    expect(call('isURL', 'https://example.com/café?q=naïve')).toBe(true)
  })
})

describe('urlPath', () => {
  test.each([
    '/public/../admin',
    '/..',
    '/./x',
    '/public/%2e%2e/admin',
    '/public/%2E./admin',
    '/public/..%2fadmin',
    '/public/%2e%2e%2fadmin',
    '/public/..%5cadmin',
    '/public/%252e%252e/admin',
    '/public/..;/admin',
    '/public/..;x=1/admin',
    '/%25252525252e',
  ])('%s goes up, or could be read so, and is an error', (path) => {
    expect(failureOf(call('urlPath', `https://example.com${path}`))).toBe('has a path with . or .. in it')
  })

  test.each(['/a..b/c', '/.well-known/x', '/...', '/a/b.c', '/group%2Fproject', '/100%25', '/a;b'])(
    '%s does not, and stays as it is',
    (path) => {
      expect(call('urlPath', `https://example.com${path}`)).toBe(path)
    },
  )
})

test('urlPath writes a letter as a letter, so that escapes hide no name', () => {
  expect(call('urlPath', 'https://example.com/%61dmin/%7euser')).toBe('/admin/~user')
  expect(call('urlPath', 'https://example.com/a%2fb%c3%a9')).toBe('/a%2Fb%C3%A9')
  for (const path of ['/a%00/b', '/a%0a', '/a%7F'])
    expect(failureOf(call('urlPath', `https://example.com${path}`))).toBe(
      'has a path with control characters in it',
    )
})

describe('urlQuery', () => {
  test('finds a parameter however its name is escaped', () => {
    expect(call('urlQuery', 'https://a.test/?%61dmin=%31', 'admin')).toBe('1')
    expect(call('urlQuery', 'https://a.test/?a=b=c', 'a')).toBe('b=c')
    expect(call('urlQuery', 'https://a.test/?a', 'a')).toBe('')
    expect(call('urlHasQuery', 'https://a.test/?a', 'a')).toBe(true)
    expect(call('urlHasQuery', 'https://a.test/?b=a', 'a')).toBe(false)
  })

  test('is an error where the parameter is missing, stands twice or is not UTF-8', () => {
    expect(failureOf(call('urlQuery', 'https://a.test/?b=1', 'a'))).toBe('has no such parameter in its query')
    expect(failureOf(call('urlQuery', 'https://a.test/?a=1&%61=2', 'a'))).toBe(
      'has the parameter more than once in its query',
    )
    expect(failureOf(call('urlQuery', 'https://a.test/?a=%ff', 'a'))).toBe('has a query that is not UTF-8')
    expect(failureOf(call('urlHasQuery', 'https://a.test/?%ff=1', 'a'))).toBe('has a query that is not UTF-8')
  })

  test('reads what browsers read', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '+', '=', '%41', '%C3%A9', 'é'), maxLength: 4 })
    fc.assert(
      fc.property(fc.array(fc.tuple(part, part), { maxLength: 4 }), (pairs) => {
        const url = `https://a.test/?${pairs.map(([key, value]) => `${key}=${value}`).join('&')}`
        for (const [key, value] of new URL(url).searchParams) {
          const result = call('urlQuery', url, key)
          if (new URL(url).searchParams.getAll(key).length > 1) failureOf(result)
          else expect(result).toBe(value)
        }
      }),
    )
  })
})

describe('hostMatches', () => {
  test('takes the host itself, or with *. all below it and not itself', () => {
    expect(call('hostMatches', 'example.com', 'example.com')).toBe(true)
    expect(call('hostMatches', 'EXAMPLE.com.', 'Example.COM')).toBe(true)
    expect(call('hostMatches', 'api.example.com', 'example.com')).toBe(false)
    expect(call('hostMatches', 'api.example.com', '*.example.com')).toBe(true)
    expect(call('hostMatches', 'a.b.example.com', '*.example.com')).toBe(true)
    expect(call('hostMatches', 'example.com', '*.example.com')).toBe(false)
    expect(call('hostMatches', 'evilexample.com', '*.example.com')).toBe(false)
    expect(call('hostMatches', 'api.example.com.evil.com', '*.example.com')).toBe(false)
    expect(call('hostMatches', '2001:db8::1', '2001:db8:0::1')).toBe(true)
  })

  test('is an error for what is no host', () => {
    for (const host of [
      '',
      'a b',
      'https://example.com',
      'example.com:443',
      'ann@example.com',
      'пример.com',
      '0x7f.1',
    ])
      expect(failureOf(call('hostMatches', host, '*.example.com'))).toBe(
        'needs the name or the address of a host',
      )
  })

  test.each([
    '*',
    '*.',
    'api.*.com',
    '**.example.com',
    '*example.com',
    '*.10.0.0.1',
    'https://example.com',
    '.example.com',
    'example.com:443',
  ])('the pattern %j is refused at load', (pattern) => {
    expect(failureOf(call('hostMatches', 'example.com', pattern))).toBe(
      'is not a host such as example.com or *.example.com',
    )
  })
})
