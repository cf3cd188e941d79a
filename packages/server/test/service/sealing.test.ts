import { randomBytes } from 'node:crypto'
import { PayloadKey } from '@bailiwick/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../harness/eventually.ts'
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

const changeSecret = () =>
  place.onLedger(({ pool }) =>
    pool.query(`update ledger_secret set secret = sha256('another') where name = 'subject'`),
  )
const readiness = async (url: string) => await (await fetch(`${url}/readyz`)).json()

test('a service with the payload key does not start where people are found under another secret', async () => {
  await (await place.start({ env })).stop()
  await (await place.start({ env })).stop()
  await changeSecret()
  await expect(place.start({ env })).rejects.toMatchObject({
    code: 'log_broken',
    message: expect.stringContaining('the secret under which people are found is not the one of record'),
  })
  // Without the key nobody can tell.
  await place.start()
})

test('a running service with the payload key halts where that secret is changed', async () => {
  const { url } = await place.start({ env: { ...env, BAILIWICK_SELF_CHECK: '1' } })
  await changeSecret()
  await eventually('the service to halt', () =>
    place.lines.some((line) =>
      line.startsWith('the log is broken, and nothing is decided on it: the secret'),
    ),
  )
  expect(await readiness(url)).toMatchObject({ type: 'urn:bailiwick:problem:log_broken' })
})

test('a running service whose payload key was rotated away says so once, refuses, and says when it need not any more', async () => {
  const running = await place.start({ env })
  const client = impatientClient(running.url, await place.createKey())
  expect((await client.check('pay', { to: 'cu-ann' })).effect).toBe('allow')
  expect(await readiness(running.url)).not.toHaveProperty('payloadKey')

  const [own, next] = [new PayloadKey(key), new PayloadKey(randomBytes(32).toString('hex'))]
  await place.onLedger(({ sealing }) => sealing.rotate(next, 'operator'), own)
  const told = () => place.lines.filter((line) => line.startsWith('PAYLOAD KEY: '))
  await eventually('a line about the payload key', () => told().length > 0)
  expect(told()).toEqual([
    expect.stringContaining(`sealed under the payload key ${next.id}, and this service has ${own.id}`),
  ])
  expect(await readiness(running.url)).toMatchObject({ status: 'ready', payloadKey: 'missing' })
  const refused = { code: 'payload_key_missing', recorded: 'no' }
  await expect(client.check('pay', { to: 'cu-bob' })).rejects.toMatchObject(refused)
  expect((await client.check('look', {})).effect).toBe('allow')

  await place.onLedger(({ sealing }) => sealing.rotate(own, 'operator'), next)
  await eventually('the end of it', () => place.lines.some((line) => line.endsWith('are refused no more')))
  expect(told()).toHaveLength(1)
  expect(await readiness(running.url)).not.toHaveProperty('payloadKey')
  // What was recorded elsewhere is seen with the next record here.
  expect((await client.check('look', {})).effect).toBe('allow')
  expect((await client.check('pay', { to: 'cu-bob' })).effect).toBe('allow')
})

test('a service with what is no payload key does not start', async () => {
  await expect(place.start({ env: { BAILIWICK_PAYLOAD_KEY: 'secret' } })).rejects.toMatchObject({
    code: 'bad_input',
  })
})
