import { Ledger } from '@bailiwick/store'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { impatientClient, ServicePlace, signIn } from '../harness/service.ts'

let place: ServicePlace

beforeEach(async () => {
  place = await ServicePlace.onServer()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await place.remove()
})

/** The address that the ledger's sequencer has written down, once it is none of `not`. */
async function sequencerUrl(not: string[] = []): Promise<string> {
  const client = new pg.Client(place.databaseUrl)
  await client.connect()
  try {
    return await eventually('a sequencer', async () => {
      const { rows } = await client.query<{ url: string | null }>('select url from bailiwick.sequencer')
      const url = rows[0]?.url
      return url !== null && url !== undefined && !not.includes(url) ? url : undefined
    })
  } finally {
    await client.end()
  }
}

describe('two services on one database, set up alike', () => {
  test('find each other: one writes what both are asked, and people and agents may use either', async () => {
    const asked = vi.spyOn(Ledger.prototype, 'answerPeer')
    const first = await place.start()
    const second = await place.start()
    expect(await sequencerUrl()).toBe(first.url)
    const key = await place.createKey()
    const clients = [first, second].map(({ url }) => impatientClient(url, key))
    await eventually('a call that was sent on', async () => {
      for (const client of clients)
        expect((await client.check('issue_refund', { amount: 1 })).effect).toBe('allow')
      return asked.mock.calls.length > 0
    })

    const person = await signIn(first.signInUrl ?? '')
    const governed = clients[0]?.govern('issue_refund', { amount: 600 }, () => 'refunded')
    const waiting = await person.at(second.url).oneWaiting()
    expect(await person.at(second.url).vote(waiting.id, 'approve')).toBe(201)
    expect(await governed).toMatchObject({ kind: 'ran', result: 'refunded' })
  })

  test('go on where one is stopped', async () => {
    const first = await place.start()
    const second = await place.start()
    const client = impatientClient(second.url, await place.createKey())
    expect(await sequencerUrl()).toBe(first.url)
    await first.stop()
    expect((await client.check('issue_refund', { amount: 1 })).effect).toBe('allow')
    expect(await sequencerUrl([first.url])).toBe(second.url)
    expect((await client.check('issue_refund', { amount: 1 })).effect).toBe('allow')
    expect(place.lines).toEqual([])
  })

  test('write each by itself where that is set', async () => {
    const asked = vi.spyOn(Ledger.prototype, 'answerPeer')
    const env = { BAILIWICK_PEER_URL: 'off' }
    const services = [await place.start({ env }), await place.start({ env })]
    const key = await place.createKey()
    for (const { url } of services) {
      expect((await impatientClient(url, key).check('issue_refund', { amount: 1 })).effect).toBe('allow')
    }
    expect(asked).not.toHaveBeenCalled()
  })
})

describe('the address where a service takes what others send', () => {
  test('says nothing to whoever does not prove to be one of them', async () => {
    const { url } = await place.start()
    const key = await place.createKey()
    await sequencerUrl()
    for (const authorization of [
      '',
      `Bearer ${key}`,
      `BailiwickPeer ${'0'.repeat(36)}.${'0'.repeat(36)}.1.${'0'.repeat(64)}`,
    ]) {
      const response = await fetch(`${url}/internal/v1/operations`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: '{"version":1,"operations":[]}',
      })
      expect([response.status, await response.text()]).toEqual([401, ''])
    }
    expect((await fetch(`${url}/internal/v1/operations`)).status).toBe(405)
  })

  test('is refused before anything starts where it is none', async () => {
    await expect(place.start({ env: { BAILIWICK_PEER_URL: 'somewhere' } })).rejects.toThrow(
      '`BAILIWICK_PEER_URL` is no address of a service',
    )
  })
})
