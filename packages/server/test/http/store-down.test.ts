import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HttpService, type Answer, type Caller } from '../harness/http-service.ts'

let service: HttpService
let agent: Caller
let person: Caller

beforeEach(async () => {
  service = await HttpService.open()
  agent = await service.agent()
  person = await service.person()
})
afterEach(() => service.close())

const call = { action: 'issue_refund', params: { amount: 1 } }

/** One request to everything that needs the database. */
function everything(): Promise<Answer[]> {
  return Promise.all([
    agent.post('/v1/decisions', call),
    agent.post('/v1/decisions', { ...call, callId: 'while-down' }),
    agent.post('/v1/decisions/batch', { calls: [call] }),
    agent.post('/v1/decisions/dec_1/outcome', { status: 'succeeded' }),
    agent.get('/v1/decisions'),
    agent.get('/v1/decisions/dec_1'),
    agent.get('/v1/approvals'),
    agent.get('/v1/approvals/apr_1?wait=30'),
    person.post('/v1/approvals/apr_1/votes', { vote: 'approve', digest: '0'.repeat(64) }),
    person.get('/v1/session'),
    person.get('/v1/events'),
    service.anyone.post('/v1/session', { token: 'a' }),
    service.anyone.get('/readyz'),
    service.anyone.get('/v1/log/checkpoint'),
  ])
}

function expectUnavailable(answers: readonly Answer[]): void {
  for (const { status, headers, body, text } of answers) {
    expect(status, text).toBe(503)
    expect(body.type).toBe('urn:bailiwick:problem:store_unavailable')
    expect(headers.get('retry-after')).toBe('1')
    expect(text).not.toMatch(/allow|select|insert|socket|\/tmp|bailiwick-test|t_[0-9a-f]{16}/)
  }
}

describe('without its store the service allows nothing', () => {
  test('and says that nothing was recorded of what was to be, to callers that it could not even look up', async () => {
    await service.database.drop()
    const answers = await everything()
    const recorded = answers.map(({ body }) => body.recorded)
    // Signing in is not looked up first, and leaves it open.
    expect(recorded.filter((said) => said !== undefined)).toEqual(['no', 'no', 'no', 'no', 'no', 'unknown'])
  })

  test('when the database is gone: everything is unavailable, but liveness and the description', async () => {
    await service.database.drop()
    expectUnavailable(await everything())
    // The connections are known to be broken by now, and every statement meets a new one.
    expectUnavailable(await everything())
    expect((await service.anyone.get('/healthz')).status).toBe(200)
    expect((await service.anyone.get('/openapi.json')).status).toBe(200)
    expect((await service.anyone.get('/')).status).toBe(200)
  })

  test('when the pool of connections is closed, as while the service stops', async () => {
    await service.ledger.close()
    expectUnavailable(await everything())
  })

  test('when connections break, it is back by itself, and what it said it recorded is there', async () => {
    const before = await agent.post('/v1/decisions', call)
    await service.ledger.pool
      .query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()')
      .catch(() => undefined) // It ends this connection too.
    // Those that were open break once; a fault is fine, an unrecorded permission is not.
    const acknowledged: string[] = [before.body.id]
    for (let tries = 0, recovered = false; !recovered; tries++) {
      const answer = await agent.post('/v1/decisions', call)
      recovered = answer.status === 200
      if (recovered) acknowledged.push(answer.body.id)
      else expectUnavailable([answer])
      expect(tries).toBeLessThan(20)
    }
    for (const id of acknowledged)
      expect((await agent.get(`/v1/decisions/${id}`)).body).toMatchObject({ id, effect: 'allow' })
    expect(await service.ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('when its disk is full, it is not ready until something was recorded again, or ten seconds have passed', async () => {
    const failing = async (code: string) => {
      await service.ledger.pool.query(
        `create or replace function refuse() returns trigger language plpgsql as
          $$ begin raise exception 'no room' using errcode = '${code}'; end $$;
        create or replace trigger refuse before insert on log_batch for each row execute function refuse()`,
      )
      expectUnavailable([await agent.post('/v1/decisions', call)])
      return await service.anyone.get('/readyz')
    }
    const mend = () => service.ledger.pool.query('drop function refuse cascade')

    const full = await failing('53100')
    expectUnavailable([full])
    expect(full.body.detail).toContain('the disk of the database is full')
    // Whoever was sent elsewhere comes again, and finds it full once more.
    service.clock.aheadMs += 10_000
    expect((await service.anyone.get('/readyz')).status).toBe(200)
    expect((await failing('53100')).status).toBe(503)
    await mend()
    expect((await agent.post('/v1/decisions', call)).status).toBe(200)
    expect((await service.anyone.get('/readyz')).status).toBe(200)
    // Of other failures nobody knows whether they concern the next call.
    expect((await failing('40001')).status).toBe(200)
    await mend()
  })

  test('what went wrong is in the log of the service, without secrets', async () => {
    await service.database.drop()
    await agent.post('/v1/decisions', call)
    expect(service.lines).not.toEqual([])
    for (const line of service.lines) {
      expect(line).toMatch(/^store_unavailable: /)
      expect(line).not.toContain('\n')
      expect(line).not.toContain(agent.secret)
    }
  })
})
