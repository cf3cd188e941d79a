import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ledger } from '@bailiwick/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  agent,
  ledgerSite,
  policiesOf,
  refund,
  supportPolicy,
  type LedgerSite,
} from '../../../store/test/harness/ledger.ts'
import { testDatabase } from '../../../store/test/harness/postgres.ts'
import { cutTail } from '../../../store/test/harness/rewriting.ts'
import type { Target } from '../../src/delivery/targets.ts'
import { SelfCheck } from '../../src/self-check/self-check.ts'

const targets = new Map<string, Target>([
  ['pager', { kind: 'slack', url: new URL('https://hooks.example.com/pager'), allowPrivate: false }],
])
let site: LedgerSite
let elsewhere: string
const lines: string[] = []
beforeEach(async () => {
  site = await ledgerSite({ createDatabase: () => testDatabase() })
  elsewhere = join(site.dataDir, 'elsewhere')
  await mkdir(elsewhere)
  lines.length = 0
})
afterEach(() => site.remove())

const open = () =>
  Ledger.open({
    connection: site.database.config,
    policies: policiesOf(supportPolicy()),
    dataDir: site.dataDir,
    consoleUrl: 'http://console.test',
    now: site.clock.now,
    checkpointCopies: elsewhere,
  })
const checkOf = (ledger: Ledger) =>
  new SelfCheck({
    ledger,
    targets,
    links: { consoleUrl: 'http://console.test' },
    seconds: 10,
    log: (line) => lines.push(line),
  })
async function grown(ledger: Ledger, records: number): Promise<string> {
  for (let at = 0; at < records; at++) await ledger.decide(agent, refund(at))
  return await ledger.checkpoint()
}

test('the self-check halts on a log that does not contain a copy of its checkpoint, and tells every target', async () => {
  const honest = await open()
  const old = await grown(honest, 3)
  const note = await grown(honest, 4)
  await honest.close()
  // Cut off and put back while the copy could not be seen.
  await cutTail(site, 'main', 5)
  await writeFile(join(site.dataDir, 'checkpoints', 'main.checkpoint'), old)
  const fooled = await open()
  const check = checkOf(fooled)
  await grown(fooled, 6)
  await check.runOnce()
  expect(fooled.halted).toBeUndefined()

  await writeFile(join(elsewhere, 'main.checkpoint'), note)
  await check.runOnce()
  expect(fooled.halted?.code).toBe('log_broken')
  expect(lines.join('\n')).toContain('is a checkpoint for 8 records of this log')
  expect(await site.query(`select target from outbox where kind = 'log.broken'`)).toEqual([
    { target: 'pager' },
  ])
  await fooled.close().catch(() => undefined)
})

test('it goes on where the log contains the copies, and where they cannot be read says so and nothing else', async () => {
  const ledger = await open()
  const check = checkOf(ledger)
  await writeFile(join(elsewhere, 'main.checkpoint'), await grown(ledger, 3))
  for (let round = 0; round < 3; round++) {
    await grown(ledger, 2)
    await check.runOnce()
  }
  await rm(elsewhere, { recursive: true })
  await writeFile(elsewhere, 'no directory')
  await expect(check.runOnce()).rejects.toMatchObject({ code: 'store_unavailable' })
  expect([ledger.halted, lines]).toEqual([undefined, []])
  expect(await readFile(elsewhere, 'utf8')).toBe('no directory')
  await ledger.close()
})
