import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Fault } from '@bailiwick/core'
import type pg from 'pg'
import { isLeftOut } from '../../../test/tools.ts'
import { Ledger } from '../src/ledger.ts'
import { migrate } from '../src/migrate.ts'
import { makeTestDir, removeTestDir } from './harness/data-dir.ts'
import { agent } from './harness/ledger.ts'
import { binariesWithBackup, primaryWithStandby, type PrimaryWithStandby } from './harness/standby.ts'
import { counting, refundFor } from './harness/uses.ts'

const binaries = await binariesWithBackup()
const leftOut = isLeftOut('an installed pg_basebackup (postgresql-15)', binaries !== undefined)

describe.skipIf(leftOut)('a synchronous standby', () => {
  let dir: string
  let servers: PrimaryWithStandby
  beforeAll(async () => {
    dir = await makeTestDir()
    if (binaries !== undefined) servers = await primaryWithStandby(dir, binaries)
    await migrate(servers.primary)
  })
  afterAll(() => removeTestDir(dir))

  const open = (connection: pg.ClientConfig) =>
    Ledger.open({
      connection,
      dataDir: path.join(dir, 'ledger'),
      policies: counting(),
      consoleUrl: 'http://console.test',
    })

  test('has every decision that was acknowledged before the primary was killed, and takes over from it', async () => {
    const ledger = await open(servers.primary)
    const told: { readonly id: string; readonly effect: string }[] = []
    const faults: unknown[] = []
    let killed: Promise<void> | undefined
    const caller = async (own: number): Promise<void> => {
      try {
        for (let call = own; ; call++) {
          const { id, effect } = await ledger.decide(agent, refundFor(`c${call % 40}`, 1 + (call % 19)))
          told.push({ id, effect })
          // With the other callers in the middle of their commits.
          if (told.length === 3_000) killed = servers.killPrimary()
        }
      } catch (error) {
        faults.push(error)
      }
    }
    await Promise.all(Array.from({ length: 64 }, (_, own) => caller(own)))
    await killed
    expect(faults).toHaveLength(64)
    for (const fault of faults) expect(fault).toMatchObject({ code: 'store_unavailable' })
    await expect(ledger.close()).rejects.toThrow()

    await servers.promote()
    const after = await open(servers.standby)
    try {
      const recorded = new Map<string, string>()
      const { rows } = await after.pool.query<{ id: string; effect: string }>(
        `select record::json ->> 'id' as id, record::json ->> 'effect' as effect from log_entry where kind = 'decision'`,
      )
      for (const { id, effect } of rows) recorded.set(id, effect)
      for (const { id, effect } of told) expect(recorded.get(id)).toBe(effect)
      expect(told.length).toBeGreaterThanOrEqual(3_000)
      // No more than those whose answers were on their way.
      expect(recorded.size - told.length).toBeLessThanOrEqual(64)
      expect(await after.verify()).toMatchObject({ kind: 'intact' })
      expect((await after.decide(agent, refundFor('somebody', 1))).effect).toBe('allow')
      expect(await after.verify()).toMatchObject({ kind: 'intact' })
    } finally {
      await after.close()
    }
    expect(faults.every((fault) => fault instanceof Fault)).toBe(true)
  })
})
