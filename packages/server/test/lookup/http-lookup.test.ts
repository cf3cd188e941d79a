import type { IncomingHttpHeaders, RequestListener, ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { allowing, httpNeed, lookupsFor, only, Servers } from './needs.ts'

const servers = new Servers()
afterEach(() => servers.stop())

const json = { 'content-type': 'application/json' }
const failed = (why: string) => ({ kind: 'failed', why })
const hostOf = (origin: string) => new URL(origin).host

/** What a server that answers so comes to. */
async function against(answer: RequestListener, over: Parameters<typeof httpNeed>[1] = {}) {
  const origin = await servers.start(answer)
  const found = await only(lookupsFor(allowing(origin)), httpNeed(`${origin}/customers/7`, over))
  return { found, host: hostOf(origin) }
}

describe('a fact from an HTTP source', () => {
  test('is the member of the JSON answer that the policy selects', async () => {
    const origin = await servers.startAnswering({ data: { tier: 'gold', limits: [1, 2.5] } })
    const lookups = lookupsFor(allowing(origin))
    const found = await lookups.gather([
      httpNeed(`${origin}/customers/7`, { fact: 'tier', select: ['data', 'tier'] }),
      httpNeed(`${origin}/customers/7`, { fact: 'limits', select: ['data', 'limits'] }),
      httpNeed(`${origin}/customers/7`, { fact: 'all' }),
    ])
    expect(Object.fromEntries(found)).toEqual({
      tier: { kind: 'value', value: 'gold' },
      limits: { kind: 'value', value: [1, 2.5] },
      all: { kind: 'value', value: { data: { tier: 'gold', limits: [1, 2.5] } } },
    })
  })

  test('is asked for with GET, for JSON, with the headers that the operator set and no others', async () => {
    const seen: { method?: string | undefined; url?: string | undefined; headers: IncomingHttpHeaders }[] = []
    const origin = await servers.start((request, response) => {
      seen.push({ method: request.method, url: request.url, headers: request.headers })
      response.writeHead(200, json).end('true')
    })
    const hosts = JSON.stringify({ [origin]: { private: true, headers: { Authorization: 'CRM_TOKEN' } } })
    const lookups = lookupsFor({ BAILIWICK_LOOKUP_HOSTS: hosts, CRM_TOKEN: 'Bearer s3cret' })
    const found = await only(lookups, httpNeed(`${origin}/customers/a%20b?region=EU%2FDE`))
    expect(found).toEqual({ kind: 'value', value: true })
    expect(seen).toEqual([
      {
        method: 'GET',
        url: '/customers/a%20b?region=EU%2FDE',
        headers: {
          accept: 'application/json',
          'accept-encoding': 'identity',
          authorization: 'Bearer s3cret',
          connection: expect.any(String),
          host: hostOf(origin),
          'user-agent': 'bailiwick',
        },
      },
    ])
  })

  test.each([
    ['nothing', {}],
    ['a list', { data: ['tier'] }],
    ['null', { data: null }],
    ['a text', { data: 'tier' }],
  ])('fails where the member is not there, but %s', async (_what, answer) => {
    const origin = await servers.startAnswering(answer)
    const found = await only(
      lookupsFor(allowing(origin)),
      httpNeed(`${origin}/`, { select: ['data', 'tier'] }),
    )
    expect(found).toEqual(failed(`${hostOf(origin)} answered without the member data.tier`))
  })

  test.each(['constructor', 'toString', '__proto__', 'length'])(
    'fails for `%s`, which every object or list has but no answer gave',
    async (name) => {
      const origin = await servers.start((_request, response) => {
        response.writeHead(200, json).end('{"object": {}, "list": [1]}')
      })
      const lookups = lookupsFor(allowing(origin))
      for (const select of [[name], ['object', name], ['list', name]]) {
        expect(await only(lookups, httpNeed(`${origin}/`, { select }))).toMatchObject({ kind: 'failed' })
      }
    },
  )

  test('is null where the answer says null: no value is made up for it', async () => {
    const origin = await servers.startAnswering({ tier: null })
    const found = await only(lookupsFor(allowing(origin)), httpNeed(`${origin}/`, { select: ['tier'] }))
    expect(found).toEqual({ kind: 'value', value: null })
  })
})

describe('an answer that is none', () => {
  test.each([201, 204, 206, 400, 401, 404, 429, 500, 503])('has status %i', async (status) => {
    const { found, host } = await against((_request, response) => {
      response.writeHead(status, json).end(status === 204 ? undefined : '"gold"')
    })
    expect(found).toEqual(failed(`${host} answered with status ${status}`))
  })

  test.each([301, 302, 303, 307, 308])('is the redirect %i, which is not followed', async (status) => {
    let calls = 0
    const { found, host } = await against((_request, response) => {
      calls += 1
      response.writeHead(status, { ...json, location: '/elsewhere' }).end('"gold"')
    })
    expect(found).toEqual(failed(`${host} answered with status ${status}, and redirects are not followed`))
    expect(calls).toBe(1)
  })

  test.each([
    [
      'of another type',
      (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/html' }).end('"gold"'),
    ],
    ['of no type', (response: ServerResponse) => response.writeHead(200).end('"gold"')],
    ['of no length', (response: ServerResponse) => response.writeHead(200, json).end()],
    ['no JSON', (response: ServerResponse) => response.writeHead(200, json).end("{'tier': 'gold'}")],
    [
      'with a byte order mark',
      (response: ServerResponse) => response.writeHead(200, json).end('\uFEFF"gold"'),
    ],
    [
      'no UTF-8',
      (response: ServerResponse) => response.writeHead(200, json).end(Buffer.from([0x22, 0xff, 0x22])),
    ],
    [
      'compressed',
      (response: ServerResponse) => response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end('x'),
    ],
  ])('is %s', async (_what, answer) => {
    const { found, host } = await against((_request, response) => answer(response))
    expect(found).toEqual(failed(`${host} answered with something that is not JSON`))
  })

  test('is JSON that parsers read in two ways', async () => {
    for (const text of ['{"tier": "gold", "tier": "free"}', '12345678901234567890']) {
      const { found, host } = await against((_request, response) => response.writeHead(200, json).end(text))
      const why = 'answered with JSON that names a member twice or has a number that cannot be kept exactly'
      expect(found).toEqual(failed(`${host} ${why}`))
    }
  })

  test('holds a number beyond all numbers or half a character where the fact is', async () => {
    for (const text of ['1e999', String.raw`"\ud800"`]) {
      const { found, host } = await against((_request, response) => response.writeHead(200, json).end(text))
      expect(found).toEqual(failed(`${host} answered with a value that JSON cannot carry exactly`))
    }
  })

  test('nests deeper than 32 levels; one that nests 32 deep is read', async () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    const read = await against((_request, response) => response.writeHead(200, json).end(nested(32)))
    expect(read.found).toMatchObject({ kind: 'value' })
    for (const depth of [33, 100_000]) {
      const { found, host } = await against((_request, response) => {
        response.writeHead(200, json).end(nested(depth))
      })
      expect(found).toEqual(failed(`${host} answered with JSON that nests deeper than 32 levels`))
    }
  })

  test('is longer than 256 KiB, whether it says so before or pours without end', async () => {
    const announced = await against((_request, response) => {
      response.writeHead(200, { ...json, 'content-length': 256 * 1024 + 1 }).flushHeaders()
    })
    const poured = await against((_request, response) => {
      response.writeHead(200, json)
      const pour = () => {
        if (!response.destroyed) response.write(Buffer.alloc(64 * 1024, ' '), pour)
      }
      pour()
    })
    for (const { found, host } of [announced, poured]) {
      expect(found).toEqual(failed(`${host} answered with more than 262144 bytes`))
    }
  })

  test('is longer than fits the log, where all of it would be the fact; a part that fits is taken', async () => {
    const answer: RequestListener = (_request, response) => {
      response.writeHead(200, json).end(JSON.stringify({ tier: 'gold', notes: 'x'.repeat(200 * 1024) }))
    }
    const { found, host } = await against(answer)
    expect(found).toEqual(failed(`${host} answered with a value of more than 8192 bytes`))
    expect((await against(answer, { select: ['tier'] })).found).toEqual({ kind: 'value', value: 'gold' })
  })

  test('never comes', async () => {
    const { found, host } = await against(() => undefined, { timeoutMs: 30 })
    expect(found).toEqual(failed(`${host} gave no answer within 30 ms`))
  })

  test('begins and never ends', async () => {
    const { found, host } = await against(
      (_request, response) => {
        response.writeHead(200, json)
        response.write('"go')
      },
      { timeoutMs: 100 },
    )
    expect(found).toEqual(failed(`${host} gave no answer within 100 ms`))
  })

  test('breaks off, before its head or in its body', async () => {
    const before = await against((request) => request.socket.destroy())
    expect(before.found).toEqual(failed(`${before.host} could not be reached (ECONNRESET)`))
    const within = await against((request, response) => {
      response.writeHead(200, { ...json, 'content-length': 6 })
      response.write('"gold', () => request.socket.destroy())
    })
    expect(within.found).toEqual(failed(`${within.host} broke its answer off`))
  })

  test('wants to switch protocols', async () => {
    const { found, host } = await against((request) => {
      request.socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
    })
    expect(found).toEqual(failed(`${host} broke its answer off`))
  })

  test('comes from nobody, as nobody listens', async () => {
    const found = await only(lookupsFor(allowing('http://127.0.0.1:1')), httpNeed('http://127.0.0.1:1/'))
    expect(found).toEqual(failed('127.0.0.1:1 could not be reached (ECONNREFUSED)'))
  })
})

describe('whom lookups ask', () => {
  const resolvingTo = (...addresses: string[]) => ({
    resolve: () =>
      Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))),
  })

  test('nobody that the operator did not name: other hosts, ports and schemes are refused', async () => {
    let calls = 0
    const origin = await servers.start((_request, response) => {
      calls += 1
      response.writeHead(200, json).end('1')
    })
    const { port } = new URL(origin)
    const lookups = lookupsFor(allowing('http://127.0.0.1:1', `http://crm.internal:${port}`))
    expect(await only(lookups, httpNeed(`${origin}/`))).toEqual(
      failed(`${origin} is not among the hosts that lookups may ask`),
    )
    const others = [`https://crm.internal:${port}/`, `http://crm.internal/`, `http://crm.internal.:${port}/`]
    for (const url of others) {
      expect(await only(lookups, httpNeed(url))).toMatchObject({ kind: 'failed' })
    }
    expect(calls).toBe(0)
  })

  test('a name that leads into a private network, only where that was said of it', async () => {
    let calls = 0
    const origin = await servers.start((_request, response) => {
      calls += 1
      response.writeHead(200, json).end('1')
    })
    const named = `http://crm.internal:${new URL(origin).port}`
    const allowed = lookupsFor(allowing(named), resolvingTo('127.0.0.1'))
    expect(await only(allowed, httpNeed(`${named}/`))).toEqual({ kind: 'value', value: 1 })
    expect(calls).toBe(1)

    const secure = `https://crm.internal:${new URL(origin).port}`
    const notSaid = lookupsFor({ BAILIWICK_LOOKUP_HOSTS: secure }, resolvingTo('127.0.0.1'))
    expect(await only(notSaid, httpNeed(`${secure}/`))).toEqual(
      failed(`${hostOf(secure)} leads into a private network, which is not allowed for it`),
    )
    expect(calls).toBe(1)
  })

  test('no name that was allowed at first and leads elsewhere the next time', async () => {
    const origin = await servers.startAnswering('gold')
    const named = `http://crm.internal:${new URL(origin).port}`
    const answers = [['127.0.0.1'], ['169.254.169.254'], ['127.0.0.1', '8.8.8.8'], ['127.0.0.1', 'fe80::1']]
    const asked: string[] = []
    const resolve = (hostname: string) => {
      asked.push(hostname)
      return resolvingTo(...(answers[asked.length - 1] ?? [])).resolve()
    }
    const lookups = lookupsFor(allowing(named), { resolve })
    const host = hostOf(named)
    expect(await only(lookups, httpNeed(`${named}/`))).toEqual({ kind: 'value', value: 'gold' })
    for (const why of [
      'leads to an address that is never asked',
      'leads to a public address, and is not encrypted',
      'leads to an address that is never asked',
    ]) {
      expect(await only(lookups, httpNeed(`${named}/`))).toEqual(failed(`${host} ${why}`))
    }
    expect(asked).toEqual(Array.from({ length: 4 }, () => 'crm.internal'))
  })

  test('an address of a private network, written out or among several, only where that was said', async () => {
    const hosts = { BAILIWICK_LOOKUP_HOSTS: 'https://two-faced.example' }
    for (const addresses of [
      ['10.0.0.1'],
      ['8.8.8.8', '::ffff:10.0.0.1'],
      ['fd00::1'],
      ['8.8.8.8', '127.0.0.1'],
    ]) {
      const lookups = lookupsFor(hosts, resolvingTo(...addresses))
      expect(await only(lookups, httpNeed('https://two-faced.example/'))).toEqual(
        failed('two-faced.example leads into a private network, which is not allowed for it'),
      )
    }
  })

  test('no metadata service, even where private networks are allowed', async () => {
    const lookups = lookupsFor(allowing('http://metadata.internal'), resolvingTo('169.254.169.254'))
    expect(await only(lookups, httpNeed('http://metadata.internal/latest'))).toEqual(
      failed('metadata.internal leads to an address that is never asked'),
    )
  })

  test('nobody public without encryption, even where private networks are allowed', async () => {
    const lookups = lookupsFor(allowing('http://crm.internal'), resolvingTo('8.8.8.8'))
    expect(await only(lookups, httpNeed('http://crm.internal/'))).toEqual(
      failed('crm.internal leads to a public address, and is not encrypted'),
    )
  })

  test('nobody whose name has no address, or never resolves', async () => {
    const hosts = { BAILIWICK_LOOKUP_HOSTS: 'https://nowhere.example' }
    const need = httpNeed('https://nowhere.example/', { timeoutMs: 30 })
    expect(await only(lookupsFor(hosts, resolvingTo()), need)).toEqual(
      failed('nowhere.example could not be reached'),
    )
    const resolve = () => new Promise<never>(() => undefined)
    expect(await only(lookupsFor(hosts, { resolve }), need)).toEqual(
      failed('nowhere.example gave no answer within 30 ms'),
    )
  })

  test('nobody over https who does not speak it', async () => {
    const origin = await servers.startAnswering(1)
    const secure = origin.replace('http:', 'https:')
    expect(await only(lookupsFor(allowing(secure)), httpNeed(`${secure}/`))).toMatchObject({ kind: 'failed' })
  })
})

