import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openArchiveStore } from '../src/archive/open-store.ts'
import type { ArchiveStore } from '../src/archive/store.ts'
import { Fault } from '@bailiwick/core'
import { PayloadKey } from '../src/sealing/payload-key.ts'
import { archivedSite, type ArchivedSite } from './harness/archived.ts'
import { agent, faultOf, ledgerSite, policiesOf, supportPolicy, type LedgerSite } from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

const key = new PayloadKey(randomBytes(32).toString('hex'))
const policies = policiesOf(supportPolicy('subject: params.customer'))

describeOnOnePostgres('G9: sealed payloads that are archived', (postgres) => {
  let site: LedgerSite
  let archived: ArchivedSite
  beforeEach(async () => {
    site = await ledgerSite(postgres)
    archived = await archivedSite(site, 'main', policies, { payloadKey: key })
    await archived.ledger.sealing.start()
  })
  afterEach(async () => {
    await archived.ledger.close()
    await site.remove()
  })

  const refund = (customer: string) =>
    archived.ledger.decide(agent, { action: 'issue_refund', params: { amount: 1, customer } })
  const archiveAll = async () => {
    await archived.nextWeek()
    await archived.nextWeek()
    await archived.archive({ limits: { records: 4, bytes: 1e9 } })
  }

  test('are sealed there, and read with their keys', async () => {
    const { ledger } = archived
    const ann = await refund('cu-ann')
    await archiveAll()
    expect((await ledger.decision(ann.id)).params).toMatchObject({ customer: 'cu-ann' })
    expect(await ledger.replay(ann.id)).toMatchObject({ same: true })
    const found = []
    for await (const each of ledger.search({ text: 'cu-ann' })) found.push(each)
    expect(found).toMatchObject([{ cold: true, record: { kind: 'decision' } }])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('of an erased person are unreadable at once, also where the archive can neither be read nor written', async () => {
    const { ledger } = archived
    const ann = await refund('cu-ann')
    const bob = await refund('cu-bob')
    await archiveAll()
    const locked = () =>
      Promise.reject(new Fault('store_unavailable', 'the objects are locked', { fix: 'Wait.' }))
    const store = openArchiveStore(archived.store, {})
    const closed: ArchiveStore = {
      address: store.address,
      check: () => store.check(),
      read: locked,
      put: locked,
      remove: locked,
    }
    const erasing = await archived.another(closed)
    const request = { target: { subject: 'cu-ann' }, reason: 'request 18', by: 'operator' }
    const fault = await faultOf(erasing.erase(request))
    expect(fault.message).toContain('the key of the person was destroyed')
    await erasing.close()
    expect(await ledger.decision(ann.id)).toMatchObject({ params: null, erased: true })
    expect((await ledger.decision(bob.id)).params).toMatchObject({ customer: 'cu-bob' })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })

    expect(await ledger.erase(request), 'once it can be written again').toMatchObject({
      archived: [Number(ann.id.slice('dec_'.length))],
      keys: [],
    })
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })
})
