import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { failuresInRowMax, pauseMs, requestsAtOnceMax, waitingMax } from '../../src/lookup/limits.ts'
import { eventually } from '../harness/eventually.ts'
import { allowing, httpNeed, lookupsFor, only, Servers } from './needs.ts'

const servers = new Servers()
afterEach(() => servers.stop())

const json = { 'content-type': 'application/json' }

/** A source that counts its requests and answers with their number. */
async function counting() {
  const state = { calls: 0, now: 1_000_000, status: 200 }
  const origin = await servers.start((_request, response) => {
    state.calls += 1
    response.writeHead(state.status, json).end(JSON.stringify({ call: state.calls, tier: 'gold' }))
  })
  const lookups = lookupsFor(allowing(origin), { now: () => state.now })
  const ask = (over: Parameters<typeof httpNeed>[1] = {}, path = '/customers/7') =>
    only(lookups, httpNeed(`${origin}${path}`, { select: ['call'], ...over }))
  return { state, origin, lookups, ask }
}

const value = (found: number) => ({ kind: 'value', value: found })

describe('an answer', () => {
  test('is used again as long as the policy says, counted from when it was asked for', async () => {
    const { state, ask } = await counting()
    expect(await ask({ cacheMs: 60 })).toEqual(value(1))
    state.now += 59
    expect(await ask({ cacheMs: 60 })).toEqual(value(1))
    state.now += 1
    expect(await ask({ cacheMs: 60 })).toEqual(value(2))
    state.now += 59
    expect(await ask({ cacheMs: 60 })).toEqual(value(2))
  })

  test('is not used again by a fact that asks for fresh ones', async () => {
    const { ask } = await counting()
    expect(await ask({ cacheMs: 60 })).toEqual(value(1))
    expect(await ask({ cacheMs: 0 })).toEqual(value(2))
    expect(await ask({ cacheMs: 60 })).toEqual(value(1))
  })

  test('is never used again after an hour, whatever the policy says', async () => {
    const { state, ask } = await counting()
    expect(await ask({ cacheMs: 86_400_000 })).toEqual(value(1))
    state.now += 3_599_999
    expect(await ask({ cacheMs: 86_400_000 })).toEqual(value(1))
    state.now += 1
    expect(await ask({ cacheMs: 86_400_000 })).toEqual(value(2))
  })

  test('to another question is not used, however alike', async () => {
    const { ask } = await counting()
    const paths = ['/customers/7', '/customers/8', '/customers/7?a', '/customers/7/', '/customers/%37']
    const found = []
    for (const path of paths) found.push(await ask({ cacheMs: 60 }, path))
    expect(found).toEqual(paths.map((_, at) => value(at + 1)))
  })

  test('that failed is not kept: the next call asks again', async () => {
    const { state, ask } = await counting()
    for (const status of [404, 503]) {
      state.status = status
      expect(await ask({ cacheMs: 60 })).toMatchObject({ kind: 'failed' })
    }
    state.status = 200
    expect(await ask({ cacheMs: 60 })).toEqual(value(3))
  })

  test('is shared by the facts of one call, also where it is not kept', async () => {
    const { origin, lookups, state } = await counting()
    const gather = () =>
      lookups.gather([
        httpNeed(`${origin}/customers/7`, { fact: 'call', select: ['call'] }),
        httpNeed(`${origin}/customers/7`, { fact: 'tier', select: ['tier'] }),
      ])
    expect([...(await gather()).values()]).toEqual([value(1), { kind: 'value', value: 'gold' }])
    expect([...(await gather()).values()]).toEqual([value(2), { kind: 'value', value: 'gold' }])
    expect(state.calls).toBe(2)
  })

  test('that is shared cannot be changed by one who has it', async () => {
    const { origin, lookups } = await counting()
    const found = await only(lookups, httpNeed(`${origin}/`, { cacheMs: 60 }))
    expect(found?.kind === 'value' && Object.isFrozen(found.value)).toBe(true)
  })
})

