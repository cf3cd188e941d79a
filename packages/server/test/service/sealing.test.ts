import { randomBytes } from 'node:crypto'
import { PayloadKey } from '@bailiwick/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { impatientClient, ServicePlace } from '../harness/service.ts'
import { agentId } from '../harness/policies.ts'

const key = randomBytes(32).toString('hex')
const env = { BAILIWICK_PAYLOAD_KEY: key }
const text = `agent_id: ${agentId}\nallowed_actions: [pay, look]\nsubject: params.to\n`

let place: ServicePlace
beforeEach(async () => {
  place = await ServicePlace.onServer({ text })
})
afterEach(() => place.remove())

test('a service with a payload key seals; one without it says so, refuses such calls, and answers all others', async () => {
  const first = await place.start({ env })
  const client = impatientClient(first.url, await place.createKey())
  const paid = await client.check('pay', { to: 'cu-ann' })
  expect(paid.effect).toBe('allow')
  expect(place.lines.filter((line) => /payload key/i.test(line))).toEqual([])
  await first.stop()

  const second = await place.start()
  const { id } = new PayloadKey(key)
  expect(place.lines).toContainEqual(
    expect.stringContaining(`PAYLOAD KEY: payloads are sealed under the payload key ${id}`),
  )
  const other = impatientClient(second.url, await place.createKey())
  expect((await other.check('look', {})).effect).toBe('allow')
  await expect(other.check('pay', { to: 'cu-bob' })).rejects.toMatchObject({
    code: 'payload_key_missing',
    recorded: 'no',
  })
})

test('a service with what is no payload key does not start', async () => {
  await expect(place.start({ env: { BAILIWICK_PAYLOAD_KEY: 'secret' } })).rejects.toMatchObject({
    code: 'bad_input',
  })
})
