import { gunzipSync } from 'node:zlib'
import {
  appendLeaves,
  BailiwickClient,
  emptyFrontier,
  frontierRoot,
  leafHash,
  openCheckpoint,
  parseProofBundle,
  systemPorts,
  verifyConsistency,
  verifyProofBundle,
} from '@bailiwick/core'
import { ApprovalWaits } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../src/http/app.ts'
import { logReadingFrom } from '../../src/http/log-tiles.ts'
import { verifyPage } from '../../src/verify-page.ts'
import { base, expectRefused, HttpService, type Caller } from '../harness/http-service.ts'
import { agentId } from '../harness/policies.ts'

let service: HttpService
let agent: Caller
let other: Caller
let person: Caller
let size: number
let key: string

beforeAll(async () => {
  service = await HttpService.open()
  agent = await service.agent()
  other = await service.agent('another-agent')
  person = await service.person()
  const calls = Array.from({ length: 300 }, (_, amount) =>
    service.ledger.decide(agentId, { action: 'issue_refund', params: { amount } }),
  )
  await Promise.all(calls)
  key = service.ledger.checkpoints.verifierKey
  size = openCheckpoint(await service.ledger.checkpoint(), [key]).size
})
afterAll(() => service.close())

/** Asks for bytes, which the contract of the fixture has no place for. */
async function bytes(
  path: string,
  headers: Readonly<Record<string, string>> = {},
  app = service.app,
): Promise<{ status: number; headers: Headers; body: Buffer }> {
  const response = await app.request(new Request(base + path, { headers }))
  return {
    status: response.status,
    headers: response.headers,
    body: Buffer.from(await response.arrayBuffer()),
  }
}

async function leaves(): Promise<Buffer[]> {
  const { rows } = await service.ledger.pool.query<{ leaf_hash: Buffer }>(
    'select leaf_hash from log_entry order by index',
  )
  return rows.map(({ leaf_hash: hash }) => hash)
}

function recordsOf(bundle: Buffer): string[] {
  const records: string[] = []
  for (let at = 0; at < bundle.length;) {
    const end = at + 2 + bundle.readUInt16BE(at)
    records.push(bundle.subarray(at + 2, end).toString())
    at = end
  }
  return records
}

/** The application with other words on who may read records. */
function appWith(env: Readonly<Record<string, string>>): HttpService['app'] {
  const { ledger, access } = service
  return createApp({
    ledger,
    access,
    waits: new ApprovalWaits(ledger, systemPorts),
    consoleFiles: new Map(),
    logReading: logReadingFrom(env),
    log: () => undefined,
  })
}

describe('the checkpoint under /log/', () => {
  test('is the published note, for anyone, and not to be cached', async () => {
    const answer = await service.anyone.get('/log/checkpoint')
    expect(answer).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8' })
    expect(answer.headers.get('cache-control')).toBe('no-cache')
    expect(answer.text).toBe((await service.anyone.get('/v1/log/checkpoint')).text)
    expect(openCheckpoint(answer.text, [key]).size).toBe(size)
  })
})

describe('the page that checks bundles', () => {
  test('is served to anyone, under its own policy and not the one of the console', async () => {
    const answer = await service.anyone.get('/log/verify.html')
    const policy = answer.headers.get('content-security-policy') ?? ''
    const { html, contentSecurityPolicy } = await verifyPage()
    expect(answer).toMatchObject({ status: 200, type: 'text/html; charset=utf-8', text: html })
    expect(policy).toBe(`${contentSecurityPolicy}; frame-ancestors 'none'`)
    const other = await service.anyone.get('/')
    expect(other.headers.get('content-security-policy')).toContain("script-src 'self'")
  })
})

