import { execFile, execFileSync } from 'node:child_process'
import { hash, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readTimeStamp, timeStampRequest } from '@bailiwick/core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isLeftOut } from '../../../../test/tools.ts'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { timeStamped } from '../../src/anchors/time-stamps.ts'

const run = promisify(execFile)

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const config = `
[tsa]
default_tsa = one
[one]
serial = SERIAL
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
signer_digest = sha256
`

describe.skipIf(isLeftOut('openssl', hasOpenssl()))('time-stamps of a real authority (openssl ts)', () => {
  let dir: string
  let server: Server
  let url: URL
  let mode: 'good' | 'other' | 'garbage' | 'error' = 'good'
  const file = (name: string) => join(dir, name)

  beforeAll(async () => {
    dir = await makeTestDir()
    await writeFile(file('tsa.cnf'), config.replace('SERIAL', file('serial')))
    await writeFile(file('serial'), '01\n')
    const subject = ['-subj', '/CN=Test TSA', '-addext', 'extendedKeyUsage=critical,timeStamping']
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
    await run('openssl', [
      'req',
      '-x509',
      ...made,
      '-keyout',
      file('tsa.key'),
      '-out',
      file('tsa.pem'),
      ...subject,
    ])
    server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        reply(Buffer.concat(chunks)).then(
          ({ status, body }) => response.writeHead(status).end(body),
          () => response.writeHead(500).end(),
        )
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  })
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve))
    await removeTestDir(dir)
  })

  async function reply(query: Buffer): Promise<{ status: number; body: Buffer }> {
    if (mode === 'garbage') return { status: 200, body: Buffer.from('time is money') }
    if (mode === 'error') return { status: 503, body: Buffer.alloc(0) }
    const asked =
      mode === 'other' ? timeStampRequest(hash('sha256', 'something else', 'buffer'), randomBytes(8)) : query
    await writeFile(file('query'), asked)
    const files = ['-inkey', file('tsa.key'), '-signer', file('tsa.pem'), '-out', file('reply')]
    await run('openssl', ['ts', '-reply', '-config', file('tsa.cnf'), '-queryfile', file('query'), ...files])
    return { status: 200, body: await readFile(file('reply')) }
  }

  test('say when, and openssl verifies them against the bytes that were stamped', async () => {
    mode = 'good'
    const stamp = await timeStamped(url, 'a checkpoint\n', true)
    expect(stamp.genTime).toMatch(/^20\d{12}(\.\d+)?Z$/)
    await writeFile(file('stamp.tsr'), stamp.response)
    await writeFile(file('note'), 'a checkpoint\n')
    const verify = ['ts', '-verify', '-in', file('stamp.tsr'), '-CAfile', file('tsa.pem')]
    const { stdout, stderr } = await run('openssl', [...verify, '-data', file('note')])
    expect(stdout + stderr).toContain('Verification: OK')
    await writeFile(file('note'), 'another checkpoint\n')
    await expect(run('openssl', [...verify, '-data', file('note')])).rejects.toThrow()
  })

  test.each([
    ['other', 'the time-stamp is not about what was asked'],
    ['garbage', 'malformed'],
    ['error', 'the time-stamping authority answered 503'],
  ] as const)('an answer that is %s is refused', async (which, message) => {
    mode = which
    await expect(timeStamped(url, 'a checkpoint\n', true)).rejects.toThrow(
      message === 'malformed' ? /malformed|cut off/ : message,
    )
  })

  test('a request that the authority cannot read is refused by it, and that is told', async () => {
    await writeFile(file('query'), timeStampRequest(hash('sha1', 'x', 'buffer'), randomBytes(8)))
    const files = ['-inkey', file('tsa.key'), '-signer', file('tsa.pem'), '-out', file('refused')]
    await run('openssl', ['ts', '-reply', '-config', file('tsa.cnf'), '-queryfile', file('query'), ...files])
    const refused = await readFile(file('refused'))
    expect(() => readTimeStamp(refused, randomBytes(32), randomBytes(8))).toThrow('refused')
  })

  test('no changed byte makes another answer of it: it is read as before or refused', async () => {
    mode = 'good'
    const [digest, nonce] = [hash('sha256', 'note', 'buffer'), randomBytes(8)]
    const { body } = await reply(timeStampRequest(digest, nonce))
    expect(readTimeStamp(body, digest, nonce).genTime).toBeDefined()
    fc.assert(
      fc.property(
        fc.nat(body.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(body.length),
        (at, by, end) => {
          const changed = Buffer.from(body)
          changed[at] = (changed[at] ?? 0) ^ by
          for (const bytes of [changed, body.subarray(0, end)]) {
            try {
              readTimeStamp(bytes, digest, nonce)
            } catch (error) {
              expect(error).toHaveProperty('code', 'bad_input')
            }
          }
        },
      ),
      { numRuns: 2000 },
    )
    expect(() => readTimeStamp(body, randomBytes(32), nonce)).toThrow('not about what was asked')
    expect(() => readTimeStamp(body, digest, randomBytes(8))).toThrow('not about what was asked')
  })
})
