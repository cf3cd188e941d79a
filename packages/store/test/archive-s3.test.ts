import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isLeftOut } from '../../../test/tools.ts'
import { ColdLog } from '../src/archive/cold-log.ts'
import { archivedEnd } from '../src/archive/segments.ts'
import { openArchiveStore } from '../src/archive/open-store.ts'
import { verifyColdSegments } from '../src/archive/verify-archive.ts'
import { archivedSite, day, type ArchivedSite } from './harness/archived.ts'
import { faultOf, ledgerSite, records, type LedgerSite } from './harness/ledger.ts'
import { objectStoreMissing, startObjectStore, type ObjectStore } from './harness/object-store.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const missing = objectStoreMissing()
let server: ObjectStore
beforeAll(async () => {
  if (missing === undefined) server = await startObjectStore()
}, 120_000)
afterAll(async () => {
  if (missing === undefined) await server.stop()
})

if (missing === undefined) {
  describeOnOnePostgres('An S3 store with object lock', (postgres) => suite(postgres))
} else {
  // Whoever is not root cannot have one, whatever is installed.
  if (missing.installable) isLeftOut(`an S3 server: ${missing.why}`, false)
  console.error(`\n*** NOT TESTED on an S3 server: ${missing.why} ***\n`)
  describe('An S3 store with object lock', () => {
    test.skipIf(true)(`needs an S3 server: ${missing.why}`, () => undefined)
  })
}

function suite(postgres: Parameters<Parameters<typeof describeOnOnePostgres>[1]>[0]): void {
  const [locked, open] = [`locked-${postgres.flavour}`, `open-${postgres.flavour}`]
  let site: LedgerSite
  let archived: ArchivedSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
    archived = await archivedSite(site, 'main')
    await archived.live(5)
    await archived.nextWeek()
    await archived.nextWeek()
  })
  afterAll(async () => {
    await archived.ledger.close()
    await site.remove()
  })

  const nothingLeft = async () => {
    expect(await archivedEnd(site.pool, 'main')).toBe(0)
    expect((await records(site, archived.ledger))[0]?.index).toBe(0)
  }

  test('that refuses the credentials keeps everything in the database', async () => {
    const store = await server.bucket(locked, true)
    const env = { ...server.env, AWS_SECRET_ACCESS_KEY: 'wrong' }
    expect((await faultOf(archived.archive({ store, env }))).code).toBe('store_unavailable')
    const { message } = await faultOf(archived.archive({ store, env: {} }))
    expect(message).toContain('no credentials')
    await nothingLeft()
  })

  test('that has no object lock, or no bucket, is refused, unless its address says that none is meant', async () => {
    const store = await server.bucket(open, false)
    const fault = await faultOf(archived.archive({ store, env: server.env }))
    expect(fault).toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('object lock'),
    })
    const elsewhere = store.replace(open, 'nowhere')
    expect((await faultOf(archived.archive({ store: elsewhere, env: server.env }))).code).toBe(
      'store_unavailable',
    )
    await nothingLeft()
    await openArchiveStore(`${store}&lock=none`, server.env).check()
  })

  test('that cannot be reached keeps everything in the database', async () => {
    const store = `s3://${locked}/logs?endpoint=http%3A%2F%2F127.0.0.1%3A1`
    expect((await faultOf(archived.archive({ store, env: server.env }))).code).toBe('store_unavailable')
    await nothingLeft()
  })

  test('takes a segment, gives it back, and lets nobody delete it before its time', async () => {
    const store = `s3://${locked}/logs?endpoint=${encodeURIComponent(server.endpoint)}&region=us-east-1`
    // The tests' clock is behind the store's.
    const keepMs = 3000 * day
    const killed = archived.archive({
      store,
      keepMs,
      env: server.env,
      after: (step) => {
        if (step === 'put') throw new Error('killed')
      },
    })
    await expect(killed).rejects.toThrow('killed')
    const { segments } = await archived.archive({ store, env: server.env, keepMs })
    expect(segments).toHaveLength(1)
    expect(await verifyColdSegments(site.pool, 'main', server.env)).toMatchObject({
      records: segments[0]?.end,
    })

    const versions = await server.versions(locked)
    const names = versions.map(({ key }) => key.split('/').at(-1))
    // What the killed run had put there was found, and not put again.
    for (const name of ['records.jsonl.gz', 'leaves.bin', 'records.parquet', 'payloads.jsonl.gz']) {
      expect(names.filter((each) => each === name)).toHaveLength(1)
    }
    for (const { key, version } of versions.filter(({ key: each }) => !each.includes('payloads'))) {
      const answer = await server.request('DELETE', `${locked}/${key}?versionId=${version}`)
      expect(answer.status, key).toBe(403)
    }
  })

  test('gives back the version that was archived, whatever is put over it', async () => {
    const [records] = (await server.versions(locked)).filter(({ key }) => key.endsWith('records.jsonl.gz'))
    const put = await server.request('PUT', `${locked}/${records?.key}`, { body: 'something else' })
    expect(put.status).toBe(200)
    expect(await server.versions(locked)).toContainEqual(records)
    await verifyColdSegments(site.pool, 'main', server.env)
    const store = openArchiveStore(await addressOf(), server.env)
    const cold = new ColdLog(site.pool, 'main', store)
    expect((await cold.entries([2])).get(2)?.payload).toMatchObject({
      body: expect.stringContaining('amount'),
    })
  })

  test('lets personal data be erased, with every version of it', async () => {
    const address = await addressOf()
    const other = await archived.another(openArchiveStore(address, server.env))
    const request = { target: { decision: 'dec_2' }, reason: 'request 7', by: 'operator' } as const
    expect(await other.erase(request)).toMatchObject({ erased: [2], archived: [2] })
    await other.close()
    const cold = new ColdLog(site.pool, 'main', openArchiveStore(address, server.env))
    expect((await cold.entries([1, 2])).get(2)?.payload).toBe('erased')
    expect(await verifyColdSegments(site.pool, 'main', server.env)).toMatchObject({ erased: 1 })
    const payloads = (await server.versions(locked)).filter(({ key }) => key.includes('payloads'))
    expect(payloads).toHaveLength(1)
    expect(payloads[0]?.key).not.toMatch(/payloads\.jsonl\.gz$/)
  })

  async function addressOf(): Promise<string> {
    const [row] = await site.query<{ store: string }>('select store from archive_segment')
    return row?.store ?? ''
  }
}