describe('hash tiles', () => {
  test('are open to anyone: full ones for a long time, partial ones for a short one', async () => {
    const full = await bytes('/log/tile/0/000')
    expect(full.status).toBe(200)
    expect(full.body).toEqual(Buffer.concat((await leaves()).slice(0, 256)))
    expect(full.headers.get('content-type')).toBe('application/octet-stream')
    expect(full.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')

    const width = size - 256
    const partial = await bytes(`/log/tile/0/001.p/${width}`)
    expect(partial.body).toEqual(Buffer.concat((await leaves()).slice(256, size)))
    expect(partial.headers.get('cache-control')).toBe('public, max-age=60')
    const above = await bytes('/log/tile/1/000.p/1')
    expect(above.body).toEqual(frontierRoot(appendLeaves(emptyFrontier, (await leaves()).slice(0, 256))))
  })

  test('lead to the root of the checkpoint', async () => {
    const [full, partial] = await Promise.all(
      ['/log/tile/0/000', `/log/tile/0/001.p/${size - 256}`].map((path) => bytes(path)),
    )
    const hashes = Buffer.concat([full?.body ?? Buffer.alloc(0), partial?.body ?? Buffer.alloc(0)])
    const { root } = openCheckpoint((await service.anyone.get('/log/checkpoint')).text, [key])
    expect(frontierRoot(appendLeaves(emptyFrontier, hashes))).toEqual(root)
  })

  test('beyond the published checkpoint are not found, and that is not kept', async () => {
    for (const path of [
      '0/001',
      `0/001.p/${size - 255}`,
      '0/002.p/1',
      '1/000',
      '1/000.p/2',
      '2/000.p/1',
      '5/000',
    ]) {
      const answer = await expectRefused(
        service,
        () => service.anyone.get(`/log/tile/${path}`),
        404,
        'not_found',
      )
      expect(answer.headers.get('cache-control')).toBe('no-store')
    }
  })

  test.each([
    '0/0',
    '0/0000',
    '0/000.p/0',
    '0/000.p/256',
    '0/000.p/007',
    '00/000',
    '64/000',
    '-1/000',
    '0/x000/000',
    '0/000/',
    '0/..%2f000',
    'data/000',
    '8/0/000',
    '',
    'entries/0',
  ])('have no address like %j', async (path) => {
    await expectRefused(service, () => service.anyone.get(`/log/tile/${path}`), 400, 'bad_input')
  })

  test('answer to HEAD, and to nothing that would change them', async () => {
    expect((await service.anyone.send('HEAD', '/log/tile/0/000')).status).toBe(200)
    for (const method of ['POST', 'PUT', 'DELETE']) {
      expect((await service.anyone.send(method, '/log/tile/0/000', { json: {} })).status).toBe(404)
    }
  })
})

describe('entry bundles', () => {
  const path = '/log/tile/entries/000'

  test('are refused to anyone, and to agents, for they hold the records of all', async () => {
    await expectRefused(service, () => service.anyone.get(path), 401, 'not_authenticated')
    await expectRefused(service, () => agent.get(path), 403, 'not_permitted')
    const wrong = { headers: { authorization: `Bearer ${'x'.repeat(40)}` } }
    await expectRefused(service, () => service.anyone.get(path, wrong), 401, 'not_authenticated')
    await expectRefused(service, () => service.anyone.get('/log/tile/entries/009'), 401, 'not_authenticated')
  })

  test('are the records, for a person, and kept by nobody else', async () => {
    const { body, headers } = await bytes(path, { cookie: `bailiwick_session=${person.secret}` })
    const records = recordsOf(body)
    expect(records).toHaveLength(256)
    expect(records.map(leafHash)).toEqual((await leaves()).slice(0, 256))
    expect(headers.get('cache-control')).toBe('private, max-age=31536000, immutable')
    expect(headers.get('vary')).toMatch(/Authorization, Cookie/)
    const beyond = await person.get('/log/tile/entries/009')
    expect(beyond.status).toBe(404)
  })

  test('are compressed for who can read that, and for nobody else', async () => {
    const cookie = `bailiwick_session=${person.secret}`
    const plain = await bytes(path, { cookie })
    const packed = await bytes(path, { cookie, 'accept-encoding': 'br, gzip;q=0.5' })
    expect(packed.headers.get('content-encoding')).toBe('gzip')
    expect(gunzipSync(packed.body)).toEqual(plain.body)
    expect(packed.body.length).toBeLessThan(plain.body.length / 3)
    expect(packed.headers.get('vary')).toMatch(/Accept-Encoding/)
    for (const accepted of ['br', 'gzip;q=0', 'x-gzip']) {
      const answer = await bytes(path, { cookie, 'accept-encoding': accepted })
      expect(answer.headers.get('content-encoding')).toBeNull()
    }
    const hashes = await bytes('/log/tile/0/000', { 'accept-encoding': 'gzip' })
    expect(hashes.headers.get('content-encoding')).toBeNull()
  })

  test('are open to who has the read key, where there is one', async () => {
    const readKey = 'r'.repeat(40)
    const app = appWith({ BAILIWICK_LOG_READ_KEY: readKey })
    expect((await bytes(path, { authorization: `Bearer ${readKey}` }, app)).status).toBe(200)
    expect((await bytes(path, { authorization: `Bearer ${readKey}r` }, app)).status).toBe(401)
    expect((await bytes(path, {}, app)).status).toBe(401)
    expect((await bytes('/v1/decisions', { authorization: `Bearer ${readKey}` }, app)).status).toBe(401)
  })

  test('say of a wrong key, and of none, what is wrong with the read key, and not with that of an agent', async () => {
    const detailOf = async (authorization: string, env: Record<string, string>) =>
      await answerTo({ authorization }, env)
    const answerTo = async (headers: Record<string, string>, env: Record<string, string>) => {
      const { status, body } = await bytes(path, headers, appWith(env))
      expect(status).toBe(401)
      return JSON.parse(body.toString()) as { readonly detail: string; readonly fix: string }
    }
    const wrong = `Bearer ${'w'.repeat(40)}`
    const env = { BAILIWICK_LOG_READ_KEY: 'r'.repeat(40) }
    for (const header of [wrong, 'Bearer', `Basic ${'r'.repeat(40)}`]) {
      expect(await detailOf(header, env)).toMatchObject({
        detail: 'the key is not the read key of this service',
        fix: expect.stringContaining('BAILIWICK_LOG_READ_KEY was when the service started'),
      })
    }
    expect((await detailOf(wrong, {})).detail).toBe('this service has no read key')
    for (const set of [env, {}]) {
      expect(await answerTo({}, set)).toMatchObject({
        detail: 'the request carries no read key and no session',
        fix: expect.stringContaining('BAILIWICK_LOG_READ_KEY was when the service started'),
      })
    }
    const cookie = 'bailiwick_session=bws_ended'
    expect((await answerTo({ cookie }, env)).detail).toBe('the session has ended')
  })

  test('are open to anyone where the operator says so', async () => {
    const answer = await bytes(path, {}, appWith({ BAILIWICK_LOG_PUBLIC: '1' }))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect((await bytes(path, {}, appWith({ BAILIWICK_LOG_PUBLIC: '0' }))).status).toBe(401)
  })

  test('are not opened by a setting that is unclear', () => {
    for (const env of [
      { BAILIWICK_LOG_PUBLIC: 'yes' },
      { BAILIWICK_LOG_READ_KEY: 'short' },
      { BAILIWICK_LOG_READ_KEY: ' '.repeat(40) },
    ]) {
      expect(() => logReadingFrom(env)).toThrow(expect.objectContaining({ code: 'bad_input' }))
    }
    expect(logReadingFrom({ BAILIWICK_LOG_READ_KEY: '', BAILIWICK_LOG_PUBLIC: '' })).toEqual({
      isPublic: false,
    })
  })
})

describe('a proof', () => {
  test('of an agent’s own decision is a bundle that holds offline, without its payload', async () => {
    const answer = await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: 7 } })
    for (const id of [answer.body.id, String(answer.body.record.index)]) {
      const proof = await agent.get(`/v1/log/proof/${id}`)
      expect(proof.status).toBe(200)
      expect(proof.body.payload).toEqual({ state: 'withheld' })
      const verdict = verifyProofBundle(parseProofBundle(proof.text), [key])
      expect(verdict).toMatchObject({ kind: 'proven', record: { id: answer.body.id, agent: agentId } })
    }
    expect((await person.get(`/v1/log/proof/${answer.body.id}`)).status).toBe(200)
  })

  test('of somebody else’s record, or of none, is not found, and needs authentication', async () => {
    await expectRefused(service, () => other.get('/v1/log/proof/dec_100'), 404, 'not_found')
    await expectRefused(service, () => agent.get('/v1/log/proof/0'), 404, 'not_found')
    await expectRefused(service, () => agent.get('/v1/log/proof/999999'), 404, 'not_found')
    await expectRefused(service, () => service.anyone.get('/v1/log/proof/dec_100'), 401, 'not_authenticated')
    expect((await person.get('/v1/log/proof/0')).body).toMatchObject({ index: 0 })
  })

  test('at another size comes without a checkpoint, and not at one that was never published', async () => {
    const proof = await person.get('/v1/log/proof/100?size=200')
    expect(proof.body).toMatchObject({ index: 100, size: 200, checkpoint: null })
    await expectRefused(service, () => person.get('/v1/log/proof/100?size=99999'), 404, 'not_found')
    await expectRefused(service, () => person.get('/v1/log/proof/100?size=100'), 404, 'not_found')
  })

  test.each([
    '/v1/log/proof/x',
    '/v1/log/proof/-1',
    '/v1/log/proof/01',
    '/v1/log/proof/1?size=x',
    '/v1/log/proof/1?size=-1',
    '/v1/log/proof/1?other=1',
    '/v1/log/consistency',
    '/v1/log/consistency?from=0',
    '/v1/log/consistency?from=5&to=4',
    '/v1/log/consistency?from=1.5',
    '/v1/log/consistency?from=1&to=',
  ])('is not asked for like %s', async (path) => {
    await expectRefused(service, () => person.get(path), 400, 'bad_input')
  })

  test('that the log has grown holds between any two sizes', async () => {
    const roots = async (at: number) =>
      frontierRoot(appendLeaves(emptyFrontier, (await leaves()).slice(0, at)))
    for (const [from, to] of [
      [1, 300],
      [256, 257],
      [100, 100],
    ] as const) {
      const { body } = await agent.get(`/v1/log/consistency?from=${from}&to=${to}`)
      const [fromRoot, toRoot] = [await roots(from), await roots(to)]
      expect(body).toMatchObject({ fromRoot: fromRoot.toString('base64'), toRoot: toRoot.toString('base64') })
      const proof = (body.proof as string[]).map((hash) => Buffer.from(hash, 'base64'))
      expect(verifyConsistency({ from, to, fromRoot, toRoot, proof })).toBe(true)
    }
    await expectRefused(service, () => agent.get('/v1/log/consistency?from=99999'), 404, 'not_found')
    await expectRefused(
      service,
      () => service.anyone.get('/v1/log/consistency?from=1'),
      401,
      'not_authenticated',
    )
  })

  test('comes to the client of the library, too', async () => {
    const client = new BailiwickClient({
      url: base,
      key: agent.secret,
      fetch: (input, init) => Promise.resolve(service.app.request(new Request(input, init))),
    })
    const decided = await client.check('issue_refund', { amount: 3 })
    expect(verifyProofBundle(await client.prove(decided.id), [key])).toMatchObject({ kind: 'proven' })
    await expect(client.prove('dec_0')).rejects.toMatchObject({ code: 'not_found' })
  })
})
