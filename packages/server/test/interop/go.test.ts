import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isLeftOut } from '../../../../test/tools.ts'
import { agentId } from '../harness/policies.ts'
import { ServicePlace } from '../harness/service.ts'
import type { RunningService } from '../../src/service.ts'
import { tamperingProxy, type Tamper, type TamperingProxy } from './tampering-proxy.ts'

const run = promisify(execFile)
const repository = fileURLToPath(new URL('../../../../', import.meta.url))
const goPath = process.env['BAILIWICK_GOPATH'] ?? '/usr/share/gocode'
const hasGo = await run('go', ['version']).then(
  () => existsSync(join(goPath, 'src/golang.org/x/mod/sumdb/tlog')),
  () => false,
)
const leftOut = isLeftOut('Go with golang.org/x/mod (golang-go, golang-golang-x-mod-dev)', hasGo)

const index = 300

describe.skipIf(leftOut)("Go's own transparency log", () => {
  let place: ServicePlace
  let service: RunningService
  let proxy: TamperingProxy
  let program: string
  let args: string[]
  let old: string

  beforeAll(async () => {
    place = await ServicePlace.onServer()
    program = join(place.dir, 'verify-log')
    await run('go', ['build', '-o', program, './interop/go/verify-log'], {
      cwd: repository,
      env: {
        PATH: process.env['PATH'],
        HOME: place.dir,
        GO111MODULE: 'off',
        GOPATH: goPath,
        GOPROXY: 'off',
        GOFLAGS: '',
      },
    })
    const readKey = 'read-the-log-'.repeat(3)
    service = await place.start({ env: { BAILIWICK_LOG_READ_KEY: readKey } })
    proxy = await tamperingProxy(service.url)
    const agentKey = await place.createKey()
    // Within its second tile, which is partial then and full later.
    const { keys, origin } = await append(500)
    old = await checkpoint()
    await writeFile(join(place.dir, 'old'), old)
    await append(2600)
    args = ['-url', proxy.url, '-keys', keys, '-origin', origin, '-old', join(place.dir, 'old')]
    args.push('-index', String(index), '-token', readKey, '-agent-key', agentKey)
  })
  afterAll(async () => {
    await proxy.close()
    await place.remove()
  })

  async function append(calls: number): Promise<{ keys: string; origin: string }> {
    return await place.onLedger(async (ledger) => {
      const decide = (_: unknown, amount: number) =>
        ledger.decide(agentId, { action: 'issue_refund', params: { amount: amount % 500 } })
      await Promise.all(Array.from({ length: calls }, decide))
      return { keys: ledger.checkpoints.verifierKey, origin: ledger.checkpoints.origin }
    })
  }

  async function checkpoint(): Promise<string> {
    return await (await fetch(`${service.url}/log/checkpoint`)).text()
  }

  async function verify(more: readonly string[] = []): Promise<{ code: number; out: string }> {
    return await run(program, [...args, ...more]).then(
      ({ stdout }) => ({ code: 0, out: stdout }),
      (failure: unknown) => {
        const { code, stdout } = failure as { readonly code: number; readonly stdout: string }
        return { code, out: stdout }
      },
    )
  }

  test('verifies checkpoint, records, tiles, inclusion and consistency over HTTP', async () => {
    proxy.tamper()
    const { code, out } = await verify()
    const size = Number((await checkpoint()).split('\n')[1])
    const before = Number(old.split('\n')[1])
    expect(before).toBeGreaterThan(256)
    expect(before).toBeLessThan(512)
    expect(size).toBeGreaterThan(3100)
    expect({ code, out: out.split('\n') }).toMatchObject({
      code: 0,
      out: [
        `checkpoint: ${size} records, signature verified`,
        `records: all ${size} lead to the signed root`,
        // Thirteen of leaf hashes, one of what stands for the full ones.
        'tiles: all 14 are those of the records',
        expect.stringMatching(new RegExp(`^inclusion: record ${index} by tiles, 1[0-9] hashes$`)),
        `inclusion: record ${index} by the proof of the service`,
        expect.stringMatching(new RegExp(`^consistency: ${size} continues ${before} by tiles, `)),
        `consistency: ${size} continues ${before} by the proof of the service`,
        'ok',
        '',
      ],
    })
  })

  const at = (pattern: RegExp, change: (body: Buffer) => Buffer): Tamper => {
    return (path, body) => (pattern.test(path) ? change(Buffer.from(body)) : body)
  }
  const flip = (place: (body: Buffer) => number) => (body: Buffer) => {
    const where = place(body)
    body[where] = (body[where] ?? 0) ^ 1
    return body
  }
  const middle = flip((body) => body.length >> 1)
  /** Another hash in place of one in a list of an answer in JSON, at its first character. */
  const inProof = (body: Buffer): Buffer => {
    const where = body.indexOf('"proof":["') + '"proof":["'.length
    body[where] = body[where] === 0x41 ? 0x42 : 0x41
    return body
  }

  test.each<[string, Tamper, RegExp]>([
    [
      'in the root of the checkpoint',
      at(
        /checkpoint/,
        flip((body) => body.indexOf('\n\n') - 10),
      ),
      /^FAIL checkpoint/,
    ],
    [
      'in the size of the checkpoint',
      at(
        /checkpoint/,
        flip((body) => body.indexOf('\n') + 1),
      ),
      /^FAIL checkpoint/,
    ],
    [
      'in the signature',
      at(
        /checkpoint/,
        flip((body) => body.length - 20),
      ),
      /^FAIL checkpoint/,
    ],
    ['in a full tile', at(/tile\/0\/001$/, middle), /^FAIL \/log\/tile\/0\/001 is not the tile/m],
    [
      'in a partial tile',
      at(/tile\/0\/012\.p/, middle),
      /^FAIL \/log\/tile\/0\/012\.p\/[0-9]+ is not the tile/m,
    ],
    ['in a tile of level 1', at(/tile\/1\//, middle), /^FAIL \/log\/tile\/1\/000\.p\/12 is not the tile/m],
    ['in a record', at(/entries\/003$/, middle), /^FAIL the records do not lead/m],
    [
      'in the length of a record',
      at(
        /entries\/000$/,
        flip(() => 0),
      ),
      /^FAIL /m,
    ],
    [
      'in the proof of inclusion',
      at(/log\/proof/, inProof),
      /^FAIL inclusion of 300: the proof of the service/m,
    ],
    [
      'in the record that is proven',
      at(
        /log\/proof/,
        flip((body) => body.indexOf('issue_refund')),
      ),
      /^FAIL inclusion of 300/m,
    ],
    [
      'in the proof of consistency',
      at(/consistency/, inProof),
      /^FAIL consistency of .*: the proof of the service/m,
    ],
  ])('finds a bit that was changed %s', async (_, change, found) => {
    const changed = proxy.tamper(change)
    const { code, out } = await verify()
    expect(changed()).toBeGreaterThan(0)
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringMatching(found) })
  })

  test('finds a log that is another one, or does not continue the earlier checkpoint', async () => {
    proxy.tamper()
    const other = await ServicePlace.onServer()
    try {
      await other.start()
      const { keys, note } = await other.onLedger(async (ledger) => {
        for (let amount = 0; amount < 3; amount++) {
          await ledger.decide(agentId, { action: 'issue_refund', params: { amount } })
        }
        return { keys: ledger.checkpoints.verifierKey, note: await ledger.checkpoint() }
      })
      expect(await verify(['-keys', keys])).toMatchObject({
        code: 1,
        out: expect.stringContaining('FAIL checkpoint'),
      })
      expect(await verify(['-origin', 'example.com/other'])).toMatchObject({
        code: 1,
        out: expect.stringContaining('it is of the log'),
      })
      await writeFile(join(place.dir, 'foreign'), note)
      const both = `${args[args.indexOf('-keys') + 1] ?? ''} ${keys}`
      expect(await verify(['-keys', both, '-old', join(place.dir, 'foreign')])).toMatchObject({
        code: 1,
        out: expect.stringMatching(/^FAIL consistency of/m),
      })
    } finally {
      await other.remove()
    }
  })
})
