import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Instant } from '@bailiwick/core'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { agentAuthentication, AgentTokens } from '../../src/identity/agent-tokens.ts'
import { agentTokenSettings } from '../../src/identity/settings.ts'

const issuer = 'https://issuer.example'
const audience = 'bailiwick'
const second = 1000
const minute = 60 * second

interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly pair: Awaited<ReturnType<typeof generateKeyPair>>
}

let keys: SigningKey[]
let stranger: SigningKey
/** What the issuer publishes. */
let published: SigningKey[]
let server: Server
let url: string
let asked = 0
let status = 200
let dir: string
let now: number

async function signingKey(kid: string, alg: string): Promise<SigningKey> {
  return { kid, alg, pair: await generateKeyPair(alg, { extractable: true }) }
}

async function jwks(): Promise<object> {
  return {
    keys: await Promise.all(
      published.map(async ({ kid, alg, pair }) => ({
        ...(await exportJWK(pair.publicKey)),
        kid,
        alg,
        use: 'sig',
      })),
    ),
  }
}

beforeAll(async () => {
  dir = await makeTestDir()
  keys = await Promise.all(['ES256', 'EdDSA', 'RS256', 'PS256'].map((alg) => signingKey(`key-${alg}`, alg)))
  stranger = await signingKey('key-ES256', 'ES256')
  server = createServer((_request, response) => {
    asked += 1
    void jwks().then((set) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(set))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
})
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  await removeTestDir(dir)
})
beforeEach(() => {
  published = keys
  asked = 0
  status = 200
  now = Date.parse('2027-01-02T03:04:05Z')
})

function tokens(over: Readonly<Record<string, string>> = {}): AgentTokens {
  const settings = agentTokenSettings({
    BAILIWICK_JWT_ISSUER: issuer,
    BAILIWICK_JWT_AUDIENCE: audience,
    BAILIWICK_JWT_JWKS_URL: url,
    BAILIWICK_JWT_ALLOW_PRIVATE: '1',
    ...over,
  })
  if (settings === undefined) throw new Error('no settings')
  return new AgentTokens(
    settings,
    () => now as Instant,
    () => undefined,
  )
}

type Claims = { readonly [Name in keyof JWTPayload]: JWTPayload[Name] | undefined }

interface Making {
  readonly key?: SigningKey | undefined
  readonly payload?: Claims
  readonly header?: Readonly<Record<string, unknown>>
}

/** A token that is good, unless it is made otherwise. */
async function made({ key = keys[0], payload = {}, header = {} }: Making = {}): Promise<string> {
  if (key === undefined) throw new Error('no key')
  const at = Math.floor(now / second)
  const claims = { iss: issuer, aud: audience, sub: 'refund-agent', iat: at, exp: at + 300, ...payload }
  const present = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
  return await new SignJWT(present)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
    .sign(key.pair.privateKey)
}