describe('calls that ask the same at the same time', () => {
  /** A source that answers when it is told to. */
  async function holding() {
    const held: ServerResponse[] = []
    const origin = await servers.start((_request, response) => {
      held.push(response)
    })
    const clock = { now: 0 }
    const lookups = lookupsFor(allowing(origin), { now: () => clock.now })
    const waiting = (count: number) =>
      eventually(`${count} requests`, async () => (held.length >= count ? held : undefined))
    return { origin, lookups, held, waiting, clock }
  }

  test('share one request, where answers may be used again', async () => {
    const { origin, lookups, held, waiting } = await holding()
    const asked = Array.from({ length: 50 }, () => only(lookups, httpNeed(`${origin}/a`, { cacheMs: 60 })))
    await waiting(1)
    held[0]?.writeHead(200, json).end('"gold"')
    expect(new Set((await Promise.all(asked)).map((found) => JSON.stringify(found)))).toEqual(
      new Set(['{"kind":"value","value":"gold"}']),
    )
    expect(held).toHaveLength(1)
  })

  test('share its failure too, and the next call asks anew', async () => {
    const { origin, lookups, held, waiting } = await holding()
    const need = httpNeed(`${origin}/a`, { cacheMs: 60 })
    const asked = [only(lookups, need), only(lookups, need)]
    await waiting(1)
    held[0]?.writeHead(503, json).end()
    for (const found of await Promise.all(asked)) expect(found).toMatchObject({ kind: 'failed' })
    const again = only(lookups, need)
    await waiting(2)
    held[1]?.writeHead(200, json).end('"gold"')
    expect(await again).toEqual({ kind: 'value', value: 'gold' })
  })

  test('ask each for itself, where every answer has to be fresh', async () => {
    const { origin, lookups, held, waiting } = await holding()
    const asked = [1, 2, 3].map(() => only(lookups, httpNeed(`${origin}/a`)))
    await waiting(3)
    for (const response of held) response.writeHead(200, json).end('"gold"')
    await Promise.all(asked)
    expect(held).toHaveLength(3)
  })

  test('do not share one that began longer ago than an answer may be old, or than nothing may be', async () => {
    const { origin, lookups, held, waiting, clock } = await holding()
    const need = httpNeed(`${origin}/a`, { cacheMs: 60 })
    const asked = [only(lookups, need)]
    await waiting(1)
    clock.now += 59
    asked.push(only(lookups, need), only(lookups, { ...need, cacheMs: 0 }))
    await waiting(2)
    clock.now += 1
    asked.push(only(lookups, need))
    await waiting(3)
    for (const [at, response] of held.entries()) response.writeHead(200, json).end(String(at))
    const found = (await Promise.all(asked)).map((result) => result?.kind === 'value' && result.value)
    expect(found).toEqual([0, 0, 1, 2])
  })

  test('wait no longer than their own policy says', async () => {
    const { origin, lookups, held, waiting } = await holding()
    const patient = only(lookups, httpNeed(`${origin}/a`, { cacheMs: 60 }))
    await waiting(1)
    const impatient = await only(lookups, httpNeed(`${origin}/a`, { cacheMs: 60, timeoutMs: 30 }))
    expect(impatient).toMatchObject({ kind: 'failed' })
    held[0]?.writeHead(200, json).end('"gold"')
    expect(await patient).toEqual({ kind: 'value', value: 'gold' })
  })

  test('are too many at some point, and fail at once', async () => {
    const { origin, lookups, held, waiting } = await holding()
    const ask = (at: number) => only(lookups, httpNeed(`${origin}/${at}`))
    const allowed = Array.from({ length: requestsAtOnceMax + waitingMax }, (_, at) => ask(at))
    await waiting(requestsAtOnceMax)
    const { host } = new URL(origin)
    expect(await ask(-1)).toEqual({ kind: 'failed', why: `${host} has too many lookups waiting` })
    expect(held).toHaveLength(requestsAtOnceMax)
    for (let at = 0; at < allowed.length; at++) {
      const responses = await waiting(at + 1)
      responses[at]?.writeHead(200, json).end(String(at))
    }
    expect((await Promise.all(allowed)).every((found) => found?.kind === 'value')).toBe(true)
  })
})

describe('a source that fails', () => {
  test('is left alone after several failures in a row, and asked again by one after a pause', async () => {
    const { state, origin, ask } = await counting()
    const { host } = new URL(origin)
    state.status = 503
    for (let at = 0; at < failuresInRowMax; at++) {
      expect(await ask()).toEqual({ kind: 'failed', why: `${host} answered with status 503` })
    }
    const why = `${host} is not asked for a moment, because it failed several times in a row`
    expect(await ask()).toEqual({ kind: 'failed', why })
    expect(state.calls).toBe(failuresInRowMax)

    state.now += pauseMs
    expect(await ask()).toEqual({ kind: 'failed', why: `${host} answered with status 503` })
    expect(await ask()).toEqual({ kind: 'failed', why })

    state.now += pauseMs
    state.status = 200
    expect(await ask()).toEqual(value(failuresInRowMax + 2))
    expect(await ask()).toEqual(value(failuresInRowMax + 3))
  })

  test('does not count where only the question was bad: no agent can shut a source off with made-up ids', async () => {
    const { state, ask } = await counting()
    state.status = 404
    for (let at = 0; at < 3 * failuresInRowMax; at++) expect(await ask()).toMatchObject({ kind: 'failed' })
    state.status = 200
    for (let at = 0; at < 3 * failuresInRowMax; at++) await ask({ select: ['absent'] })
    expect(await ask()).toEqual(value(6 * failuresInRowMax + 1))
  })

  test('keeps no other source from being asked', async () => {
    const [well, unwell] = [await counting(), await counting()]
    unwell.state.status = 500
    const lookups = lookupsFor(allowing(well.origin, unwell.origin))
    for (let at = 0; at < 2 * failuresInRowMax; at++) await only(lookups, httpNeed(`${unwell.origin}/`))
    expect(unwell.state.calls).toBe(failuresInRowMax)
    expect(await only(lookups, httpNeed(`${well.origin}/`, { select: ['call'] }))).toEqual(value(1))
  })

  test('still gives what it said before, for as long as that may be used', async () => {
    const { state, ask } = await counting()
    expect(await ask({ cacheMs: 60_000 })).toEqual(value(1))
    state.status = 500
    for (let at = 0; at < failuresInRowMax; at++) await ask()
    expect(await ask()).toMatchObject({ kind: 'failed' })
    expect(await ask({ cacheMs: 60_000 })).toEqual(value(1))
  })
})

test('gathering never rejects, not even where a part of it breaks', async () => {
  const origin = await servers.startAnswering('gold')
  const lookups = lookupsFor(allowing(origin), {
    now: () => {
      throw new Error('s3cret')
    },
  })
  const found = await lookups.gather([httpNeed(`${origin}/`)])
  expect([...found]).toEqual([['tier', { kind: 'failed', why: 'the lookup broke off inside the service' }]])
  expect((await lookups.gather([])).size).toBe(0)
})
