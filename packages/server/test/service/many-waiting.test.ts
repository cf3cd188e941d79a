import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { agentId } from '../harness/policies.ts'
import { ServiceProcess } from '../harness/service-process.ts'
import { impatientClient, ServicePlace, signIn } from '../harness/service.ts'

// Large refunds wait long enough to be answered after the crash; discounts do not.
const policy = `agent_id: "${agentId}"
domain: "order_management"
allowed_actions: ["issue_refund", "apply_discount"]
forbidden_actions: []
facts:
  refund_amount: { type: number, from: params.amount, for: [issue_refund] }
rules:
  - { id: large-refund, on: issue_refund, condition: "refund_amount > 500", effect: escalate, action: slow }
  - { id: any-discount, on: apply_discount, condition: "true", effect: escalate, action: quick }
approvals:
  slow: { deadline: 10m }
  quick: { deadline: 15s }
`

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

interface StoredApproval {
  readonly status: string
  readonly action: string
  readonly decision: string
}

async function approvalsAt(place: ServicePlace): Promise<readonly StoredApproval[]> {
  const query = 'select status, action, decision from approval order by decision'
  return await place.onLedger(async ({ pool }) => (await pool.query<StoredApproval>(query)).rows)
}

describe('200 approvals that wait while the service and its database are killed', () => {
  test('end as they should: approved ones run once, the others never', { timeout: 120_000 }, async () => {
    const place = await ServicePlace.make({ text: policy })
    undo.push(() => place.remove())
    const first = await ServiceProcess.start(place)
    undo.push(() => first.kill())
    const person = await signIn(first.signInUrl ?? '')
    const client = impatientClient(first.url, await place.createKey())
    const runs = new Map<string, number>()
    const waiting = Array.from({ length: 200 }, (_, n) => {
      const [action, order] = [n < 140 ? 'issue_refund' : 'apply_discount', `A-${n}`]
      return client.govern(action, { amount: 600, order_id: order }, () => {
        runs.set(order, (runs.get(order) ?? 0) + 1)
        return 'done'
      })
    })
    await eventually('all of them waiting', async () => (await approvalsAt(place)).length === 200)

    const postgres = await place.postgresPid()
    await Promise.all([first.kill(), Promise.resolve(process.kill(postgres ?? 0, 'SIGKILL'))])
    const second = await ServiceProcess.start(place, first.port)
    undo.push(() => second.kill())
    expect(await place.postgresPid()).not.toBe(postgres)

    const open = await eventually(
      'the discounts expired',
      async () => {
        const rows = await approvalsAt(place)
        const discounts = rows.filter(({ action }) => action === 'apply_discount')
        return discounts.every(({ status }) => status === 'expired') && rows
      },
      60_000,
    )
    const refunds = open.filter(({ action }) => action === 'issue_refund')
    expect(refunds.map(({ status }) => status)).toEqual(refunds.map(() => 'pending'))
    const late = open.find(({ action }) => action === 'apply_discount')
    expect(await person.vote(`apr_${late?.decision}`, 'approve'), 'it is too late for a vote').toBe(409)
    const answers = await Promise.all(
      refunds.map(({ decision }, n) => person.vote(`apr_${decision}`, n % 2 === 0 ? 'approve' : 'reject')),
    )
    expect(new Set(answers)).toEqual(new Set([201]))

    const ends = await Promise.all(waiting)
    const told = (kind: string, approval?: string) =>
      ends.filter((end) => end.kind === kind && ('approval' in end ? end.approval : undefined) === approval)
        .length
    expect([told('ran'), told('withheld', 'rejected'), told('withheld', 'expired')]).toEqual([70, 70, 60])
    expect([...runs.values()]).toEqual(Array.from({ length: 70 }, () => 1))
    expect(await second.stop()).toBe(0)
    expect(await place.onLedger((ledger) => ledger.verify())).toMatchObject({ kind: 'intact' })
  })
})
