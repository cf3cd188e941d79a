import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PayloadKey } from '../src/sealing/payload-key.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { decisionRecords, ledgerSite, type LedgerSite } from './harness/ledger.ts'
import { countingOfPeople } from './harness/uses.ts'

const ledger = 'sealed-crash'
const payloadKey = randomBytes(32).toString('hex')
/** After so many answers each process is killed; the first one just as it makes the first keys. */
const killsAfter = [1, 2, 120]

describeOnOnePostgres('G9: a process that is killed while it seals', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterAll(() => site.remove())

  async function killedAfter(count: number): Promise<void> {
    const file = fileURLToPath(new URL('./harness/caller.mjs', import.meta.url))
    const at = JSON.stringify({ connection: site.database.config, dataDir: site.dataDir, ledger, payloadKey })
    const child = spawn(process.execPath, [file, at], { stdio: ['pipe', 'pipe', 'inherit'] })
    let told = 0
    for await (const line of createInterface({ input: child.stdout })) {
      told += line === '' ? 0 : 1
      if (told === count) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')
  }

  test('leaves every payload with its keys, and one key for each person', async () => {
    for (const count of killsAfter) await killedAfter(count)
    const key = new PayloadKey(payloadKey)
    const reopened = await site.open(countingOfPeople(), ledger, { payloadKey: key, now: undefined })
    const decisions = await decisionRecords(site, reopened)
    expect(decisions.length).toBeGreaterThan(120)
    for (const { id } of decisions) {
      expect((await reopened.decision(id)).context).toMatchObject({
        customer: expect.stringMatching(/^c[012]$/),
      })
    }
    const keys = await site.query<{ people: number; keys: number }>(
      'select count(distinct subject)::int as people, count(*)::int as keys from subject_key where ledger = $1',
      [ledger],
    )
    expect(keys).toEqual([{ people: 3, keys: 3 }])
    expect(await reopened.verify()).toMatchObject({ kind: 'intact' })
  })
})
