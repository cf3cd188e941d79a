import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Governed } from '@bailiwick/core'
import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import type { PolicyVariant } from '../harness/policies.ts'
import { ServiceProcess, startNode } from '../harness/service-process.ts'
import { impatientClient, ServicePlace, signIn } from '../harness/service.ts'

const agentFile = fileURLToPath(new URL('../harness/agent-process.mjs', import.meta.url))

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function placeFor(database: 'embedded' | 'server', variant: PolicyVariant = {}): Promise<ServicePlace> {
  const place = await (database === 'embedded' ? ServicePlace.make(variant) : ServicePlace.onServer(variant))
  undo.push(() => place.remove())
  return place
}

/** A service in a process of its own, killed at the end of the test at the latest. */
async function processAt(place: ServicePlace, port = 0): Promise<ServiceProcess> {
  const service = await ServiceProcess.start(place, port)
  undo.push(() => service.kill())
  return service
}

/** A governed refund of 600, and how often it has run. */
function refund(url: string, key: string, orderId = 'A-1') {
  const runs: string[] = []
  const governed = impatientClient(url, key).govern(
    'issue_refund',
    { amount: 600, order_id: orderId },
    ({ decision }) => {
      runs.push(decision.id)
      return 'paid'
    },
  )
  return { governed, runs }
}

const portOf = (url: string) => Number(new URL(url).port)

describe('a refund that waits for a person', () => {
  test('outlives a restart of the service, and runs once when it is approved', async () => {
    const place = await placeFor('embedded')
    const first = await place.start()
    const person = await signIn(first.signInUrl ?? '')
    const { governed, runs } = refund(first.url, await place.createKey())
    const { id } = await person.oneWaiting()
    await first.stop()
    const second = await place.start({ port: portOf(first.url) })
    expect(await person.vote(id, 'approve')).toBe(201)

    const result = await governed
    expect(result).toMatchObject({
      kind: 'ran',
      result: 'paid',
      outcomeRecorded: true,
      decision: { effect: 'allow' },
    })
    expect(runs).toEqual([result.decision.id])
    await second.stop()
    const approval = await place.onLedger((ledger) => ledger.approval(id, {}))
    expect(approval).toMatchObject({ status: 'consumed', consumedBy: result.decision.id })
  })

  test('in the company of many is told by its own person only, across a restart', async () => {
    const place = await placeFor('server')
    const first = await place.start()
    const person = await signIn(first.signInUrl ?? '')
    const key = await place.createKey()
    const refunds = Array.from({ length: 24 }, (_, n) => refund(first.url, key, `A-${n}`))
    const waiting = await eventually('all of them waiting', async () => {
      const approvals = await person.pending()
      return approvals.length === refunds.length && approvals
    })
    await first.stop()
    const second = await place.start({ port: portOf(first.url) })
    const orderOf = (params: unknown) => Number((params as { order_id: string }).order_id.slice(2))
    for (const { id, params } of waiting)
      await person.vote(id, orderOf(params) % 2 === 0 ? 'approve' : 'reject')

    const results = await Promise.all(refunds.map(({ governed }) => governed))
    expect(results.map(({ kind }) => kind)).toEqual(refunds.map((_, n) => (n % 2 === 0 ? 'ran' : 'withheld')))
    expect(refunds.map(({ runs }) => runs.length)).toEqual(refunds.map((_, n) => (n % 2 === 0 ? 1 : 0)))
    await second.stop()
  })

  test('outlives a `kill -9` of the service, and runs once when it is approved', async () => {
    const place = await placeFor('embedded')
    const first = await processAt(place)
    const person = await signIn(first.signInUrl ?? '')
    const { governed, runs } = refund(first.url, await place.createKey())
    const { id } = await person.oneWaiting()
    const postgres = await place.postgresPid()
    await first.kill()
    expect(await place.postgresPid()).toBe(postgres)
    const second = await processAt(place, first.port)
    expect(await place.postgresPid(), 'the orphaned PostgreSQL is adopted').toBe(postgres)
    expect(await person.vote(id, 'approve')).toBe(201)

    expect(await governed).toMatchObject({ kind: 'ran', result: 'paid', outcomeRecorded: true })
    expect(runs).toHaveLength(1)
    expect(await second.stop()).toBe(0)
    expect(await place.postgresPid()).toBeUndefined()
  })

  test('does not run when it is rejected after a restart', async () => {
    const place = await placeFor('server')
    const first = await place.start()
    const person = await signIn(first.signInUrl ?? '')
    const { governed, runs } = refund(first.url, await place.createKey())
    const { id } = await person.oneWaiting()
    await first.stop()
    await place.start({ port: portOf(first.url) })
    expect(await person.vote(id, 'reject')).toBe(201)
    expect(await governed).toMatchObject({
      kind: 'withheld',
      approval: 'rejected',
      decision: { effect: 'escalate' },
    })
    expect(runs).toEqual([])
  })

  test('does not run when its deadline passes while the service is down', async () => {
    const place = await placeFor('server', { deadline: '2s' })
    const first = await place.start()
    const person = await signIn(first.signInUrl ?? '')
    const { governed, runs } = refund(first.url, await place.createKey())
    const { id, deadline } = await person.oneWaiting()
    await first.stop()
    await eventually('the deadline', () => Date.now() > Date.parse(deadline))
    await place.start({ port: portOf(first.url) })
    expect(await governed).toMatchObject({ kind: 'withheld', approval: 'expired' })
    expect(runs).toEqual([])
    expect(await person.vote(id, 'approve'), 'it is too late for a vote').toBe(409)
  })

  test('does not run when its deadline passes and nobody answers', async () => {
    const place = await placeFor('server', { deadline: '1s' })
    const service = await place.start()
    const { governed, runs } = refund(service.url, await place.createKey())
    expect(await governed).toMatchObject({ kind: 'withheld', approval: 'expired' })
    expect(runs).toEqual([])
  })
})

describe('an agent that is killed while it waits', () => {
  test('resumes its wait under the same call id, runs once, and never again', async () => {
    const place = await placeFor('server')
    const service = await place.start()
    const person = await signIn(service.signInUrl ?? '')
    const key = await place.createKey()
    const ranFile = join(place.dir, 'ran')
    const agent = () => {
      const child = startNode(agentFile, [service.url, 'order-A-1', ranFile], { AGENT_KEY: key })
      undo.push(async () => child.kill('SIGKILL'))
      return child
    }
    const killed = agent()
    const { id } = await person.oneWaiting()
    killed.kill('SIGKILL')
    await once(killed, 'exit')

    const resumed = agent()
    const answer = answerOf(resumed)
    expect(await person.vote(id, 'approve')).toBe(201)
    expect(await answer).toMatchObject({ kind: 'ran', decision: { effect: 'allow' }, outcomeRecorded: true })
    const ran = (await readFile(ranFile, 'utf8')).trim().split('\n')
    expect(ran).toHaveLength(1)
    expect(JSON.parse(ran[0] ?? '')).toMatchObject({ params: { amount: 600 } })
    expect(await person.pending()).toEqual([])

    expect(await answerOf(agent())).toMatchObject({ kind: 'ran_before', outcome: 'succeeded' })
    expect((await readFile(ranFile, 'utf8')).trim().split('\n')).toEqual(ran)
  })
})

async function answerOf(child: ReturnType<typeof startNode>): Promise<Governed<unknown>> {
  let text = ''
  let complaints = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints += chunk.toString()
  })
  await once(child, 'close')
  expect(complaints).toBe('')
  return JSON.parse(text) as Governed<unknown>
}
