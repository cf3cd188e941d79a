import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cosignatureOf, openCheckpoint, parseWitnessKey } from '@bailiwick/core'
import { readLogKeys } from '@bailiwick/store'
import { afterAll, expect, test } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { impatientClient, ServicePlace } from '../harness/service.ts'
import { TestWitness } from '../anchors/test-witness.ts'

let place: ServicePlace | undefined
let witness: TestWitness | undefined
afterAll(async () => {
  await place?.remove()
  await witness?.close()
})

test('a service has its checkpoints cosigned and copied while the log grows, and serves the cosigned one', async () => {
  place = await ServicePlace.onServer()
  const first = await place.start()
  expect((await fetch(`${first.url}/log/checkpoint.cosigned`)).status).toBe(404)
  await first.stop()

  const { verifierKeys } = await readLogKeys(place.dataDir, 'main')
  witness = new TestWitness('witness.example', verifierKeys)
  const elsewhere = join(place.dir, 'elsewhere')
  const env = {
    BAILIWICK_ALLOW_PRIVATE_WEBHOOKS: '1',
    BAILIWICK_WITNESSES: JSON.stringify([{ url: await witness.listen(), key: witness.verifierKey }]),
    BAILIWICK_CHECKPOINT_DIR: elsewhere,
    BAILIWICK_ANCHOR_SECONDS: '1',
  }
  const { url } = await place.start({ env })
  const cosignedOf = async (atLeast: number): Promise<string> =>
    await eventually(`a checkpoint of ${atLeast} records that is cosigned`, async () => {
      const answer = await fetch(`${url}/log/checkpoint.cosigned`)
      const note = await answer.text()
      return answer.ok && openCheckpoint(note, verifierKeys).size >= atLeast ? note : undefined
    })
  const early = openCheckpoint(await cosignedOf(1), verifierKeys)
  const client = impatientClient(url, await place.createKey())
  for (let at = 0; at < 3; at++) await client.check('issue_refund', { amount: 20 })
  const note = await cosignedOf(early.size + 3)
  expect(cosignatureOf(note, parseWitnessKey(witness.verifierKey))).toBeDefined()
  const copied = await readFile(join(elsewhere, 'main.checkpoint'), 'utf8')
  expect(openCheckpoint(copied, verifierKeys).size).toBeGreaterThanOrEqual(early.size)
})
