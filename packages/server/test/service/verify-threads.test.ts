import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HttpService } from '../harness/http-service.ts'
import { startNode } from '../harness/service-process.ts'

const cli = fileURLToPath(new URL('../../bundle/main.js', import.meta.url))
let service: HttpService

beforeAll(async () => {
  service = await HttpService.open()
  const agent = await service.agent()
  for (let n = 0; n < 6; n++) {
    await agent.post('/v1/decisions', { action: 'issue_refund', params: { amount: n }, callId: `c${n}` })
  }
  await service.ledger.checkpoint()
})
afterAll(() => service.close())

/** `bailiwick log verify` as it was built: with threads. */
async function verified(workers: number): Promise<{ readonly code: number; readonly answer: unknown }> {
  const args = ['log', 'verify', '--json', '--workers', String(workers), '--data', service.dir]
  const child = startNode(cli, args, { DATABASE_URL: service.database.url, BAILIWICK_ALLOW_UNSAFE: '1' })
  let out = ''
  child.stdout?.on('data', (part: Buffer) => {
    out += part.toString()
  })
  const [code] = (await once(child, 'close')) as [number]
  return { code, answer: JSON.parse(out) }
}

test('threads find a log intact, and broken at the same place as one does', async () => {
  const { size } = await service.ledger.head()
  expect(await verified(2)).toMatchObject({ code: 0, answer: { intact: true, size, checkpoint: { size } } })
  for (const [damage, repair, index] of [
    [
      `update log_batch set bodies = replace(bodies, '4', '5') where first = 6`,
      `update log_batch set bodies = replace(bodies, '5', '4') where first = 6`,
      6,
    ],
    [
      `update call set index = index + 1 where call_id = 'c3'`,
      `update call set index = index - 1 where call_id = 'c3'`,
      5,
    ],
  ] as const) {
    await service.ledger.pool.query(damage)
    const one = await verified(1)
    expect(one).toMatchObject({ code: 1, answer: { intact: false, index } })
    const { seconds: _one, ...place } = one.answer as { seconds: number }
    expect(await verified(2)).toMatchObject({ code: 1, answer: place })
    await service.ledger.pool.query(repair)
  }
}, 240_000)
