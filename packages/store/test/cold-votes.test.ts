import { approvalDigest, indexOfId, type ApprovalId } from '@bailiwick/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Access } from '../src/access.ts'
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
import { forgedVote, personOf } from './harness/passkeys.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

describeOnOnePostgres('Votes whose records are archived', (postgres) => {
  let site: LedgerSite
  let archived: ArchivedSite
  beforeEach(async () => {
    site = await ledgerSite(postgres)
    archived = await archivedSite(site, 'main', policiesOf(terms('{approvers: ["role:approver"]}')))
    await new Access(archived.ledger).setPerson(personOf('ann'), ['approver'])
  })
  afterEach(async () => {
    await archived.ledger.close()
    await site.remove()
  })

  // What is still open is not archived.
  const use = async (id: string) =>
    (await archived.ledger.decide(agent, refund(600, { approvalId: id }))).effect
  const approve = async () => {
    const { ledger } = archived
    const id = await escalated(ledger)
    const { digest } = await ledger.approval(id, {})
    await ledger.vote(voter('ann'), id, { vote: 'approve', digest })
    return await use(id)
  }
  const archive = async () => {
    await archived.nextWeek()
    await archived.nextWeek()
    await archived.archive()
  }
  const forge = async (name: string) => {
    const { ledger } = archived
    const id = (await escalated(ledger)) as ApprovalId
    const opened = (await decisionRecords(site, ledger)).find(({ index }) => index === indexOfId('apr', id))
    if (opened === undefined) throw new Error('nothing opened it')
    const vote = { kind: 'vote', approval: id, person: personOf(name), vote: 'approve' } as const
    const digest = approvalDigest(opened)
    const forged = await ledger.changePasskeys(forgedVote({ ...vote, status: 'approved', digest }))
    // The service asks who may vote when a vote comes, and not again when it is used.
    expect(await use(id)).toBe('allow')
    return forged.index
  }

  test('are judged again where the archive is read back, and later ones by people whom only archived records know', async () => {
    expect(await approve()).toBe('allow')
    await archive()
    await verifyColdSegments(site.pool, 'main', {})
    expect(await approve()).toBe('allow')
    expect(await archived.ledger.verify()).toMatchObject({ kind: 'intact' })
    await archive()
    await verifyColdSegments(site.pool, 'main', {})
  })

  test('are named there where nobody could have cast them', async () => {
    const index = await forge('mallory')
    await archive()
    expect(await faultOf(verifyColdSegments(site.pool, 'main', {}))).toMatchObject({
      code: 'log_broken',
      message: expect.stringMatching(
        new RegExp(
          `^record ${index} is a vote on apr_\\d+ of mallory@example.com, who was nobody here then$`,
        ),
      ) as string,
    })
  })

  test('and so is what else was done with a role that no record gave', async () => {
    const { ledger } = archived
    await new Access(ledger).setPerson(personOf('gus'), ['viewer'])
    await site.query(`update person set roles = '{auditor}' where id = $1`, [personOf('gus')])
    const { id } = await ledger.decide(agent, refund(100))
    const gus = voter('gus', ['auditor'])
    const { index } = await ledger.reveal(gus, { decision: id, path: '/params/amount', reason: 'ticket 7' })
    await archive()
    expect(await faultOf(verifyColdSegments(site.pool, 'main', {}))).toMatchObject({
      code: 'log_broken',
      message: `record ${index} is a reveal by gus@example.com, whose roles did not allow it then`,
    })
  })
})
