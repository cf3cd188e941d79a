import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openDatabase } from '@bailiwick/store'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { runningPostmaster } from '../../../store/src/engine/postmaster-file.ts'
import { runCli } from '../../src/cli/run.ts'
import { cli, exampleFile } from './run-cli.ts'
import { seedCases } from './seed-cases.ts'

let dataDir: string
beforeEach(async () => {
  dataDir = await makeTestDir()
})
afterEach(() => removeTestDir(dataDir))

interface Served {
  readonly url: string
  readonly signInUrl: string | null
  readonly warnings: readonly unknown[]
}

/** Runs `serve` until `use` is done, then stops it by a signal. */
async function serving(
  use: (served: Served) => Promise<void>,
  end: (stop: () => void, exits: readonly number[]) => void = (stop) => stop(),
): Promise<number> {
  const exits: number[] = []
  let stop = (): void => undefined
  let announced: (served: Served) => void = () => undefined
  const served = new Promise<Served>((resolve) => {
    announced = resolve
  })
  const args = ['serve', '--json', '--port', '0', '--policies', exampleFile('policies'), '--data', dataDir]
  const done = runCli(args, {
    out: (text) => announced(JSON.parse(text) as Served),
    err: () => undefined,
    env: {},
    onStopSignal: (listener) => {
      stop = listener
      return () => undefined
    },
    exitNow: (code) => void exits.push(code),
  })
  try {
    await use(
      await Promise.race([served, done.then((code) => Promise.reject(new Error(`ended with ${code}`)))]),
    )
  } finally {
    end(stop, exits)
  }
  return await done
}

describe('bailiwick serve', () => {
  test('answers on this machine alone, takes a key made beside it, stops on a signal, and leaves a log that verifies', async () => {
    const code = await serving(async ({ url, signInUrl, warnings }) => {
      expect(signInUrl).toContain(`http://localhost:${new URL(url).port}/sign-in#token=`)
      expect(warnings).toHaveLength(1)
      expect((await fetch(`${url}/healthz`)).status).toBe(200)
      expect(new URL(url).hostname).toBe('127.0.0.1')
      // Would be answered by what listens on every address of the machine.
      await expect(fetch(`${url.replace('127.0.0.1', '127.0.0.2')}/healthz`)).rejects.toThrow('fetch failed')

      const made = await cli([
        'keys',
        'create',
        '--agent',
        'customer-support-agent-v2',
        '--json',
        '--data',
        dataDir,
      ])
      const { key } = made.json as { key: string }
      for (const { action, params, effect, reason } of seedCases) {
        const response = await fetch(`${url}/v1/decisions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify({ action, params }),
        })
        expect(await response.json()).toMatchObject({ effect, reasons: [reason] })
      }
      expect((await cli(['log', 'verify', '--data', dataDir])).code).toBe(0)
    })
    expect(code).toBe(0)
    const verified = await cli(['log', 'verify', '--data', dataDir, '--json'])
    expect(verified).toMatchObject({ code: 0 })
  })

  test('takes a signal that comes twice at once for one, as whoever signals a group of processes sends it, and one that comes later for impatience', async () => {
    const code = await serving(
      async () => undefined,
      (stop, exits) => {
        const now = performance.now()
        const clock = vi.spyOn(performance, 'now').mockReturnValue(now)
        stop()
        clock.mockReturnValue(now + 500)
        stop()
        expect(exits).toEqual([])
        clock.mockReturnValue(now + 501)
        stop()
        expect(exits).toEqual([2])
        clock.mockRestore()
      },
    )
    expect(code).toBe(0)
    expect(await runningPostmaster(join(dataDir, 'postgres'))).toBeUndefined()
  })

  test('refuses policies that are wrong before it touches anything', async () => {
    const run = await cli(['serve', '--port', '0', '--policies', '/nowhere', '--data', dataDir])
    expect(run).toMatchObject({ code: 2, out: '' })
    expect(run.err).toContain('no policy at `/nowhere`')
    expect(await readdir(dataDir)).toEqual([])
  })

  test('stops a database that came up while it found the policies to be wrong', async () => {
    await (await openDatabase({ dataDir })).stop()
    const run = await cli(['serve', '--port', '0', '--policies', '/nowhere', '--data', dataDir])
    expect(run).toMatchObject({ code: 2, out: '' })
    expect(run.err).toContain('no policy at `/nowhere`')
    expect(await runningPostmaster(join(dataDir, 'postgres'))).toBeUndefined()
  })
})
