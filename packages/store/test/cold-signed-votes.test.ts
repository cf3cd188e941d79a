import { approvalDigest, indexOfId, type ApprovalId } from '@bailiwick/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SoftAuthenticator } from '../../core/test/approval/authenticator.ts'
import { verifyColdSegments } from '../src/archive/verify-archive.ts'
import { archivedSite, type ArchivedSite } from './harness/archived.ts'
import {
  agent,
  decisionRecords,
  escalated,
  faultOf,
  ledgerSite,
  policiesOf,
  refund,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'
import { forgedVote, passkeysOf, personOf, registered, signedVote } from './harness/passkeys.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

describeOnOnePostgres('Signed votes whose records are archived', (postgres) => {
  let site: LedgerSite
  let archived: ArchivedSite
  beforeEach(async () => {
    site = await ledgerSite(postgres)
    archived = await archivedSite(
      site,
      'main',
      policiesOf(terms('{approvers: ["role:approver"], signed: true}')),
    )
  })
  afterEach(async () => {
    await archived.ledger.close()
    await site.remove()
  })

  // What is still open is not archived.
  const use = (id: string) => archived.ledger.decide(agent, refund(600, { approvalId: id }))
  const approve = async (authenticator: SoftAuthenticator) => {
    const { ledger } = archived
    const id = await escalated(ledger)
    await ledger.vote(voter('ann'), id, await signedVote(ledger, authenticator, 'ann', id, 'approve'))
    return (await use(id)).effect
  }
  const archive = async () => {
    await archived.nextWeek()
    await archived.nextWeek()
    await archived.archive()
  }

  test('are verified where the archive is read back, and the passkey goes on signing', async () => {
    const authenticator = await registered(archived.ledger, 'ann')
    await approve(authenticator)
    await archive()
    expect(await site.query('select 1 from log_entry where index = 1')).toEqual([])
    expect(await approve(authenticator)).toBe('allow')
    expect(await archived.ledger.verify()).toMatchObject({ kind: 'intact' })
    await verifyColdSegments(site.pool, 'main', {})
  })

  test('are named there where their people did not sign', async () => {
    const { ledger } = archived
    await registered(ledger, 'ann')
    const id = (await escalated(ledger)) as ApprovalId
    const opened = (await decisionRecords(site, ledger)).find(({ index }) => index === indexOfId('apr', id))
    if (opened === undefined) throw new Error('nothing opened it')
    const person = personOf('ann')
    const vote = { kind: 'vote', approval: id, person, vote: 'approve', status: 'approved' } as const
    const { index } = await ledger.changePasskeys(forgedVote({ ...vote, digest: approvalDigest(opened) }))
    expect((await use(id)).effect).toBe('allow')
    await archive()
    expect(await faultOf(verifyColdSegments(site.pool, 'main', {}))).toMatchObject({
      code: 'log_broken',
      message: `record ${index} is a vote that has to be signed: it bears no signature`,
    })
  })

  test('cannot be forged with another key in the row of a passkey whose registration is archived', async () => {
    const { ledger } = archived
    const authenticator = await registered(ledger, 'ann')
    await archive()
    const forger = new SoftAuthenticator('forger', 'ES256', passkeysOf(ledger).party)
    const { publicKey } = authenticator.passkey
    await site.query('update passkey set record = replace(record, $1, $2)', [
      publicKey,
      forger.passkey.publicKey,
    ])
    expect(await ledger.verify()).toMatchObject({
      kind: 'broken',
      problem: `the row of the passkey ${authenticator.id} is not what was recorded`,
    })
  })
})
