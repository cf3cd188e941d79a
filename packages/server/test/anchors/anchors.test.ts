import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { cosignatureOf, openCheckpoint, parseWitnessKey, type Instant } from '@bailiwick/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { Anchors } from '../../src/anchors/anchors.ts'
import { anchorSettings } from '../../src/anchors/settings.ts'
import { verifyWebhook } from '../../src/delivery/standard-webhooks.ts'
import { TestLog } from './test-log.ts'
import { TestWitness } from './test-witness.ts'

const webhookSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const now = Date.parse('2026-11-23T20:00:00.000Z') as Instant
const allowed = { BAILIWICK_ALLOW_PRIVATE_WEBHOOKS: '1' }

let dir: string
const closing: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  dir = await makeTestDir()
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  await removeTestDir(dir)
})

async function witness(name: string): Promise<{ witness: TestWitness; url: string; key: string }> {
  const one = new TestWitness(name, [TestLog.verifierKey])
  closing.push(() => one.close())
  return { witness: one, url: await one.listen(), key: one.verifierKey }
}

async function receiver(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener)
  closing.push(() => new Promise((resolve) => server.close(resolve)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/checkpoints`
}

function anchorsOf(log: TestLog, env: Record<string, string>): { anchors: Anchors; lines: string[] } {
  const lines: string[] = []
  const { checkpoint, proof } = log
  const anchors = new Anchors(anchorSettings({ ...allowed, ...env }), {
    ledger: 'main',
    dataDir: dir,
    checkpoint,
    proof,
    now: () => now,
    log: (line) => lines.push(line),
  })
  return { anchors, lines }
}

const cosignedFile = () => readFile(join(dir, 'checkpoints', 'main.cosigned'), 'utf8')
const listed = (...witnesses: readonly { url: string; key: string }[]) => ({
  BAILIWICK_WITNESSES: JSON.stringify(witnesses.map(({ url, key }) => ({ url, key }))),
})

describe('witnesses', () => {
  beforeEach(() => mkdir(join(dir, 'checkpoints'), { recursive: true }))

  test('cosign checkpoints that continue one another, and the cosigned note is one that the log signed', async () => {
    const [one, two] = [await witness('w1.example'), await witness('w2.example/x')]
    const log = new TestLog('a', 5)
    const { anchors, lines } = anchorsOf(log, listed(one, two))
    for (const growth of [0, 1, 300, 1]) {
      log.grow(growth)
      await anchors.round()
      const note = await cosignedFile()
      const { size } = await log.checkpoint()
      expect(openCheckpoint(note, [TestLog.verifierKey]).size).toBe(size)
      for (const { key } of [one, two]) {
        expect(cosignatureOf(note, parseWitnessKey(key))?.timestamp).toBeGreaterThan(1.7e9)
      }
    }
    expect(one.witness.received[1]).toMatch(/^old 5\n[A-Za-z0-9+/=\n]+\n\nbailiwick\.local\/main\n6\n/)
    expect(lines).toEqual([])
    expect((await readdir(join(dir, 'anchors', 'main'))).sort()).toEqual(
      ['306.cosigned', '307.cosigned', '5.cosigned', '6.cosigned'].sort(),
    )
  })

  test('that remember another size are believed, as after a restart of ours', async () => {
    const one = await witness('w1.example')
    const log = new TestLog('a', 9)
    await anchorsOf(log, listed(one)).anchors.round()
    log.grow(4)
    const { anchors, lines } = anchorsOf(log, listed(one))
    await anchors.round()
    expect(lines).toEqual([])
    expect(openCheckpoint(await cosignedFile(), [TestLog.verifierKey]).size).toBe(13)
    expect(one.witness.received.map((body) => body.split('\n')[0])).toEqual(['old 0', 'old 0', 'old 9'])
  })

  test('are asked nothing while the log does not grow', async () => {
    const one = await witness('w1.example')
    const { anchors } = anchorsOf(new TestLog('a', 3), listed(one))
    await anchors.round()
    await anchors.round()
    expect(one.witness.received).toHaveLength(1)
  })

  test('that have seen more than there is give the alarm: the log was rewound', async () => {
    const one = await witness('w1.example')
    await anchorsOf(new TestLog('a', 30), listed(one)).anchors.round()
    const { anchors, lines } = anchorsOf(new TestLog('a', 20), listed(one))
    await anchors.round()
    expect(lines[0]).toBe(
      'witness w1.example: the witness `w1.example` has seen 30 records of this log, which has 20',
    )
  })

  test('do not cosign a fork, and the last cosigned note stays', async () => {
    const one = await witness('w1.example')
    await anchorsOf(new TestLog('a', 30), listed(one)).anchors.round()
    const before = await cosignedFile()
    const { anchors, lines } = anchorsOf(new TestLog('b', 40), listed(one))
    await anchors.round()
    expect(lines).toEqual([
      'witness w1.example: the witness `w1.example` gave no cosignature: it answered 422',
      'witnesses: 0 of 1 witnesses cosigned, and 1 have to',
    ])
    expect(await cosignedFile()).toBe(before)
  })

  test('that lie, answer nonsense or nothing are told of, and with a quorum the others are enough', async () => {
    const [liar, nonsense, good] = [await witness('liar'), await witness('nonsense'), await witness('good')]
    liar.witness.liar = true
    nonsense.witness.instead = { status: 200, body: 'I agree.\n' }
    const log = new TestLog('a', 3)
    const gone = { url: 'http://127.0.0.1:9/', key: (await witness('gone')).key }
    const all = listed(liar, nonsense, gone, good)
    const strict = anchorsOf(log, all)
    await strict.anchors.round()
    expect(strict.lines).toHaveLength(4)
    expect(strict.lines.join('\n')).toContain('its cosignature does not verify')
    await expect(cosignedFile()).rejects.toThrow('ENOENT')

    await anchorsOf(log, { ...all, BAILIWICK_WITNESS_QUORUM: '1' }).anchors.round()
    const note = await cosignedFile()
    expect(cosignatureOf(note, parseWitnessKey(good.key))).toBeDefined()
    expect(cosignatureOf(note, parseWitnessKey(liar.key))).toBeUndefined()
  })

  test('that sign more than they were sent, and send it along, are refused', async () => {
    const one = await witness('smuggler')
    one.witness.smuggles = true
    const { anchors, lines } = anchorsOf(new TestLog('a', 3), listed(one))
    await anchors.round()
    expect(lines[0]).toContain('it answered more than a signature')
    await expect(cosignedFile()).rejects.toThrow('ENOENT')
  })

  test.each([
    { status: 409, type: 'text/x.tlog.size', body: 'many\n' },
    { status: 409, type: 'text/plain', body: '1\n' },
    { status: 409, type: 'text/x.tlog.size', body: '2' },
    { status: 404, body: '' },
  ])('an answer $status of $type that says nothing usable ends the try: $body', async (instead) => {
    const one = await witness('w1.example')
    one.witness.instead = instead
    const { anchors, lines } = anchorsOf(new TestLog('a', 3), listed(one))
    await anchors.round()
    expect(lines[0]).toContain('gave no cosignature')
    expect(one.witness.received).toHaveLength(1)
  })
})

describe('copies', () => {
  test('of each round lie in the directory, beside the newest', async () => {
    const log = new TestLog('a', 3)
    const elsewhere = join(dir, 'elsewhere')
    const { anchors, lines } = anchorsOf(log, { BAILIWICK_CHECKPOINT_DIR: elsewhere })
    await anchors.round()
    log.grow(2)
    await anchors.round()
    expect(lines).toEqual([])
    expect((await readdir(join(elsewhere, 'main'))).sort()).toEqual(['3.checkpoint', '5.checkpoint'])
    expect(
      openCheckpoint(await readFile(join(elsewhere, 'main.checkpoint'), 'utf8'), [TestLog.verifierKey]).size,
    ).toBe(5)
  })

  test('that were made stay as they are, also when the log says something else at the same size', async () => {
    const elsewhere = join(dir, 'elsewhere')
    await anchorsOf(new TestLog('a', 3), { BAILIWICK_CHECKPOINT_DIR: elsewhere }).anchors.round()
    const before = await readFile(join(elsewhere, 'main', '3.checkpoint'), 'utf8')
    await anchorsOf(new TestLog('b', 3), { BAILIWICK_CHECKPOINT_DIR: elsewhere }).anchors.round()
    expect(await readFile(join(elsewhere, 'main', '3.checkpoint'), 'utf8')).toBe(before)
  })

  test('that count more records than the log has are evidence: they stay, and the log says so in every round', async () => {
    const elsewhere = join(dir, 'elsewhere')
    const settings = { BAILIWICK_CHECKPOINT_DIR: elsewhere }
    await anchorsOf(new TestLog('a', 9), settings).anchors.round()
    const newest = () => readFile(join(elsewhere, 'main.checkpoint'), 'utf8')
    const before = await newest()
    const rewound = new TestLog('a', 5)
    const { anchors, lines } = anchorsOf(rewound, settings)
    await anchors.round()
    await anchors.round()
    expect(lines).toHaveLength(2)
    expect(lines[0]).toContain('is a checkpoint for 9 records of this log, which has 5')
    expect(await newest()).toBe(before)
    expect(await readdir(join(elsewhere, 'main'))).toEqual(['9.checkpoint'])
    // Another service that is ahead by a moment is no alarm.
    rewound.grow(4)
    await anchors.round()
    expect(lines).toHaveLength(2)
  })

  test('that cannot be written are tried again in the next round, though the log did not grow', async () => {
    const elsewhere = join(dir, 'elsewhere')
    await writeFile(elsewhere, 'a file')
    const { anchors, lines } = anchorsOf(new TestLog('a', 3), { BAILIWICK_CHECKPOINT_DIR: elsewhere })
    await anchors.round()
    await anchors.round()
    expect(lines.filter((line) => line.startsWith('checkpoint directory: '))).toHaveLength(2)
  })
})

test('the webhook receives the note, signed, with an id that repeats for the same checkpoint', async () => {
  const got: { headers: Record<string, string>; body: string }[] = []
  const answers = [500, 204]
  const url = await receiver((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      got.push({ headers: request.headers as Record<string, string>, body })
      response.writeHead(answers.shift() ?? 204).end()
    })
  })
  const log = new TestLog('a', 3)
  const { anchors, lines } = anchorsOf(log, {
    BAILIWICK_CHECKPOINT_WEBHOOK_URL: url,
    BAILIWICK_CHECKPOINT_WEBHOOK_SECRET: webhookSecret,
  })
  await anchors.round()
  await anchors.round()
  await anchors.round()
  expect(lines).toEqual(['checkpoint webhook: the receiver answered 500'])
  expect(got).toHaveLength(2)
  for (const { headers, body } of got) {
    expect(verifyWebhook(headers, body, webhookSecret, now)).toMatchObject({
      kind: 'valid',
      id: 'chk_main_3',
    })
    const { note } = (JSON.parse(body) as { data: { note: string } }).data
    expect(openCheckpoint(note, [TestLog.verifierKey]).size).toBe(3)
  }
})

test('an empty log is anchored nowhere', async () => {
  const { anchors } = anchorsOf(new TestLog('a', 0), { BAILIWICK_CHECKPOINT_DIR: join(dir, 'elsewhere') })
  await anchors.round()
  await expect(readdir(join(dir, 'elsewhere'))).rejects.toThrow('ENOENT')
})

describe('settings', () => {
  const key = 'w+00000000+BAAA'
  test.each([
    [{ BAILIWICK_WITNESSES: 'https://w.example' }, 'is not a list of witnesses'],
    [{ BAILIWICK_WITNESSES: '[null]' }, 'is not a list of witnesses'],
    [
      { BAILIWICK_WITNESSES: `[{"url":"https://w.example","key":"${key}"}]` },
      'the key of a witness is malformed',
    ],
    [
      { BAILIWICK_WITNESSES: `[{"url":"https://w.example","key":"${TestLog.verifierKey}"}]` },
      'the key of a witness is malformed',
    ],
    [{ BAILIWICK_WITNESSES: `[{"url":"ftp://w.example","key":"${key}"}]` }, 'has the scheme `ftp:`'],
    [{ BAILIWICK_WITNESSES: `[{"url":"http://w.example","key":"${key}"}]` }, 'is not encrypted'],
    [{ BAILIWICK_WITNESS_QUORUM: '1' }, '`BAILIWICK_WITNESS_QUORUM` is `1`'],
    [{ BAILIWICK_ANCHOR_SECONDS: '0' }, '`BAILIWICK_ANCHOR_SECONDS` is `0`'],
    [{ BAILIWICK_TSA_URL: 'tsa' }, '`BAILIWICK_TSA_URL` is not a URL'],
    [{ BAILIWICK_CHECKPOINT_WEBHOOK_URL: 'https://x.example/' }, 'no secret to sign'],
  ])('%j is refused', (env, message) => {
    expect(() => anchorSettings(env)).toThrow(message)
  })
})