test('what failed is told without values of the call, secrets of the operator or words of the source', async () => {
  const origin = await servers.start((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://x')
    if (pathname.startsWith('/hang-up')) request.socket.destroy()
    else if (pathname.startsWith('/wait')) return
    else if (pathname.startsWith('/html')) response.writeHead(200).end('s3cret')
    else if (pathname.startsWith('/twice')) response.writeHead(200, json).end('{"s3cret":1,"s3cret":1}')
    else response.writeHead(500, 's3cret', { 'x-s3cret': 's3cret' }).end('s3cret')
  })
  const hosts = JSON.stringify({ [origin]: { private: true, headers: { 'x-key': 'KEY' } } })
  const lookups = lookupsFor({ BAILIWICK_LOOKUP_HOSTS: hosts, KEY: 's3cret' })
  const paths = ['hang-up', 'wait', 'html', 'twice', 'broken', '..%2fs3cret'].map(
    (path) => `${path}/s3cret?a=s3cret`,
  )
  const needs = paths.map((path, at) => httpNeed(`${origin}/${path}`, { fact: `f${at}`, timeoutMs: 300 }))
  const found = await lookups.gather([...needs, httpNeed('https://user:s3cret@x/', { fact: 'f6' })])
  expect(found.size).toBe(7)
  expect([...found.values()].map(({ kind }) => kind)).toEqual(Array.from({ length: 7 }, () => 'failed'))
  expect(JSON.stringify([...found])).not.toContain('s3cret')
})
