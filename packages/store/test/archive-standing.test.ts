import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { archivedEnd } from '../src/archive/segments.ts'
import { verifyColdSegments } from '../src/archive/verify-archive.ts'
import { PayloadKey } from '../src/sealing/payload-key.ts'
import { archivedSite, type ArchivedSite } from './harness/archived.ts'
import {
  agent,
  faultOf,
  knows,
  ledgerSite,
  records,
  refund,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

describeOnOnePostgres('What stands while its record is archived', (postgres) => {
  let site: LedgerSite
  let archived: ArchivedSite
  beforeEach(async () => {
    site = await ledgerSite(postgres)
    archived = await archivedSite(site, 'main')
  })
  afterEach(async () => {
    await archived.ledger.close()
    await site.remove()
  })

  const pass = async () => {
    await archived.nextWeek()
    await archived.nextWeek()
    await archived.archive()
  }

  test('a suspension is recorded again with its reason, and verification holds it against that', async () => {
    const { ledger } = archived
    await ledger.changeSuspension({ agent, state: 'suspended', reason: 'odd refunds', by: 'operator' })
    await ledger.changeSuspension({ agent: 'other', state: 'suspended', reason: 'a test', by: 'operator' })
    await ledger.changeSuspension({ agent: 'other', state: 'active', reason: 'done', by: 'operator' })
    await pass()
    const end = await archivedEnd(site.pool, 'main')
    const [suspended, ...more] = await ledger.suspended()
    expect(more).toEqual([])
    expect(suspended).toMatchObject({ agent, reason: 'odd refunds', by: 'operator' })
    expect(suspended?.index).toBeGreaterThanOrEqual(end)
    expect((await ledger.decide(agent, refund(5))).effect).toBe('deny')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    await ledger.changeSuspension({ agent, state: 'active', reason: 'cleared', by: 'operator' })
    expect((await ledger.decide(agent, refund(5))).effect).toBe('allow')
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('a suspension by a person stays that person’s, whatever has become of their roles', async () => {
    const { ledger } = archived
    await knows(ledger, voter('olga', ['operator']))
    await ledger.changeSuspension({
      agent,
      state: 'suspended',
      reason: 'odd refunds',
      by: 'olga@example.com',
    })
    await knows(ledger, voter('olga', ['viewer']))
    await pass()
    await knows(ledger, voter('olga', ['auditor']))
    await pass()
    const [suspended] = await ledger.suspended()
    expect(suspended).toMatchObject({ agent, by: 'olga@example.com' })
    expect(suspended?.index).toBeGreaterThanOrEqual(await archivedEnd(site.pool, 'main'))
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    await verifyColdSegments(site.pool, 'main', {})
  })

  test('that payloads are sealed is recorded again with what it says of the secret of the ledger, and held against that', async () => {
    const key = new PayloadKey(randomBytes(32).toString('hex'))
    const sealing = await archivedSite(site, 'sealing', undefined, { payloadKey: key })
    await sealing.ledger.sealing.start()
    for (let week = 0; week < 4; week++) {
      await sealing.live(1)
      await sealing.nextWeek()
      await sealing.archive({}, sealing.ledger)
    }
    const end = await archivedEnd(site.pool, 'sealing')
    const said = (await records(site, sealing.ledger)).filter(({ kind }) => kind === 'sealing')
    expect(said).toMatchObject([{ key: key.id, event: 'on', fingerprint: expect.any(String) }])
    expect(said[0]?.index).toBeGreaterThanOrEqual(end)
    expect(await sealing.ledger.verify()).toMatchObject({ kind: 'intact' })
    await sealing.ledger.sealing.start()

    await site.query(`update ledger_secret set secret = sha256('another') where ledger = 'sealing'`)
    await site.query(`update payload_sealing set fingerprint = null, index = 0 where ledger = 'sealing'`)
    expect(await sealing.ledger.verify()).toMatchObject({ kind: 'broken' })
    expect((await faultOf(sealing.ledger.sealing.start())).message).toContain('is not the one of record')
    await sealing.ledger.close()
  })

  test('a suspension that no record in the database says is found, wherever it claims to come from', async () => {
    const { ledger } = archived
    await ledger.decide(agent, refund(5))
    await pass()
    await site.query(
      `insert into agent_suspension (ledger, agent, index, state) values ('main', 'forged', 0, 'suspended')`,
    )
    expect(await ledger.verify()).toMatchObject({ kind: 'broken' })
  })
})
