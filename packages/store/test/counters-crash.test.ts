import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { agent, decisionRecords, ledgerSite, records, type LedgerSite } from './harness/ledger.ts'
import { counting, refundFor } from './harness/uses.ts'

/** What a caller was told before its process was killed. */
interface Told {
  readonly id: string
  readonly effect: string
  readonly failed: boolean
}

const ledger = 'crashed'
/** After so many answers each process is killed. */
const killsAfter = [1, 90, 250]

describeOnOnePostgres('G4: a process that is killed while it decides', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterAll(() => site.remove())

  /** Runs a process of 16 callers until it has had so many answers, and kills it with others on their way. */
  async function killedAfter(count: number): Promise<Told[]> {
    const file = fileURLToPath(new URL('./harness/caller.mjs', import.meta.url))
    const at = JSON.stringify({ connection: site.database.config, dataDir: site.dataDir, ledger })
    const child = spawn(process.execPath, [file, at], { stdio: ['pipe', 'pipe', 'inherit'] })
    const told: Told[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      told.push(JSON.parse(line) as Told)
      if (told.length === count) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')
    return told
  }

  test('neither loses nor doubles what was used, and what failed is given back once', async () => {
    const told: Told[] = []
    for (const count of killsAfter) told.push(...(await killedAfter(count)))
    const reopened = await Ledger.open({
      connection: site.database.config,
      dataDir: site.dataDir,
      ledger,
      policies: counting(),
      consoleUrl: 'http://console.test',
    })
    try {
      const effects = new Map(
        (await decisionRecords(site, reopened)).map(({ id, effect }) => [String(id), effect]),
      )
      for (const { id, effect } of told) expect(effects.get(id)).toBe(effect)
      const failed = new Set(
        (await records(site, reopened)).flatMap((record) =>
          record.kind === 'outcome' && record.status === 'failed' ? [String(record.decision)] : [],
        ),
      )
      for (const { id, failed: gaveBack } of told) if (gaveBack) expect(failed).toContain(id)

      const used = new Map<string, number>()
      for (const { id, effect } of await decisionRecords(site, reopened)) {
        if (effect !== 'allow' || failed.has(id)) continue
        const { params, context } = await reopened.decision(id)
        const { customer } = context as { customer: string }
        used.set(customer, (used.get(customer) ?? 0) + (params as { amount: number }).amount)
      }
      expect(await reopened.verify()).toMatchObject({ kind: 'intact' })
      for (const customer of ['c0', 'c1', 'c2']) {
        const left = 1000 - (used.get(customer) ?? 0)
        expect(left).toBeGreaterThanOrEqual(0)
        // To the cent: all that is left can be used, and no more.
        expect((await reopened.decide(agent, refundFor(customer, left + 0.01))).effect).toBe('deny')
        expect((await reopened.decide(agent, refundFor(customer, left))).effect).toBe('allow')
      }
      expect(used.size).toBe(3)
      expect(await reopened.verify()).toMatchObject({ kind: 'intact' })
    } finally {
      await reopened.close()
    }
  })
})
