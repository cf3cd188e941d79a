import { Access } from '@bailiwick/store'
import { describe, expect, test } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { agentId } from '../harness/policies.ts'
import { ServiceProcess } from '../harness/service-process.ts'
import { impatientClient, ServicePlace, signIn, type SignedIn } from '../harness/service.ts'

// Refunds wait long enough to be answered after the crash, discounts do not, and addresses take two people.
const policy = `agent_id: "${agentId}"
domain: "order_management"
allowed_actions: ["issue_refund", "apply_discount", "modify_shipping_address"]
forbidden_actions: []
rules:
  - { id: any-refund, on: issue_refund, condition: "true", effect: escalate, action: slow }
  - { id: any-discount, on: apply_discount, condition: "true", effect: escalate, action: quick }
  - { id: any-address, on: modify_shipping_address, condition: "true", effect: escalate, action: pair }
approvals:
  slow: { deadline: 10m }
  quick: { deadline: 6s }
  pair: { deadline: 10m, quorum: 2 }
`

/** A place whose database a test kills; what was killed is started again by the service, or by `startDatabase`. */
interface Killable {
  readonly place: ServicePlace
  readonly killDatabase: () => Promise<void>
  readonly startDatabase: () => Promise<void>
}

async function embedded(): Promise<Killable> {
  const place = await ServicePlace.make({ text: policy })
  return {
    place,
    killDatabase: async () => void process.kill((await place.postgresPid()) ?? Number.NaN, 'SIGKILL'),
    startDatabase: () => Promise.resolve(),
  }
}

async function onServer(): Promise<Killable> {
  const place = await ServicePlace.onOwnServer({ text: policy })
  return {
    place,
    killDatabase: () => Promise.resolve(place.killServer()),
    startDatabase: () => place.startServer(),
  }
}

interface StoredApproval {
  readonly id: string
  readonly status: string
  readonly action: string
}

async function approvalsAt(place: ServicePlace): Promise<readonly StoredApproval[]> {
  const query = `select 'apr_' || decision as id, status, action from approval order by decision`
  return await place.onLedger(async ({ pool }) => (await pool.query<StoredApproval>(query)).rows)
}

/** What an agent sends without the client: one request, one answer. */
class Requests {
  readonly #headers: Readonly<Record<string, string>>