function unsigned(header: object, payload: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(payload)}.`
}

describe('a token', () => {
  test('of the issuer speaks for the agent that it names, with each algorithm of the list', async () => {
    const checking = tokens()
    for (const key of keys) expect(await checking.agentOf(await made({ key })), key.alg).toBe('refund-agent')
    expect(asked, 'keys are kept').toBe(1)
  })

  test('names its agent in the claim that is configured, and in no other', async () => {
    const checking = tokens({ BAILIWICK_JWT_AGENT_CLAIM: 'agent_id' })
    expect(await checking.agentOf(await made({ payload: { agent_id: 'other-agent' } }))).toBe('other-agent')
    expect(await checking.agentOf(await made())).toBeUndefined()
    const inherited = tokens({ BAILIWICK_JWT_AGENT_CLAIM: 'toString' })
    expect(await inherited.agentOf(await made())).toBeUndefined()
  })

  const at = (seconds: number) => Math.floor(Date.parse('2027-01-02T03:04:05Z') / second) + seconds
  test.each<[string, Claims]>([
    ['of another issuer', { iss: 'https://evil.example' }],
    ['of no issuer', { iss: undefined }],
    ['for another audience', { aud: 'another-service' }],
    ['for no audience', { aud: undefined }],
    ['that has expired', { exp: at(-31) }],
    ['that never expires', { exp: undefined }],
    ['that is not good yet', { nbf: at(31) }],
    ['that was made in the future', { iat: at(31) }],
    ['that was made more than a day ago', { iat: at(-24 * 60 * 60 - 31), exp: at(300) }],
    ['that says not when it was made', { iat: undefined }],
    ['that names nobody', { sub: undefined }],
    ['that names no agent id', { sub: 'two words' }],
    ['that names a list', { sub: ['refund-agent'] as unknown as string }],
    ['whose name is too long', { sub: 'x'.repeat(201) }],
  ])('%s speaks for nobody', async (_what, payload) => {
    const checking = tokens()
    expect(await checking.agentOf(await made())).toBe('refund-agent')
    expect(await checking.agentOf(await made({ payload }))).toBeUndefined()
  })

  test('is good within the tolerance of clocks, and not beyond', async () => {
    const checking = tokens({ BAILIWICK_JWT_CLOCK_TOLERANCE: '10' })
    expect(await checking.agentOf(await made({ payload: { exp: at(-9) } }))).toBe('refund-agent')
    expect(await checking.agentOf(await made({ payload: { exp: at(-11) } }))).toBeUndefined()
    expect(await checking.agentOf(await made({ payload: { nbf: at(9) } }))).toBe('refund-agent')
  })

  test('that is old speaks for nobody any more, though it was good', async () => {
    const checking = tokens()
    const token = await made()
    expect(await checking.agentOf(token)).toBe('refund-agent')
    now += 6 * minute
    expect(await checking.agentOf(token)).toBeUndefined()
  })

  test('without a signature, or signed with what everybody knows, speaks for nobody', async () => {
    const checking = tokens()
    const claims = { iss: issuer, aud: audience, sub: 'refund-agent', iat: at(0), exp: at(300) }
    for (const alg of ['none', 'None', 'NONE', '']) {
      expect(await checking.agentOf(unsigned({ alg, kid: 'key-RS256' }, claims)), alg).toBeUndefined()
    }
    // The public key as the secret of HMAC: the classic confusion.
    const rsa = keys.find(({ alg }) => alg === 'RS256')
    if (rsa === undefined) throw new Error('no key')
    const pem = new TextEncoder().encode(await exportSPKI(rsa.pair.publicKey))
    const confused = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: rsa.kid }).sign(pem)
    expect(await checking.agentOf(confused)).toBeUndefined()
  })

  test('of somebody else’s key, under the name of a known one or with a key of its own inside, speaks for nobody', async () => {
    const checking = tokens()
    expect(await checking.agentOf(await made({ key: stranger }))).toBeUndefined()
    const jwk = await exportJWK(stranger.pair.publicKey)
    for (const header of [{ jwk }, { jku: 'https://evil.example/jwks' }, { x5u: 'https://evil.example/c' }]) {
      expect(
        await checking.agentOf(await made({ key: { ...stranger, kid: 'unknown' }, header })),
      ).toBeUndefined()
    }
  })

  test('that was changed anywhere speaks for nobody', async () => {
    const checking = tokens()
    const token = await made()
    const [head = '', body = '', signature = ''] = token.split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'admin-agent' })).toString('base64url')
    for (const wrong of [
      `${head}.${forged}.${signature}`,
      `${head}.${body}.`,
      `${head}.${body}`,
      `${head}..${signature}`,
      `${token}x`,
      '..',
      'a.b.c',
      `${token}.${token}`,
    ]) {
      expect(await checking.agentOf(wrong), wrong).toBeUndefined()
    }
  })

  test('with an algorithm that is not on the list speaks for nobody, though its key is known', async () => {
    const checking = tokens({ BAILIWICK_JWT_ALGORITHMS: 'ES256' })
    expect(await checking.agentOf(await made())).toBe('refund-agent')
    expect(await checking.agentOf(await made({ key: keys[1] }))).toBeUndefined()
  })
})

describe('the keys of the issuer', () => {
  test('are fetched anew for a token that names an unknown one, and no more than every half minute', async () => {
    const fresh = await signingKey('key-new', 'ES256')
    const checking = tokens()
    expect(await checking.agentOf(await made())).toBe('refund-agent')
    published = [...keys, fresh]
    expect(await checking.agentOf(await made({ key: fresh })), 'asked just now').toBeUndefined()
    now += 31 * second
    expect(await checking.agentOf(await made({ key: fresh }))).toBe('refund-agent')
    expect(asked).toBe(2)
    const unknown = await signingKey('key-unknown', 'ES256')
    for (let tried = 0; tried < 5; tried++) await checking.agentOf(await made({ key: unknown }))
    expect(asked).toBe(2)
  })

  test('that the issuer withdrew are good for ten minutes more at the longest', async () => {
    const checking = tokens()
    expect(await checking.agentOf(await made())).toBe('refund-agent')
    published = keys.slice(1)
    now += 10 * minute
    expect(await checking.agentOf(await made())).toBeUndefined()
  })

  test('are used for an hour where the issuer does not answer, then nobody is let in', async () => {
    const checking = tokens()
    expect(await checking.agentOf(await made())).toBe('refund-agent')
    status = 503
    now += 59 * minute
    expect(await checking.agentOf(await made())).toBe('refund-agent')
    now += minute
    await expect(checking.agentOf(await made())).rejects.toMatchObject({
      code: 'service_unreachable',
      recorded: 'no',
    })
  })

  test('that were never to be had let nobody in', async () => {
    status = 500
    await expect(tokens().agentOf(await made())).rejects.toMatchObject({ code: 'service_unreachable' })
  })

  test('are not looked for in a private network unless that is allowed, and redirects are not followed', async () => {
    const guarded = agentTokenSettings({
      BAILIWICK_JWT_ISSUER: issuer,
      BAILIWICK_JWT_AUDIENCE: audience,
      BAILIWICK_JWT_JWKS_URL: url.replace('http:', 'https:'),
    })
    if (guarded === undefined) throw new Error('no settings')
    const checking = new AgentTokens(
      guarded,
      () => now as Instant,
      () => undefined,
    )
    await expect(checking.agentOf(await made())).rejects.toMatchObject({ code: 'service_unreachable' })
    status = 302
    await expect(tokens().agentOf(await made())).rejects.toMatchObject({ code: 'service_unreachable' })
  })

  test('may lie in a file', async () => {
    const file = join(dir, 'jwks.json')
    await writeFile(file, JSON.stringify(await jwks()))
    const settings = agentTokenSettings({
      BAILIWICK_JWT_ISSUER: issuer,
      BAILIWICK_JWT_AUDIENCE: audience,
      BAILIWICK_JWT_JWKS_FILE: file,
    })
    if (settings === undefined) throw new Error('no settings')
    const checking = new AgentTokens(
      settings,
      () => now as Instant,
      () => undefined,
    )
    expect(await checking.agentOf(await made())).toBe('refund-agent')
    expect(asked).toBe(0)
  })
})

describe('settings of tokens', () => {
  const whole = {
    BAILIWICK_JWT_ISSUER: issuer,
    BAILIWICK_JWT_AUDIENCE: audience,
    BAILIWICK_JWT_JWKS_URL: 'https://issuer.example/jwks',
  }
  test('are none where no issuer is named', () => {
    expect(agentTokenSettings({})).toBeUndefined()
    expect(agentTokenSettings(whole)).toMatchObject({ issuer, audience, claim: 'sub', toleranceSeconds: 30 })
  })

  test.each([
    { BAILIWICK_JWT_ISSUER: '' },
    { BAILIWICK_JWT_AUDIENCE: '' },
    { BAILIWICK_JWT_JWKS_URL: '' },
    { BAILIWICK_JWT_JWKS_FILE: 'too.json' },
    { BAILIWICK_JWT_JWKS_URL: 'http://issuer.example/jwks' },
    { BAILIWICK_JWT_JWKS_URL: 'file:///etc/passwd' },
    { BAILIWICK_JWT_ALGORITHMS: 'HS256' },
    { BAILIWICK_JWT_ALGORITHMS: 'none' },
    { BAILIWICK_JWT_CLOCK_TOLERANCE: '301' },
    { BAILIWICK_JWT_CLOCK_TOLERANCE: '-1' },
  ])('that cannot be meant are refused: %j', (over) => {
    expect(() => agentTokenSettings({ ...whole, ...over })).toThrow(
      expect.objectContaining({ code: 'bad_input' }),
    )
  })
})

describe('an agent', () => {
  test('is known by key or by token; without an issuer a token is nobody’s', async () => {
    const asKey: string[] = []
    const access = {
      agentOf: (key: string) => {
        asKey.push(key)
        return Promise.resolve(key === 'bw_key' ? 'keyed-agent' : undefined)
      },
    }
    const token = await made()
    const both = agentAuthentication(access, tokens())
    expect([await both('bw_key'), await both(token)]).toEqual(['keyed-agent', 'refund-agent'])
    expect(asKey).toEqual(['bw_key'])
    expect(await agentAuthentication(access, undefined)(token)).toBeUndefined()
  })
})
