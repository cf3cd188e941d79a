import { expect, test } from 'vitest'
import type { Decision, DecisionPage } from '../src/api.ts'
import { DecisionFeed } from '../src/decision-feed.ts'

function decision(index: number, outcome: Decision['outcome'] = null): Decision {
  return {
    id: `dec_${index}`,
    effect: 'allow',
    reasons: [],
    rules: [],
    policy: null,
    record: { index },
    approval: null,
    agent: 'a',
    action: 'b',
    callId: null,
    session: null,
    obligations: null,
    standing: null,
    shadow: null,
    at: '2026-01-01T00:00:00.000Z',
    params: {},
    context: {},
    erased: null,
    sealed: null,
    masked: null,
    units: null,
    outcome,
  }
}

function page(from: number, to: number, next: number | null = to): DecisionPage {
  const decisions = Array.from({ length: from - to + 1 }, (_, at) => decision(from - at))
  return { decisions, next, archived: null }
}

const indices = (feed: DecisionFeed) => feed.state().rows?.map(({ record }) => record.index)

test('older decisions follow on the newest, without a gap and each once', () => {
  const feed = new DecisionFeed()
  feed.takeNewest(page(100, 91), false)
  feed.takeOlder(page(90, 81))
  feed.takeOlder(page(80, 71, null))
  expect(indices(feed)).toEqual(Array.from({ length: 30 }, (_, at) => 100 - at))
  expect(feed.state().next).toBeNull()
  feed.takeOlder(page(80, 71, null))
  expect(indices(feed)).toHaveLength(30)
})

test('newer ones are put on top, and what is known stays', () => {
  const feed = new DecisionFeed()
  feed.takeNewest(page(100, 91), false)
  feed.takeOlder(page(90, 81))
  feed.takeNewest(page(103, 94), false)
  expect(indices(feed)?.[0]).toBe(103)
  expect(indices(feed)).toHaveLength(23)
  expect(feed.state().next).toBe(81)
})

test('more that is new than one page holds begins the list anew, rather than leave something out', () => {
  const feed = new DecisionFeed()
  feed.takeNewest(page(100, 91), false)
  feed.takeNewest(page(200, 191), false)
  expect(indices(feed)).toEqual(Array.from({ length: 10 }, (_, at) => 200 - at))
  expect(feed.state().next).toBe(191)
})

test('while somebody reads further down, new ones are counted and not shown, and outcomes are', () => {
  const feed = new DecisionFeed()
  feed.takeNewest(page(100, 91), false)
  const outcome = { status: 'succeeded', at: '2026-01-01T00:00:01.000Z', detail: null } as const
  const news = { decisions: [decision(101), decision(100, outcome)], next: 100, archived: null }
  feed.takeNewest(news, true)
  expect(feed.state().fresh).toBe(1)
  expect(indices(feed)?.[0]).toBe(100)
  expect(feed.state().rows?.[0]?.outcome).toEqual(outcome)
  feed.takeNewest(news, false)
  expect(feed.state().fresh).toBe(0)
  expect(indices(feed)?.[0]).toBe(101)
})

test('what has become of those on screen is renewed wherever they are, and listeners hear of it', () => {
  const feed = new DecisionFeed()
  feed.takeNewest(page(100, 91), false)
  feed.takeOlder(page(90, 81))
  let told = 0
  const stop = feed.subscribe(() => told++)
  const outcome = { status: 'failed', at: '2026-01-01T00:00:01.000Z', detail: null } as const
  feed.takeAgain({ decisions: [decision(88, outcome), decision(7, outcome)], next: null, archived: null })
  expect(feed.state().rows?.find(({ record }) => record.index === 88)?.outcome).toEqual(outcome)
  expect(indices(feed)).toHaveLength(20)
  expect(told).toBe(1)
  stop()
  feed.takeAgain(page(88, 88))
  expect(told).toBe(1)
})

test('no params are kept: a hundred thousand of them would fill the memory', () => {
  const feed = new DecisionFeed()
  feed.takeNewest(page(1, 1), false)
  expect(feed.state().rows?.[0]).not.toHaveProperty('params')
  expect(feed.state().rows?.[0]).not.toHaveProperty('context')
})

test('a list whose older part is archived says so at its end, and not before', () => {
  const feed = new DecisionFeed()
  feed.takeNewest(page(100, 91), false)
  expect(feed.state().archived).toBe(false)
  feed.takeOlder({ ...page(90, 81, null), archived: true })
  expect(feed.state()).toMatchObject({ next: null, archived: true })
  feed.takeNewest(page(101, 92), false)
  expect(feed.state().archived).toBe(true)
})
