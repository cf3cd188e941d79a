import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { LogRecord } from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { HttpService, type Caller } from '../harness/http-service.ts'
import { refund, refundPolicy } from '../channels/policy.ts'
import { cli } from './run-cli.ts'

const { iban } = refund.params
const reason = 'ticket 4711'

let service: HttpService
let agent: Caller
let id: string

beforeAll(async () => {
  service = await HttpService.open({ text: refundPolicy() })
  agent = await service.agent()
  id = (await agent.post('/v1/decisions', refund)).body.id
  await service.ledger.checkpoint()
})
beforeEach(() => void vi.stubEnv('BAILIWICK_ALLOW_UNSAFE', '1')) // The tests' server does not sync.
afterEach(() => vi.unstubAllEnvs())
afterAll(() => service.close())

const run = (...args: readonly string[]) =>
  cli([...args, '--data', service.dir], { DATABASE_URL: service.database.url })

/** The same as a user who may read everything, and write nothing. */
async function asReader(...args: readonly string[]) {
  const role = `reader_${randomBytes(4).toString('hex')}`
  await service.ledger.pool.query(`create role ${role} login in role pg_read_all_data`)
  try {
    const url = service.database.url.replace(/\/\/[^@]+@/, `//${role}@`)
    return await cli([...args, '--data', service.dir], { DATABASE_URL: url })
  } finally {
    await service.ledger.pool.query(`drop role ${role}`)
  }
}

interface Stored {
  readonly record: Extract<LogRecord, { kind: 'read' }>
  readonly payload: unknown
}

async function readsSince(size: number): Promise<readonly Stored[]> {
  const { rows } = await service.ledger.pool.query<{ record: string; body: string }>(
    `select record, body from log_entry where index >= $1 and kind = 'read' order by index`,
    [size],
  )
  return rows.map(({ record, body }) => ({
    record: JSON.parse(record) as Stored['record'],
    payload: JSON.parse(body) as unknown,
  }))
}

const index = () => Number(id.slice('dec_'.length))

describe('what the operator looks at on the command line', () => {
  test.each([
    ['explain', (of: string) => ['explain', of], 'decision'],
    ['log prove', (of: string) => ['log', 'prove', of], 'export'],
    ['log search', () => ['log', 'search', '--json', '--action', 'issue_refund'], 'search'],
  ] as const)('with `%s` is masked, and a record says who looked at what', async (_, args, what) => {
    const before = await service.logSize()
    const { code, out, err } = await run(...args(id))
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(id)
    expect(out).not.toContain(iban)
    const [read, ...more] = await readsSince(before)
    expect(more).toEqual([])
    expect(read?.record).toMatchObject({ person: 'operator', what })
    expect(read?.record.records).toContain(index())
    expect(read?.payload).toMatchObject({ reason: null })
  })

  test('and is not there makes no record', async () => {
    const before = await service.logSize()
    for (const args of [
      ['explain', 'dec_9999'],
      ['log', 'prove', '9999'],
    ]) {
      expect((await run(...args)).code).toBe(2)
    }
    expect(await readsSince(before)).toEqual([])
  })

  test('is shown, masked, also by a user of the database who cannot record, and that is said', async () => {
    const { code, out, err } = await asReader('explain', id)
    expect(code).toBe(0)
    expect(err).toMatch(/^what is shown cannot be recorded: .*permission denied/)
    expect(out).toContain(id)
    expect(out).not.toContain(iban)
  })
})

describe('what is sensitive', () => {
  const unmasked = ['log', 'search', '--json', '--action', 'issue_refund', '--unmasked']
  const proven = () => ['log', 'prove', id, '--with-payload']

  test('is shown by a search that asks for it with a reason, and that is recorded before it is shown', async () => {
    const before = await service.logSize()
    const { code, out } = await run(...unmasked, '--reason', reason)
    expect(code).toBe(0)
    expect(out).toContain(iban)
    const [read] = await readsSince(before)
    expect(read?.record).toMatchObject({ person: 'operator', what: 'reveal', records: [index()] })
    expect(read?.payload).toEqual({ filter: { action: 'issue_refund' }, reason })
    // It can be looked for, too.
    expect((await run(...unmasked, '--text', iban, '--reason', reason)).out).toContain(id)
    expect((await run('log', 'search', '--text', iban)).out).toBe('Nothing was found.\n')
  })

  test('goes into a bundle that asks for it with a reason, and that is recorded', async () => {
    const before = await service.logSize()
    const { code, json } = await run(...proven(), '--reason', ` ${reason} `)
    expect(code).toBe(0)
    expect(JSON.stringify(json)).toContain(iban)
    const [read] = await readsSince(before)
    expect(read?.record).toMatchObject({ person: 'operator', what: 'reveal', records: [index()] })
    expect(read?.payload).toEqual({ filter: null, reason })
  })

  test('is not shown without a reason, and a reason alone asks for nothing', async () => {
    const before = await service.logSize()
    for (const args of [
      unmasked,
      proven(),
      [...unmasked, '--reason', ' '],
      [...proven(), '--reason', 'x'.repeat(2001)],
      ['log', 'search', '--json', '--reason', reason],
      ['log', 'prove', id, '--reason', reason],
    ]) {
      const { code, out, err } = await run(...args)
      expect({ args, code }).toEqual({ args, code: 2 })
      expect(out + err).toContain('reason')
      expect(out + err).not.toContain(iban)
    }
    expect(await service.logSize()).toBe(before)
  })

  test('is not shown to a user of the database who cannot record', async () => {
    for (const args of [unmasked, proven()]) {
      const { code, out, err } = await asReader(...args, '--reason', reason)
      expect(out + err).toContain('permission denied')
      expect(out + err).not.toContain(iban)
      expect(code).not.toBe(0)
    }
  })

  test('is masked by what was recorded last for the agent, also of a call that no policy decided', async () => {
    const { policies } = service.ledger
    try {
      Object.assign(service.ledger, { policies: { ...policies, for: () => undefined } })
      await agent.post('/v1/decisions', { ...refund, callId: 'unbound' })
    } finally {
      Object.assign(service.ledger, { policies })
    }
    const { out } = await run('log', 'search', '--json', '--effect', 'deny')
    expect(out).toContain('"callId":"unbound"')
    expect(out).toContain('"iban":"•••"')
    expect(out).not.toContain(iban)
  })
})

test('facts, keys of counters and results of outcomes are masked whole on the command line', async () => {
  const text = `agent_id: "customer-support-agent-v2"
allowed_actions: [pay]
actions: {pay: {sensitive: [params.iban]}}
budgets: [{id: by-iban, on: pay, count: true, per: [params.iban], window: 24h, max: 9, effect: deny}]
`
  const other = await HttpService.open({ text })
  try {
    const caller = await other.agent()
    const { body } = await caller.post('/v1/decisions', { action: 'pay', params: { iban } })
    await caller.post(`/v1/decisions/${body.id}/outcome`, { status: 'succeeded', result: { iban } })
    const args = ['log', 'search', '--json', '--data', other.dir]
    const { out } = await cli(args, { DATABASE_URL: other.database.url })
    expect(out).toContain('"result":"•••"')
    expect(out).toContain('"keys":"•••"')
    expect(out).not.toContain(iban)
    const file = join(other.dir, 'bundle.json')
    expect(
      (
        await cli(['log', 'prove', body.id, '--out', file, '--data', other.dir], {
          DATABASE_URL: other.database.url,
        })
      ).out,
    ).toContain('payload withheld')
  } finally {
    await other.close()
  }
})
