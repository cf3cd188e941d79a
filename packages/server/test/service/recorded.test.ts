import { Fault, type DecisionAnswer } from '@bailiwick/core'
import { afterEach, expect, test } from 'vitest'
import { impatientClient, ServicePlace } from '../harness/service.ts'

const callersMax = 32
const acknowledgedFirst = 200

let place: ServicePlace | undefined
afterEach(() => place?.remove())

const amountOf = (callId: string) => 1 + (callId.length % 7)
const paramsOf = (callId: string) => ({ amount: amountOf(callId), order_id: callId })

test('the database is killed under load: each caller hears whether it was recorded, nothing runs that was not allowed, and a retry settles what is unknown', async () => {
  const here = await ServicePlace.make()
  place = here
  const service = await here.start()
  const key = await here.createKey()
  const client = impatientClient(service.url, key)
  const allowed = new Map<string, DecisionAnswer>()
  const faults = new Map<string, Fault>()
  const ran: string[] = []
  let enough = (): void => undefined
  const loaded = new Promise<void>((resolve) => {
    enough = resolve
  })

  /** One caller: call after call, until one meets a fault. */
  const caller = async (name: number): Promise<void> => {
    for (let each = 0; ; each++) {
      const callId = `call-${name}-${each}`
      try {
        const governed = await client.govern('issue_refund', paramsOf(callId), () => ran.push(callId), {
          callId,
        })
        if (governed.kind === 'ran') allowed.set(callId, governed.decision)
        if (allowed.size === acknowledgedFirst) enough()
      } catch (fault) {
        if (!(fault instanceof Fault)) throw fault
        faults.set(callId, fault)
        return
      }
    }
  }
  const callers = Promise.all(Array.from({ length: callersMax }, (_, name) => caller(name)))
  await loaded
  process.kill((await here.postgresPid()) ?? Number.NaN, 'SIGQUIT')
  await callers
  // Its database has gone, and with it what stopping would write.
  await service.stop().catch(() => undefined)

  expect(faults.size).toBe(callersMax)
  for (const [callId, { code, recorded }] of faults) {
    expect({ callId, code }).toEqual({ callId, code: 'store_unavailable' })
    expect(['no', 'unknown']).toContain(recorded)
    expect(ran).not.toContain(callId)
  }
  expect(new Set(ran)).toEqual(new Set(allowed.keys()))

  const recorded = await here.onLedger(async (ledger) => {
    const { rows } = await ledger.pool.query<{ call_id: string }>(
      `select record::jsonb ->> 'callId' as call_id from log_entry where kind = 'decision'`,
    )
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    return new Set(rows.map((row) => row.call_id))
  })
  for (const callId of allowed.keys()) expect(recorded.has(callId), callId).toBe(true)

  const back = await here.start()
  const again = impatientClient(back.url, key)
  for (const [callId, fault] of faults) {
    if (fault.recorded === 'no') expect(recorded.has(callId), callId).toBe(false)
    const answer = await again.check('issue_refund', paramsOf(callId), {}, { callId })
    // Whoever had been recorded is given that very answer; whoever had not is decided now.
    expect(answer, callId).toMatchObject({ effect: 'allow' })
    expect(answer.replayed === true, callId).toBe(recorded.has(callId))
  }
})
