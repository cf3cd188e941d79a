import { readdir, readFile, chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseRecord, verifyProofBundle } from '@bailiwick/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { unpackBlock } from '../src/archive/block-file.ts'
import { archivedEnd } from '../src/archive/segments.ts'
import { openArchiveStore } from '../src/archive/open-store.ts'
import { archivedFrontier, verifyColdSegments } from '../src/archive/verify-archive.ts'
import { leafHashes } from '../src/head.ts'
import { recallStoredDecision, replayOf } from '../src/replay.ts'
import { archivedSite, type ArchivedSite } from './harness/archived.ts'
import { LogWalk } from '../src/self-check/log-walk.ts'
import { agent, decisionRecords, faultOf, ledgerSite, refund, type LedgerSite } from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

describeOnOnePostgres('A log whose beginning is archived', (postgres) => {
  let site: LedgerSite
  let archived: ArchivedSite
  let end: number
  let before: { readonly id: string; readonly callId: string | null; readonly index: number }[]
  let leaves: Buffer
  let directory: string
  beforeAll(async () => {
    site = await ledgerSite(postgres)
    archived = await archivedSite(site, 'main')
    await archived.live(4)
    const { ledger } = archived
    const { id } = await ledger.decide(agent, refund(250, { context: { ticket: 'T-4711' } }))
    await ledger.reportOutcome(agent, id, { status: 'succeeded', detail: 'paid by wire' })
    await ledger.decide(agent, { action: 'delete_account', params: { account: 'A-1' } })
    await archived.nextWeek()
    await archived.live(2)
    before = await decisionRecords(site, ledger)
    leaves = Buffer.concat(await leafHashes(site.pool, 'main', 0, 7))
    await archived.nextWeek()
    await archived.archive({ limits: { records: 4, bytes: 1e9 } })
    await archived.live(2)
    end = await archivedEnd(site.pool, 'main')
    directory = fileURLToPath(archived.store)
  })
  afterAll(async () => {
    await archived.ledger.close()
    await site.remove()
  })

  const cold = () => before.filter(({ index }) => index < end)

  test('gives archived decisions with params and outcome as it did before', async () => {
    expect(cold().length).toBeGreaterThan(5)
    const found = await archived.ledger.decision('dec_5')
    expect(found).toMatchObject({ params: { amount: 250 }, context: { ticket: 'T-4711' } })
    expect(found.outcome).toMatchObject({ status: 'succeeded', detail: 'paid by wire' })
  })

  test('makes archived decisions again, and explains them', async () => {
    for (const { id } of cold()) expect(await archived.ledger.replay(id)).toMatchObject({ same: true })
    expect(await archived.ledger.explain('dec_5')).toMatchObject({ same: true })
    const store = openArchiveStore(archived.store, {})
    const recalled = await recallStoredDecision(site.database.config, 'main', 'dec_5', store)
    expect(replayOf(recalled)).toMatchObject({ same: true })
  })

  test('says where archived records are to whoever has no archive open', async () => {
    const fault = await faultOf(recallStoredDecision(site.database.config, 'main', 'dec_5'))
    expect(fault.code).toBe('store_unavailable')
    expect(fault.message).toContain(archived.store)
    const unknown = await faultOf(recallStoredDecision(site.database.config, 'main', 'dec_500'))
    expect(unknown.code).toBe('not_found')
  })

  test('keeps the leaf hashes, so that proofs and later heads go on', async () => {
    expect(Buffer.concat(await leafHashes(site.pool, 'main', 0, 7))).toEqual(leaves)
    // A process that knew the log before anything left.
    const other = await archived.another()
    await other.decide(agent, refund(10))
    await other.close()
  })

  test('proves archived records and serves their tiles, and the service’s own check walks past them', async () => {
    const { ledger } = archived
    await ledger.checkpoint()
    await ledger.tiles.fillAll()
    const { size } = await ledger.head()
    for (const index of [0, 1, end - 1, end, size - 1]) {
      const bundle = await ledger.prove(index)
      expect(verifyProofBundle(bundle, ledger.checkpoints.verifierKeys)).toMatchObject({
        kind: 'proven',
        record: { index },
      })
    }
    const bundled = await ledger.tiles.read({ level: 'entries', index: 0, width: size })
    expect(bundled.includes('"id":"dec_5"')).toBe(true)
    const walk = new LogWalk({ client: site.pool, ledger: 'main' })
    expect(await walk.step(1000)).toMatchObject({ isAtEnd: true, verified: size })
    expect((await ledger.verify()).kind).toBe('intact')
  })

  test.each([
    [
      'changed',
      'update archive_leaf set hashes = set_byte(hashes, 40, 255 - get_byte(hashes, 40)) where first = 0',
    ],
    ['cut off', 'update archive_leaf set hashes = substr(hashes, 1, 33) where first = 0'],
    ['gone', 'delete from archive_leaf where first = 0'],
  ])(
    'leaf hashes kept of archived records that are %s break the log, also for the service’s own check',
    async (_how, statement) => {
      await site.query('create table saved_leaf as table archive_leaf')
      await site.query(statement)
      const problem = expect.stringMatching(/^the leaf hashes kept of the records 0 to \d+ are not theirs$/)
      const fix = expect.stringContaining('archive_leaf')
      expect(await archived.ledger.verify()).toMatchObject({ kind: 'broken', index: null, problem, fix })
      const walk = new LogWalk({ client: site.pool, ledger: 'main' })
      expect(await walk.step(1000)).toMatchObject({ isAtEnd: false, broken: { kind: 'broken', problem } })
      await site.query(
        'truncate archive_leaf; insert into archive_leaf table saved_leaf; drop table saved_leaf',
      )
      expect(await archived.ledger.verify()).toMatchObject({ kind: 'intact' })
    },
  )

  test('a row alone archives nothing: records that are gone are missed', async () => {
    const other = await site.open(undefined, 'hidden')
    for (let at = 0; at < 9; at++) await other.decide(agent, refund(10))
    await other.checkpoint()
    const kept = await site.query<{ stop: string; manifest: string; payloads: string }>(
      `select stop, replace(manifest, '"main"', '"hidden"') as manifest, payloads from archive_segment where ledger = 'main' order by first limit 1`,
    )
    await site.query(
      `insert into archive_segment (ledger, first, stop, index, store, manifest, payloads) values ('hidden', 0, $3, 0, 'file:nowhere', $1, $2)`,
      [kept[0]?.manifest, kept[0]?.payloads, kept[0]?.stop],
    )
    await site.query(`delete from log_batch where ledger = 'hidden' and first < $1`, [kept[0]?.stop])
    await site.query(`delete from log_term where ledger = 'hidden' and first < $1`, [kept[0]?.stop])
    expect((await other.verify()).kind).toBe('broken')
    await expect(archivedFrontier(site.pool, 'hidden')).rejects.toThrow('do not follow on each other')
    await other.close().catch(() => undefined)
    await site.query(`delete from archive_segment where ledger = 'hidden'`)
  })

  async function search(wanted: Parameters<ArchivedSite['ledger']['search']>[0]) {
    const found: { index: number; cold: boolean }[] = []
    for await (const { record, cold: isCold } of archived.ledger.search(wanted)) {
      found.push({ index: record.index, cold: isCold })
    }
    return found
  }

  test('is searched in the database and in cold storage together, the newest first', async () => {
    const all = await search({})
    expect(all.map(({ index }) => index)).toEqual(all.map((_, at) => all.length - 1 - at))
    expect(all.filter((found) => found.cold).map(({ index }) => index)[0]).toBe(end - 1)
    expect((await search({ agent })).length).toBe(
      (await search({ agent, action: 'issue_refund' })).length + 1,
    )
    expect(await search({ effect: 'deny' })).toEqual([{ index: 7, cold: true }])
    expect(await search({ text: 'T-4711' })).toEqual([{ index: 5, cold: true }])
    expect(await search({ text: 'paid by wire' })).toEqual([{ index: 6, cold: true }])
    expect(await search({ agent: 'nobody' })).toEqual([])
    const [first] = before
    const day = await search({ agent, to: '2026-03-01T11:00:00.000Z' })
    expect(day.at(-1)).toEqual({ index: first?.index, cold: true })
    expect(
      await search({ agent, from: '2026-03-01T10:00:00.000Z', to: '2026-03-01T11:00:00.000Z' }),
    ).toHaveLength(1)
  })

  test('runs nothing again under a call id whose decision is archived', async () => {
    const callId = before[0]?.callId ?? ''
    const fault = await faultOf(archived.ledger.decide(agent, refund(100, { callId })))
    expect(fault.code).toBe('call_id_reused')
    expect(fault.message).toContain(before[0]?.id)
    const mine = await archived.ledger.decide(agent, refund(100, { callId: 'another' }))
    expect(mine.effect).toBe('allow')
  })

  test('verifies, and finds what is changed in the rows of the archive', async () => {
    expect(await archived.ledger.verify()).toMatchObject({ kind: 'intact' })
    await verifyColdSegments(site.pool, 'main', {})
    const changes = [
      [
        `update archive_segment set manifest = replace(manifest, '"v":1', '"v": 1') where first = 0`,
        'archive_segment',
      ],
      ['delete from archive_segment where first = 4', 'archive_segment'],
      ['delete from archive_segment', 'archive_segment'],
      [`update archive_segment set store = 'file:/tmp/elsewhere' where first = 0`, 'archive_segment'],
      [`insert into hold values ('main', 'forged', ${end})`, 'hold'],
      [`insert into hold values ('main', 'forged', 0)`, 'hold'],
      [`insert into hold values ('main', 'forged', -1)`, 'hold'],
    ] as const
    for (const [change, table] of changes) {
      await site.query(`create table saved as table ${table}`)
      await site.query(change)
      expect(await archived.ledger.verify(), change).toMatchObject({ kind: 'broken' })
      await site.query(`truncate ${table}; insert into ${table} table saved; drop table saved`)
    }
    expect(await archived.ledger.verify()).toMatchObject({ kind: 'intact' })
    await site.query('create table saved as table archive_leaf')
    await site.query('update archive_leaf set hashes = set_byte(hashes, 3, 255 - get_byte(hashes, 3))')
    expect((await faultOf(verifyColdSegments(site.pool, 'main', {}))).code).toBe('log_broken')
    await site.query('truncate archive_leaf; insert into archive_leaf table saved; drop table saved')
  })

  test('never shows an archived object that was tampered with', async () => {
    for (const name of ['records.jsonl.gz', 'payloads.jsonl.gz']) {
      const file = join(directory, 'main', '0000000000000004-0000000000000008', name)
      const honest = await readFile(file)
      await chmod(file, 0o600)
      for (const at of [0, 20, honest.length - 1]) {
        await writeFile(file, honest.with(at, (honest[at] ?? 0) ^ 4))
        expect((await faultOf(archived.ledger.decision('dec_5'))).code).toBe('log_broken')
        expect((await faultOf(verifyColdSegments(site.pool, 'main', {}))).code).toBe('log_broken')
      }
      await writeFile(file, honest)
    }
    // One ledger's objects in place of another's, or one segment's in place of another's.
    const [one, other] = ['0000000000000000-0000000000000004', '0000000000000004-0000000000000008']
    const file = join(directory, 'main', other ?? '', 'records.jsonl.gz')
    const honest = await readFile(file)
    await writeFile(file, await readFile(join(directory, 'main', one ?? '', 'records.jsonl.gz')))
    expect((await faultOf(archived.ledger.decision('dec_5'))).code).toBe('log_broken')
    await writeFile(file, honest)
    const rows = await site.query<{ manifest: string }>(
      'select manifest from archive_segment where first = 4',
    )
    const swapped = rows[0]?.manifest.replace('"ledger":"main"', '"ledger":"mine"')
    await site.query('update archive_segment set manifest = $1 where first = 4', [swapped])
    expect((await faultOf(archived.ledger.decision('dec_5'))).code).toBe('log_broken')
    await site.query('update archive_segment set manifest = $1 where first = 4', [rows[0]?.manifest])
    expect(await archived.ledger.decision('dec_5')).toMatchObject({ params: { amount: 250 } })
  })

  test('lies in files that everybody can read with common tools', async () => {
    const segment = join(directory, 'main', '0000000000000004-0000000000000008')
    expect((await readdir(segment)).sort()).toEqual(
      ['leaves.bin', 'manifest.json', 'payloads.jsonl.gz', 'records.jsonl.gz', 'records.parquet'].sort(),
    )
    const lines = await unpackBlock(await readFile(join(segment, 'records.jsonl.gz')))
    expect(lines.map((line) => parseRecord(line).index)).toEqual([4, 5, 6, 7])
    expect((await readFile(join(segment, 'records.parquet'))).subarray(0, 4).toString()).toBe('PAR1')
  })

  test('is left alone while a legal hold stands, and by nobody else', async () => {
    const { ledger } = archived
    await ledger.changeHold({ hold: 'case-1', event: 'placed', reason: 'court order', by: 'operator' })
    expect(await ledger.holds()).toMatchObject([{ name: 'case-1', reason: 'court order', by: 'operator' }])
    const again = await ledger.changeHold({
      hold: 'case-1',
      event: 'placed',
      reason: 'again',
      by: 'operator',
    })
    expect(again).toEqual({ index: null })
    const fault = await faultOf(archived.archive({ before: archived.before(0) }))
    expect(fault).toMatchObject({ code: 'conflict', message: expect.stringContaining('case-1') })
    const erasure = { target: { decision: 'dec_5' }, reason: 'request 7', by: 'operator' } as const
    expect((await faultOf(ledger.erase(erasure))).code).toBe('conflict')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    await site.query('create table saved as table hold; delete from hold')
    expect(await ledger.verify()).toMatchObject({ kind: 'broken' })
    await site.query('insert into hold table saved; drop table saved')
    await ledger.changeHold({ hold: 'case-1', event: 'lifted', reason: 'settled', by: 'operator' })
    expect(await ledger.holds()).toEqual([])
    const missing = await faultOf(
      ledger.changeHold({ hold: 'case-1', event: 'lifted', reason: 'settled', by: 'operator' }),
    )
    expect(missing.code).toBe('not_found')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('is named where somebody wrote its row, whatever record it names, hot or archived, and where its row says another', async () => {
    const { ledger } = archived
    const problem = async () => {
      const result = await ledger.verify()
      return result.kind === 'broken' ? result.problem : result.kind
    }
    for (const index of [0, end - 1, end, 1e6, -1]) {
      await site.query(`insert into hold values ('main', 'forged', $1)`, [index])
      expect(await problem()).toBe('the hold `forged` has a row, and no record places it')
      await site.query(`delete from hold where name = 'forged'`)
    }
    const { index } = await ledger.changeHold({
      hold: 'case-4',
      event: 'placed',
      reason: 'now',
      by: 'operator',
    })
    expect(await problem()).toBe('intact')
    await site.query(`update hold set index = 0 where name = 'case-4'`)
    expect(await problem()).toBe(`the hold \`case-4\` is not stored as record ${index} says`)
    await site.query(`update hold set index = $1 where name = 'case-4'`, [index])
    await ledger.changeHold({ hold: 'case-4', event: 'lifted', reason: 'over', by: 'operator' })
    expect(await problem()).toBe('intact')
  })

  test('whose row was deleted is named by what was erased or archived meanwhile, also after the row was put back', async () => {
    const other = await archivedSite(site, 'unheld')
    const verified = () => verifyColdSegments(site.pool, 'unheld', {})
    await other.live(2)
    const [held] = await decisionRecords(site, other.ledger)
    const { index } = await other.ledger.changeHold({
      hold: 'case-5',
      event: 'placed',
      reason: 'now',
      by: 'operator',
    })
    await site.query(`create table saved as table hold; delete from hold`)
    const erasure = { target: { decision: held?.id ?? '' }, reason: 'request 7', by: 'operator' }
    const [erasedBy] = (await other.ledger.erase(erasure)).recordedAs
    await site.query('insert into hold table saved')
    const stands = `while the hold \`case-5\` stands, which record ${index} placed`
    expect(await other.ledger.verify()).toMatchObject({
      kind: 'broken',
      index: erasedBy,
      problem: expect.stringContaining(`record ${erasedBy} erases ${stands}`) as unknown,
    })

    // Archived with the record of the hold, so that only who reads the archive can tell.
    await site.query('delete from hold')
    await other.nextWeek()
    await other.live(1)
    await other.nextWeek()
    await other.archive()
    expect(await archivedEnd(site.pool, 'unheld')).toBeGreaterThan(erasedBy ?? Infinity)
    expect(await other.ledger.verify()).toMatchObject({ kind: 'intact' })
    expect((await faultOf(verified())).message).toContain(`erases ${stands}`)
    await site.query('insert into hold table saved')
    expect(await other.ledger.verify()).toMatchObject({
      kind: 'broken',
      problem: 'the hold `case-5` has a row, and no record places it',
    })
    await site.query('drop table saved; delete from hold')
    await other.ledger.close()
  })

  test('whose row was deleted so that its record could be archived is named by who reads the archive', async () => {
    const other = await archivedSite(site, 'unheld-archived')
    await other.live(1)
    const { index } = await other.ledger.changeHold({
      hold: 'case-6',
      event: 'placed',
      reason: 'now',
      by: 'operator',
    })
    await site.query('delete from hold')
    await other.nextWeek()
    await other.live(1)
    await other.nextWeek()
    await other.archive()
    expect(await archivedEnd(site.pool, 'unheld-archived')).toBeGreaterThan(index ?? Infinity)
    const fault = await faultOf(verifyColdSegments(site.pool, 'unheld-archived', {}))
    expect(fault).toMatchObject({ code: 'log_broken' })
    expect(fault.message).toMatch(
      new RegExp(`archives while the hold \`case-6\` stands, which record ${index} placed`),
    )
    await other.ledger.close()
  })

  test('that is placed while a segment is under way stops it before it is recorded', async () => {
    const { ledger } = archived
    const after = async (step: string) => {
      if (step === 'made')
        await ledger.changeHold({ hold: 'case-2', event: 'placed', reason: 'now', by: 'operator' })
    }
    const fault = await faultOf(archived.archive({ before: archived.before(0), after }))
    expect(fault.code).toBe('conflict')
    expect(await archivedEnd(site.pool, 'main')).toBe(end)
    await ledger.changeHold({ hold: 'case-2', event: 'lifted', reason: 'over', by: 'operator' })
  })
})
