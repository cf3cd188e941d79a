import { afterEach, expect, test } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { agentId } from '../harness/policies.ts'
import { ServicePlace } from '../harness/service.ts'

let place: ServicePlace | undefined
afterEach(async () => {
  await place?.remove()
  place = undefined
})

test('a service publishes what others append, and works out the tree above it before anybody asks', async () => {
  place = await ServicePlace.onServer()
  const { url } = await place.start()
  const hashes = await place.onLedger(async (ledger) => {
    const calls = Array.from({ length: 300 }, (_, amount) =>
      ledger.decide(agentId, { action: 'issue_refund', params: { amount } }),
    )
    await Promise.all(calls)
    return await eventually('a hash of level 1', async () => {
      const { rows } = await ledger.pool.query<{ level: number; hash: Buffer }>(
        'select level, hash from log_tile_hash',
      )
      return rows.length === 0 ? undefined : rows
    })
  })
  const tile = await fetch(`${url}/log/tile/1/000.p/1`)
  expect(hashes).toEqual([{ level: 1, hash: Buffer.from(await tile.arrayBuffer()) }])
})

test('a service that was told unclearly who may read the log does not start', async () => {
  place = await ServicePlace.onServer()
  await expect(place.start({ env: { BAILIWICK_LOG_PUBLIC: 'true' } })).rejects.toMatchObject({
    code: 'bad_input',
  })
  const { url } = await place.start({ env: { BAILIWICK_LOG_PUBLIC: '1' } })
  const { size } = ((await (await fetch(`${url}/readyz`)).json()) as { log: { size: number } }).log
  await fetch(`${url}/log/checkpoint`)
  expect((await fetch(`${url}/log/tile/entries/000.p/${size}`)).status).toBe(200)
})
