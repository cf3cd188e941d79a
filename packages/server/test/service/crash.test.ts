import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { startNode } from '../harness/service-process.ts'

// The whole campaign, 100 kills on each engine with 64 callers, is `npm run crash`.
const crash = fileURLToPath(new URL('../../../../scripts/crash/main.mjs', import.meta.url))

let dir: string | undefined
afterEach(async () => {
  if (dir !== undefined) await removeTestDir(dir)
  dir = undefined
})

test.each([
  ['embedded', 4],
  ['server', 4],
] as const)(
  '`kill -9` of the service and of the %s PostgreSQL, %i times under load, loses nothing that was acknowledged; nothing ran unrecorded and no budget was exceeded',
  async (engine, rounds) => {
    dir = await makeTestDir()
    const seed = process.env['BAILIWICK_TEST_SEED'] ?? String(randomInt(2 ** 31))
    const again = `BAILIWICK_TEST_SEED=${seed}`
    const args = ['--engine', engine, '--rounds', String(rounds), '--callers', '16', '--seed', seed, '--json']
    const child = startNode(crash, args, { TMPDIR: dir })
    const output = { stdout: '', stderr: '' }
    child.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
    await once(child, 'close')
    if (output.stdout === '') expect.unreachable(`${again}: ${output.stderr}`)
    const [report] = JSON.parse(output.stdout)

    expect(report, again).toMatchObject({
      rounds,
      kills: { service: rounds / 4, postmaster: rounds / 4, backend: rounds / 4, both: rounds / 4 },
      findings: [],
      lost: 0,
      unrecorded: 0,
      ranTwice: 0,
      budgetExceeded: 0,
      rateExceeded: 0,
      approvalsReused: 0,
      verifications: { green: rounds + 1, red: 0 },
      stopped: 0,
      sound: true,
    })
    // The audit finds what is not there, where there is something to find.
    expect(report.wouldFind, again).toMatchObject({ lost: 3, unrecorded: 1 })
    // A campaign in which little happened would prove little.
    expect(report.ran, again).toBeGreaterThan(rounds)
    expect(report.approvalsUsed, again).toBeGreaterThan(0)
    expect(
      report.faults.service_unreachable,
      `${again}: kills that nobody noticed test nothing`,
    ).toBeGreaterThan(0)
  },
  // Restarts take their time on a busy machine.
  240_000,
)