  constructor(key: string) {
    this.#headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  }

  async decide(url: string, action: string, order: string, approvalId?: string) {
    const body = JSON.stringify({
      action,
      params: { order },
      ...(approvalId === undefined ? {} : { approvalId }),
    })
    const response = await fetch(`${url}/v1/decisions`, { method: 'POST', headers: this.#headers, body })
    expect(response.status).toBe(200)
    return (await response.json()) as {
      readonly effect: string
      readonly reasons: readonly string[]
      readonly approval?: { readonly id: string; readonly deadline: string }
    }
  }

  async cancel(url: string, approval: string): Promise<number> {
    const to = `${url}/v1/approvals/${approval}/cancellation`
    const body = JSON.stringify({ reason: 'no longer needed' })
    return (await fetch(to, { method: 'POST', headers: this.#headers, body })).status
  }
}

/** Another approver than the first. */
async function secondApprover(place: ServicePlace, url: string): Promise<SignedIn> {
  const token = await place.onLedger(async (ledger) => {
    const access = new Access(ledger)
    await access.setPerson('bob@example.com', ['approver'])
    return await access.createSignInToken('bob@example.com')
  })
  return await signIn(`${url}/sign-in#token=${token}`)
}

const statuses = async (sent: readonly Promise<number>[]) => [...new Set(await Promise.all(sent))]

// At the same time: most of it is waiting.
describe.concurrent.each([
  ['the embedded PostgreSQL', embedded],
  ['a PostgreSQL server', onServer],
] as const)('200 approvals that wait while the service and %s are killed', (_, make) => {
  test(
    'end as they should: approved ones run once, the others never, whatever had become of them before',
    { timeout: 180_000 },
    async ({ onTestFinished }) => {
      const { place, killDatabase, startDatabase } = await make()
      onTestFinished(() => place.remove())
      const first = await ServiceProcess.start(place)
      onTestFinished(() => first.kill())
      const { url } = first
      const [ann, bob] = [await signIn(first.signInUrl ?? ''), await secondApprover(place, url)]
      const key = await place.createKey()
      const [client, agent] = [impatientClient(url, key), new Requests(key)]

      const opened = async (count: number, action: string, what: string) =>
        await Promise.all(
          Array.from({ length: count }, async (_unused, n) => {
            const order = `${what}-${n}`
            const { approval } = await agent.decide(url, action, order)
            return { order, id: approval?.id ?? '', deadline: Date.parse(approval?.deadline ?? '') }
          }),
        )
      const approved = await opened(20, 'issue_refund', 'approved')
      expect(await statuses(approved.map(({ id }) => ann.vote(id, 'approve')))).toEqual([201])
      const halfway = await opened(20, 'modify_shipping_address', 'halfway')
      expect(await statuses(halfway.map(({ id }) => ann.vote(id, 'approve')))).toEqual([201])
      const cancelled = await opened(20, 'issue_refund', 'cancelled')
      expect(await statuses(cancelled.map(({ id }) => agent.cancel(url, id)))).toEqual([201])

      const runs = new Map<string, number>()
      const govern = (action: string, order: string) =>
        client.govern(action, { order }, () => {
          runs.set(order, (runs.get(order) ?? 0) + 1)
          return 'done'
        })
      const refunds = Array.from({ length: 90 }, (_unused, n) => govern('issue_refund', `refund-${n}`))
      const discounts = Array.from({ length: 10 }, (_unused, n) => govern('apply_discount', `discount-${n}`))
      await eventually('all of them waiting', async () => (await approvalsAt(place)).length === 160)
      const late = await opened(40, 'apply_discount', 'late')

      await Promise.all([first.kill(), killDatabase()])
      // While nothing runs that could write it down.
      const lastDeadline = Math.max(...late.map(({ deadline }) => deadline))
      await eventually('the deadlines of the discounts passed', () => Date.now() > lastDeadline)
      await startDatabase()
      const second = await ServiceProcess.start(place, first.port)
      onTestFinished(() => second.kill())

      // Past its deadline during the downtime: no vote, no use, and it is written down.
      expect(await statuses(late.slice(0, 5).map(({ id }) => ann.vote(id, 'approve')))).toEqual([409])
      const tooLate = late.map(({ order, id }) => agent.decide(url, 'apply_discount', order, id))
      expect(new Set((await Promise.all(tooLate)).map(({ effect }) => effect))).toEqual(new Set(['deny']))
      const all = await eventually('the discounts expired', async () => {
        const rows = await approvalsAt(place)
        const isOver = rows.every(({ action, status }) => action !== 'apply_discount' || status === 'expired')
        return isOver && rows
      })
      expect(all).toHaveLength(200)

      // Approved and unused: good for one use.
      for (const expected of ['allow', 'deny']) {
        const uses = approved.map(({ order, id }) => agent.decide(url, 'issue_refund', order, id))
        expect(new Set((await Promise.all(uses)).map(({ effect }) => effect))).toEqual(new Set([expected]))
      }

      // A part of the quorum: not enough by itself, nor with the same person again, but with another one.
      const claim = ({ order, id }: { order: string; id: string }) =>
        agent.decide(url, 'modify_shipping_address', order, id)
      const early = await Promise.all(halfway.map(claim))
      expect(new Set(early.map(({ effect }) => effect))).toEqual(new Set(['deny']))
      expect(await statuses(halfway.map(({ id }) => ann.vote(id, 'approve')))).toEqual([409])
      expect(await statuses(halfway.map(({ id }) => bob.vote(id, 'approve')))).toEqual([201])
      const whole = await Promise.all(halfway.map(claim))
      expect(new Set(whole.map(({ effect }) => effect))).toEqual(new Set(['allow']))

      // Withdrawn: for good.
      expect(await statuses(cancelled.map(({ id }) => ann.vote(id, 'approve')))).toEqual([409])
      const withdrawn = cancelled.map(({ order, id }) => agent.decide(url, 'issue_refund', order, id))
      expect(new Set((await Promise.all(withdrawn)).map(({ effect }) => effect))).toEqual(new Set(['deny']))

      // Still waiting: answered as if nothing had been.
      const pending = (await approvalsAt(place)).filter(({ status }) => status === 'pending')
      expect(pending).toHaveLength(90)
      const answers = pending.map(({ id }, n) => ann.vote(id, n % 2 === 0 ? 'approve' : 'reject'))
      expect(await statuses(answers)).toEqual([201])
      const ends = await Promise.all([...refunds, ...discounts])
      const told = (kind: string, approval?: string) =>
        ends.filter((end) => end.kind === kind && ('approval' in end ? end.approval : undefined) === approval)
          .length
      expect([told('ran'), told('withheld', 'rejected'), told('withheld', 'expired')]).toEqual([45, 45, 10])
      expect([...runs.values()]).toEqual(Array.from({ length: 45 }, () => 1))
      expect(await second.stop()).toBe(0)
      expect(await place.onLedger((ledger) => ledger.verify())).toMatchObject({ kind: 'intact' })
    },
  )
})
