import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { archivedEnd, type ArchiveReport, type Ledger } from '@bailiwick/store'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { archivedSite, day, type ArchivedSite } from '../../store/test/harness/archived.ts'
import { escalated, ledgerSite, records, type LedgerSite } from '../../store/test/harness/ledger.ts'
import { testDatabase } from '../../store/test/harness/postgres.ts'
import { archiveOnSchedule } from '../src/archive-schedule.ts'
import { archiveSettings } from '../src/archive-settings.ts'
import type { repeat, Repetition } from '../src/repeat.ts'

const hour = 60 * 60 * 1000

/** A service's schedule, whose hours pass when a test says so. */
class Service {
  readonly lines: string[] = []
  readonly reports: ArchiveReport[] = []
  readonly #steps: (() => Promise<void>)[] = []
  readonly #schedule: Repetition
  #running: Promise<unknown> = Promise.resolve()

  constructor(
    site: LedgerSite,
    ledger: Ledger,
    env: Record<string, string>,
    during: Partial<Archiving> = {},
  ) {
    const every: typeof repeat = (ms, step, failed) => {
      expect(ms).toBe(hour)
      this.#steps.push(() => step().then(() => undefined, failed))
      return {
        stop: async () => {
          await this.#running
        },
      }
    }
    const { name, now, pool } = ledger
    const archive: Ledger['archive'] = async (request) => {
      const report = await ledger.archive({ ...request, rest: 0, ...during })
      this.reports.push(report)
      return report
    }
    const coldBefore: Ledger['coldBefore'] = (hotMs) => ledger.coldBefore(hotMs)
    const log = (line: string) => this.lines.push(line)
    const settings = archiveSettings(env)
    const scheduled = { archive, coldBefore, name, now, pool }
    this.#schedule = archiveOnSchedule(scheduled, site.database.config, settings, { env, log, every })
  }

  /** What it does once an hour, done once. */
  async hour(): Promise<void> {
    const steps = Promise.all(this.#steps.map((step) => step()))
    this.#running = steps
    await steps
  }

  async stop(): Promise<void> {
    await this.#schedule.stop()
  }
}

type Archiving = Pick<Parameters<Ledger['archive']>[0], 'after' | 'limits'>

describe('a service that archives', () => {
  let site: LedgerSite
  let archived: ArchivedSite
  let env: Record<string, string>
  beforeEach(async () => {
    site = await ledgerSite({ createDatabase: () => testDatabase() })
    archived = await archivedSite(site, 'main')
    env = { BAILIWICK_ARCHIVE: archived.store, BAILIWICK_HOT: '30d' }
    await archived.live(6)
  })
  afterEach(async () => {
    await archived.ledger.close()
    await site.remove()
  })

  const end = () => archivedEnd(site.pool, 'main')
  const hot = async () => (await records(site, archived.ledger)).map(({ index }) => index)
  const cold = async () => {
    const found: number[] = []
    for await (const { record } of archived.ledger.cold.forwards(0)) found.push(record.index)
    return found
  }
  /** Everything up to there has left, once, and nothing else has. */
  async function isWhole(upTo: number): Promise<void> {
    const { size } = await archived.ledger.head()
    expect(await end()).toBe(upTo)
    expect(await cold()).toEqual(Array.from({ length: upTo }, (_, at) => at))
    expect(await hot()).toEqual(Array.from({ length: size - upTo }, (_, at) => upTo + at))
    expect(await archived.ledger.verify()).toMatchObject({ kind: 'intact' })
  }

  test('lets records leave by itself once they are no longer hot, and makes partitions ahead', async () => {
    const service = new Service(site, archived.ledger, env)
    await service.hour()
    expect(await end()).toBe(0)
    for (let week = 0; week < 5; week++) {
      expect(await end()).toBe(0)
      site.clock.advance(7 * day + 3 * hour)
      await service.hour()
    }
    await isWhole(7)
    expect(service.reports.at(-1)?.droppedPartitions).not.toEqual([])
    // What comes now has a partition of its own, made by the schedule alone.
    await archived.live(2)
    expect(await site.query('select 1 from log_batch_default')).toEqual([])
    await service.hour()
    expect(service.reports.at(-1)).toMatchObject({ segments: [], droppedPartitions: [] })
    await service.stop()
    expect(service.lines).toEqual([])
  })

  test('keeps everything where no archive is set', async () => {
    const service = new Service(site, archived.ledger, { BAILIWICK_HOT: '30d' })
    site.clock.advance(400 * day)
    await service.hour()
    expect([service.reports, service.lines, await end()]).toEqual([[], [], 0])
    await service.stop()
  })

  test('takes turns with another one on the same log: what one does, the other leaves', async () => {
    const other = await archived.another()
    const services = [archived.ledger, other].map((ledger) => new Service(site, ledger, env))
    site.clock.advance(39 * day)
    await Promise.all(services.map((service) => service.hour()))
    await isWhole(7)
    const reports = services.flatMap(({ reports: each }) => each)
    expect(reports.flatMap(({ segments }) => segments)).toHaveLength(1)
    for (const service of services) {
      await service.hour()
      expect(service.reports.at(-1)).toMatchObject({ busy: false, segments: [] })
      expect(service.lines).toEqual([])
      await service.stop()
    }
    await isWhole(7)
    await other.close()
  })

  test('that is stopped in the middle of a run ends it at its next step, and another one goes on from there', async () => {
    site.clock.advance(39 * day)
    let stopping: Promise<void> | undefined
    const limits = { records: 3, bytes: 1e9 }
    const stopped: Service = new Service(site, archived.ledger, env, {
      limits,
      after: (step) => {
        if (step === 'recorded') stopping ??= stopped.stop()
      },
    })
    await stopped.hour()
    await stopping
    expect(await end()).toBe(3)
    // Stopping is no failure, and nothing is said of it.
    expect([stopped.reports, stopped.lines]).toEqual([[], []])
    const { size } = await archived.ledger.head()
    expect(new Set([...(await cold()), ...(await hot())]).size).toBe(size)
    const next = new Service(site, archived.ledger, env, { limits })
    await next.hour()
    await isWhole(7)
    expect(next.reports.flatMap(({ segments }) => segments.map(({ first }) => first))).toEqual([3, 6])
    await next.stop()
  })

  test('says what holds records up, once, and tries again after a failure', async () => {
    await escalated(archived.ledger)
    const elsewhere = pathToFileURL(join('/dev/null', 'archive')).href
    const broken = new Service(site, archived.ledger, { ...env, BAILIWICK_ARCHIVE: elsewhere })
    site.clock.advance(39 * day)
    await broken.hour()
    expect(broken.lines).toEqual([expect.stringMatching(/^archive: the archive in `.*` cannot be used/)])
    expect(await end()).toBe(0)
    const service = new Service(site, archived.ledger, env)
    await service.hour()
    await service.hour()
    expect(service.lines).toEqual([expect.stringContaining('apr_7')])
    expect(await cold()).toEqual([0, 1, 2, 3, 4, 5, 6])
    await archived.ledger.expireOverdue()
    await service.hour()
    await isWhole(8)
  })
})
