import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ErasureRequest } from '../src/erasure/erase.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eraseInArchive } from '../src/archive/erase.ts'
import { unpackBlock } from '../src/archive/block-file.ts'
import { archivedEnd } from '../src/archive/segments.ts'
import { openArchiveStore } from '../src/archive/open-store.ts'
import type { ArchiveStore } from '../src/archive/store.ts'
import { verifyColdSegments } from '../src/archive/verify-archive.ts'
import type { Ledger } from '../src/ledger.ts'
import { archivedSite, type ArchivedSite } from './harness/archived.ts'
import {
  cast,
  agent,
  escalated,
  faultOf,
  ledgerSite,
  records,
  refund,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const secret = 'canary-7c1d'
const withSecret = { context: { note: secret } }

function erasing(decision: string, more: Partial<ErasureRequest> = {}): ErasureRequest {
  return { target: { decision }, reason: 'request 17', by: 'operator', ...more }
}

describeOnOnePostgres('G9: erasing what is archived', (postgres) => {
  let site: LedgerSite
  let archived: ArchivedSite
  let ledger: Ledger
  // A database for each: ledgers share partitions, and one leaves the database when all of its records may.
  beforeEach(async () => {
    site = await ledgerSite(postgres)
    archived = await archivedSite(site, 'main')
    ledger = archived.ledger
  })
  afterEach(async () => {
    await ledger.close()
    await site.remove()
  })

  /** Archives everything up to here, in segments of four records. */
  const archiveAll = async () => {
    await archived.nextWeek()
    await archived.nextWeek()
    // What an open approval asks about stays in the database.
    await ledger.expireOverdue()
    await archived.archive({ limits: { records: 4, bytes: 1e9 } })
  }

  /** The texts of all payloads in the archive, whatever object they lie in. */
  const archivedPayloads = async () => {
    const directory = join(fileURLToPath(archived.store), ledger.name)
    const names = (await readdir(directory, { recursive: true })).filter((file) => file.includes('payloads'))
    const texts = await Promise.all(
      names.map(async (file) => await unpackBlock(await readFile(join(directory, file)))),
    )
    return { objects: names.length, text: texts.flat().join('\n') }
  }

  const store = () => openArchiveStore(archived.store, {})

  /** The archive's store, with something happening before and after an object is put. */
  const around = (before: () => Promise<void>, after: () => Promise<void>): ArchiveStore => ({
    address: store().address,
    check: () => store().check(),
    read: (key, part) => store().read(key, part),
    remove: (key) => store().remove(key),
    put: async (key, file) => {
      await before()
      const version = await store().put(key, file)
      await after()
      return version
    },
  })
  const nothing = async () => undefined
  const crash = () => Promise.reject(new Error('killed'))

  test('takes the decisions of a call, its outcomes and comments, and is recorded', async () => {
    const callId = 'c1'
    const first = await escalated(ledger, { callId, ...withSecret })
    await cast(ledger, voter('ann'), first, { vote: 'approve', comment: secret })
    const made = await ledger.decide(agent, refund(600, { callId, approvalId: 'apr_99999', ...withSecret }))
    const run = await ledger.decide(agent, refund(600, { callId, approvalId: first, ...withSecret }))
    expect(run.effect).toBe('allow')
    await ledger.reportOutcome(agent, run.id, { status: 'unknown', detail: secret })
    await ledger.reportOutcome(agent, run.id, { status: 'succeeded', detail: secret })
    const untouched = await ledger.decide(agent, refund(600, { context: { note: 'another' } }))
    const denied = await ledger.decide(
      agent,
      refund(600, { approvalId: first, context: { note: 'a third' } }),
    )
    expect(denied.effect).toBe('deny')
    const preview = await ledger.erase(erasing(made.id, { dryRun: true }))
    await archiveAll()
    const { size } = await ledger.head()
    expect(await ledger.erase(erasing(made.id, { dryRun: true }))).toMatchObject({ erased: preview.erased })
    expect((await ledger.head()).size, 'a dry run records nothing').toBe(size)

    const result = await ledger.erase(erasing(made.id))
    expect(result).toMatchObject({ archived: preview.erased, erased: preview.erased, recordedAs: [size] })
    expect((await records(site, ledger)).at(-1)).toMatchObject({ kind: 'erasure', records: result.erased })
    expect((await archivedPayloads()).text).not.toContain(secret)
    expect(await ledger.decision(made.id)).toMatchObject({ params: null, erased: true })
    expect((await ledger.decision(untouched.id)).context).toEqual({ note: 'another' })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    expect(await verifyColdSegments(site.pool, ledger.name, {})).toMatchObject({
      erased: result.erased.length,
    })
    expect(await ledger.erase(erasing(made.id))).toMatchObject({ erased: [], before: result.erased.length })
  })

  test('is not done where the database says that it was, and the payload is still there', async () => {
    const { id, record } = await ledger.decide(agent, refund(60, withSecret))
    await archiveAll()
    await site.query(
      `update archive_segment set payloads = replace(payloads, '"erased":[]', '"erased":[${record.index}]')
      where first <= ${record.index} and stop > ${record.index}`,
    )
    for (let tries = 0; tries < 2; tries++) {
      const fault = await faultOf(ledger.erase(erasing(id)))
      expect(fault).toMatchObject({ code: 'log_broken' })
      expect(fault.message).toContain(`the payload of record ${record.index} is still in cold storage`)
    }
    expect((await faultOf(verifyColdSegments(site.pool, ledger.name, {}))).code).toBe('log_broken')
  })

  test.each([
    ['removes no object of another name', `'"stale":[]', '"stale":["../../../checkpoints/main.checkpoint"]'`],
    ['removes no record', `'"stale":[]', '"stale":["records.jsonl.gz"]'`],
    ['does not remove the payloads in use', `'"stale":[]', '"stale":["payloads.jsonl.gz"]'`],
    ['reads no object of another name', `'"name":"payloads.jsonl.gz"', '"name":"../x/payloads.jsonl.gz"'`],
    ['speaks of no record of another segment', `'"erased":[', '"erased":[99999999'`],
  ])('%s, whatever stands in the row of a segment', async (_, change) => {
    const { id } = await ledger.decide(agent, refund(60, withSecret))
    await archiveAll()
    const listed = async () => (await readdir(site.dataDir, { recursive: true })).toSorted()
    const before = await listed()
    await site.query(`update archive_segment set payloads = replace(payloads, ${change})`)
    expect((await faultOf(ledger.erase(erasing(id)))).code).toBe('log_broken')
    expect(await listed()).toEqual(before)
    expect(await ledger.verify()).toMatchObject({ kind: 'broken' })
  })

  test('and searching pass no segment over because of a row that says that it holds something else', async () => {
    await ledger.decide(agent, refund(60, withSecret))
    await archiveAll()
    await archiveAll()
    await site.query(
      `update archive_segment set manifest = replace(manifest, 'agent=${agent}', 'agent=${agent}-not') where first = 0`,
    )
    const search = async () => {
      for await (const { record } of ledger.search({ agent })) expect(record.index).toBeGreaterThan(-1)
    }
    expect((await faultOf(search())).code).toBe('log_broken')
    // Also where the record that names the manifest is archived itself.
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    expect((await faultOf(verifyColdSegments(site.pool, ledger.name, {}))).code).toBe('log_broken')
  })

  test('takes what is in the database and what is archived of one call together', async () => {
    const first = await escalated(ledger, withSecret)
    await archiveAll()
    const late = await ledger.decide(agent, refund(600, { approvalId: first, ...withSecret }))
    expect(late.effect).toBe('deny')
    const { erased, archived: cold } = await ledger.erase(erasing(late.id))
    expect(erased).toHaveLength(2)
    expect(cold).toEqual([erased[0]])
    expect((await archivedPayloads()).text).not.toContain(secret)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', erased: 1 })
    expect((await faultOf(ledger.erase(erasing('dec_99999')))).code).toBe('not_found')
  })

  test('says where the archive is to whoever has none open, and erases nothing', async () => {
    const { id } = await ledger.decide(agent, refund(5, withSecret))
    await archiveAll()
    const elsewhere = await archived.another({ ...around(nothing, nothing), address: 'file:///elsewhere' })
    const { size } = await ledger.head()
    expect(await faultOf(elsewhere.erase(erasing(id)))).toMatchObject({ code: 'store_unavailable' })
    expect((await ledger.head()).size).toBe(size)
    await elsewhere.close()
  })

  test.each([
    ['before the segment is written again', crash, nothing],
    ['after it was put, and before the database names it', nothing, crash],
  ])(
    'killed %s, it is completed by whoever comes next, and leaves no object behind',
    async (_, before, after) => {
      const [one, other] = [
        await ledger.decide(agent, refund(5, withSecret)),
        await ledger.decide(agent, refund(6, withSecret)),
      ]
      await archiveAll()
      const { objects } = await archivedPayloads()
      const killed = await archived.another(around(before, after))
      await expect(killed.erase(erasing(one.id))).rejects.toThrow('killed')
      await killed.close()
      // The record is there: it counts as erased, and the next erasure of anything removes it.
      expect((await records(site, ledger)).at(-1)).toMatchObject({ kind: 'erasure' })
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
      expect((await ledger.erase(erasing(other.id))).archived).toHaveLength(1)
      const left = await archivedPayloads()
      expect(left.text).not.toContain(secret)
      expect(left.objects).toBe(objects)
      expect(await verifyColdSegments(site.pool, ledger.name, {})).toMatchObject({ erased: 2 })
    },
  )

  test('killed between its record and the archive, it is completed by the next run of the archive', async () => {
    const { id } = await ledger.decide(agent, refund(5, withSecret))
    await archiveAll()
    const killed = await archived.another(around(crash, nothing))
    await expect(killed.erase(erasing(id))).rejects.toThrow('killed')
    await killed.close()
    expect((await archivedPayloads()).text).toContain(secret)
    await archived.archive({ limits: { records: 4, bytes: 1e9 } })
    expect((await archivedPayloads()).text).not.toContain(secret)
  })

  test('is stopped by a hold that is placed while a segment is written again, and goes on once it is lifted', async () => {
    const { id } = await ledger.decide(agent, refund(5, withSecret))
    await archiveAll()
    const hold = { hold: 'case-1', reason: 'court order', by: 'operator' } as const
    const place = async () => void (await ledger.changeHold({ ...hold, event: 'placed' }))
    const stopped = await archived.another(around(nothing, place))
    expect((await faultOf(stopped.erase(erasing(id)))).code).toBe('conflict')
    await stopped.close()
    expect((await archivedPayloads()).text, 'what is under the hold stays').toContain(secret)
    expect((await faultOf(ledger.erase(erasing(id)))).code).toBe('conflict')
    await ledger.changeHold({ ...hold, event: 'lifted' })
    await ledger.erase(erasing(id))
    expect((await archivedPayloads()).text).not.toContain(secret)
    expect(await verifyColdSegments(site.pool, ledger.name, {})).toMatchObject({ erased: 1 })
  })

  test('two that erase in one segment at the same time lose nothing of each other, nor of anybody else', async () => {
    const ids: string[] = []
    for (let at = 0; at < 4; at++) ids.push((await ledger.decide(agent, refund(at + 1, withSecret))).id)
    const kept = await ledger.decide(agent, refund(9, { context: { note: 'kept' } }))
    await archiveAll()
    const others = await Promise.all([archived.another(), archived.another()])
    await Promise.all(ids.map((id, at) => (others[at % 2] ?? ledger).erase(erasing(id))))
    await Promise.all(others.map((other) => other.close()))
    expect((await archivedPayloads()).text).not.toContain(secret)
    expect((await ledger.decision(kept.id)).context).toEqual({ note: 'kept' })
    expect(await verifyColdSegments(site.pool, ledger.name, {})).toMatchObject({ erased: 4 })
  })

  describe('in a copy of the database that was made while a segment was written again', () => {
    const rowOf = async (index: number) => {
      const [row] = await site.query<{ payloads: string }>(
        'select payloads from archive_segment where first <= $1 and stop > $1',
        [index],
      )
      return row?.payloads ?? ''
    }
    const restored = async (row: string, index: number) =>
      await site.query('update archive_segment set payloads = $2 where first <= $1 and stop > $1', [
        index,
        row,
      ])

    test('removes nothing before what stands for it is there, and finds what was put meanwhile', async () => {
      const { id, record } = await ledger.decide(agent, refund(5, withSecret))
      const kept = await ledger.decide(agent, refund(9, { context: { note: 'kept' } }))
      await archiveAll()
      let copied = ''
      const copying = await archived.another(
        around(nothing, async () => {
          copied = await rowOf(record.index)
        }),
      )
      await copying.erase(erasing(id))
      await copying.close()
      await restored(copied, record.index)
      await archived.archive({ limits: { records: 4, bytes: 1e9 } })
      expect((await ledger.decision(kept.id)).context).toEqual({ note: 'kept' })
      expect((await archivedPayloads()).text).not.toContain(secret)
      expect(JSON.parse(await rowOf(record.index))).toMatchObject({ stale: [], erased: [record.index] })
      expect(await rowOf(record.index)).not.toContain('"next"')
      expect(await verifyColdSegments(site.pool, ledger.name, {})).toMatchObject({ erased: 1 })
    })

    test('removes nothing at all where nothing stands for it', async () => {
      const { id, record } = await ledger.decide(agent, refund(5, withSecret))
      await archiveAll()
      const before = JSON.parse(await rowOf(record.index))
      await ledger.erase(erasing(id))
      const { name } = JSON.parse(await rowOf(record.index))
      const { objects } = await archivedPayloads()
      await restored(JSON.stringify({ ...before, stale: [name] }), record.index)
      expect((await faultOf(archived.archive({ limits: { records: 4, bytes: 1e9 } }))).code).toBe(
        'log_broken',
      )
      expect((await archivedPayloads()).objects).toBe(objects)
    })
  })

  test('is for the place where the log is: where it has moved from, the archive is changed by nobody', async () => {
    await ledger.decide(agent, refund(5, withSecret))
    await archiveAll()
    await site.query(`update ledger_head set move_id = 'm', move_state = 'moved', move_other = 'elsewhere'`)
    const erasure = {
      connection: site.database.config,
      ledger: ledger.name,
      storeOf: store,
      spoolDir: join(site.dataDir, 'spool'),
    }
    expect((await faultOf(eraseInArchive(erasure))).message).toContain('has moved to elsewhere')
    expect((await faultOf(archived.archive({ limits: { records: 4, bytes: 1e9 } }))).message).toContain(
      'has moved',
    )
    await site.query('update ledger_head set move_id = null, move_state = null, move_other = null')
  })

  test('while all of the archive is verified breaks nothing: what was replaced is read where it is now', async () => {
    const { id } = await ledger.decide(agent, refund(5, withSecret))
    for (let at = 0; at < 8; at++) await ledger.decide(agent, refund(at + 1))
    await archiveAll()
    let isErased = false
    const pace = async () => {
      if (isErased) return
      isErased = true
      await ledger.erase(erasing(id))
    }
    expect(await verifyColdSegments(site.pool, ledger.name, {}, pace)).toMatchObject({
      segments: expect.any(Number),
    })
    expect(isErased).toBe(true)
    expect(await verifyColdSegments(site.pool, ledger.name, {})).toMatchObject({ erased: 1 })
  })

  test('a search finds what a run archives while it goes on: each record once, and none left out', async () => {
    for (let at = 0; at < 12; at++) await ledger.decide(agent, refund(at + 1))
    await archived.nextWeek()
    await archived.nextWeek()
    await ledger.expireOverdue()
    const found: number[] = []
    const all = (await records(site, ledger)).map(({ index }) => index)
    for await (const { record } of ledger.search({})) {
      if (found.length === 1) await archived.archive({ limits: { records: 4, bytes: 1e9 } })
      found.push(record.index)
    }
    expect(await archivedEnd(site.pool, 'main')).toBeGreaterThan(0)
    expect(found.filter((index) => all.includes(index))).toEqual(all.toReversed())
  })

  test('a payload that is gone from the archive without a record is found', async () => {
    await ledger.decide(agent, refund(5, withSecret))
    await archiveAll()
    await site.query(`update archive_segment set payloads = replace(payloads, '"erased":[]', '"erased":[1]')
      where ledger = '${ledger.name}'`)
    // Nobody said that it was to be erased: the archive still has it, and the row says otherwise.
    expect((await faultOf(verifyColdSegments(site.pool, ledger.name, {}))).message).toContain(
      'does not stand in the database as it is',
    )
    const rewritten = `update log_batch set records = replace(records, '"kind":"erasure"', '"kind":"erasurf"') where ledger = '${ledger.name}'`
    await site.query(`update archive_segment set payloads = replace(payloads, '"erased":[1]', '"erased":[]')
      where ledger = '${ledger.name}'`)
    await ledger.erase(erasing('dec_1'))
    await verifyColdSegments(site.pool, ledger.name, {})
    await site.query(rewritten)
    expect((await faultOf(verifyColdSegments(site.pool, ledger.name, {}))).message).toContain(
      'no erasure record names',
    )
  })
})
