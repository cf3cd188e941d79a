import { join } from 'node:path'
import type { PersonId } from '@bailiwick/core'
import { Access, Ledger, loadPolicies, openDatabase, type OpenedDatabase } from '@bailiwick/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeDataDir } from '../../../store/test/harness/cluster-copy.ts'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { agentId, writePolicy } from '../harness/policies.ts'
import { cli } from './run-cli.ts'

let dir: string
let dataDir: string
let database: OpenedDatabase
let ledger: Ledger
beforeAll(async () => {
  dir = await makeTestDir()
  dataDir = join(dir, 'data')
  await makeDataDir(dataDir)
  database = await openDatabase({ dataDir })
  const standing = '{ uses: 12, lasts: 8h, may_differ: { amount: up_to, order: any } }'
  const policies = await loadPolicies(await writePolicy(dir, { standing }))
  const { connection } = database
  ledger = await Ledger.open({ connection, policies, dataDir, consoleUrl: 'http://127.0.0.1:7420' })
  await new Access(ledger).setPerson('ann@example.com', ['approver'])
})
afterAll(async () => {
  await ledger.close()
  await database.leave()
  await removeTestDir(dir)
})

const grants = (...args: readonly string[]) => cli(['grants', ...args, '--data', dataDir])
const refund = async () =>
  await ledger.decide(agentId, { action: 'issue_refund', params: { amount: 600, order: 'secret-1' } })

test('lists what is live without parameters, and revokes it while the service runs', async () => {
  expect((await grants('list')).out).toBe('There are none.\n')
  const { approval } = await refund()
  const id = approval?.id ?? ''
  const { digest } = await ledger.approval(id, {})
  const until = new Date(Date.now() + 3_600_000).toISOString()
  const ann = { id: 'ann@example.com' as PersonId, roles: ['approver'] }
  await ledger.vote(ann, id, { vote: 'approve', digest, standing: { uses: 3, until } })
  const used = await refund()
  expect(used.effect).toBe('allow')

  const grant = id.replace('apr', 'grt')
  const listed = await grants('list')
  expect(listed.out).toBe(
    `${grant}  ${agentId}  issue_refund  may differ: amount up to, order any  2 of 3 left  until ${until}  by ann@example.com\n`,
  )
  const json = await grants('list', '--json')
  expect(json.json).toMatchObject({ grants: [{ id: grant, uses: 3, used: 1 }] })
  expect(json.out).not.toContain('secret-1')
  const explained = await cli(['explain', used.id, '--data', dataDir])
  expect(explained.out).toContain(`${grant} was given by ann@example.com`)

  expect((await grants('revoke', grant, '--reason', 'enough')).out).toBe(
    `${grant} is revoked: from now on, people are asked again.\n`,
  )
  expect((await refund()).effect).toBe('escalate')
  const again = await grants('revoke', grant, '--reason', 'enough')
  expect(again.code).toBe(2)
  expect(again.err).toContain(`${grant} has ended already`)
})

test.each([
  [['revoke', 'grt_1'], /--reason/],
  [['revoke', 'grt_999', '--reason', 'x'], /no standing grant `grt_999`/],
  [['revoke', 'all', '--reason', 'x'], /no standing grant `all`/],
])('%j is refused', async (args, message) => {
  const run = await grants(...args)
  expect(run.code).toBe(2)
  expect(run.err).toMatch(message)
})
