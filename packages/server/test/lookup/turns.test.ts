import { expect, test } from 'vitest'
import { Circuit } from '../../src/lookup/circuit.ts'
import { failuresInRowMax, pauseMs } from '../../src/lookup/limits.ts'
import { Turns } from '../../src/lookup/turns.ts'

const patient = () => new AbortController().signal

test('so many have a turn at once, so many wait in order, and the next one is sent away', async () => {
  const turns = new Turns(2, 2)
  expect(await turns.take(patient())).toBe('taken_at_once')
  expect(await turns.take(patient())).toBe('taken_at_once')
  const order: string[] = []
  const first = turns.take(patient()).then((turn) => order.push(`first ${turn}`))
  const second = turns.take(patient()).then((turn) => order.push(`second ${turn}`))
  expect(await turns.take(patient())).toBe('too_many')
  turns.leave()
  await first
  turns.leave()
  await second
  expect(order).toEqual(['first taken_after_waiting', 'second taken_after_waiting'])
  turns.leave()
  expect(await turns.take(patient())).toBe('taken_at_once')
})

test('who gives up while waiting makes room and takes no turn with it', async () => {
  const turns = new Turns(1, 1)
  const impatient = new AbortController()
  await turns.take(patient())
  const given = turns.take(impatient.signal)
  impatient.abort()
  expect(await given).toBe('given_up')
  const next = turns.take(patient())
  turns.leave()
  expect(await next).toBe('taken_after_waiting')
  turns.leave()
  expect(await turns.take(impatient.signal)).toBe('given_up')
  expect(await turns.take(patient())).toBe('taken_at_once')
})

test('a source that fails often enough in a row is left alone for a while; an answer in between starts anew', () => {
  let now = 0
  const circuit = new Circuit(() => now)
  const fail = (times: number) => {
    for (let time = 0; time < times; time++) circuit.failed()
  }
  fail(failuresInRowMax - 1)
  circuit.answered()
  fail(failuresInRowMax - 1)
  expect(circuit.admits()).toBe(true)
  fail(1)
  expect([circuit.isOpen(), circuit.admits()]).toEqual([true, false])
  now += pauseMs - 1
  expect(circuit.admits()).toBe(false)
  now += 1
  expect(circuit.admits()).toBe(true)
})

test('after the pause one tries for all; what it finds decides', () => {
  let now = 0
  const circuit = new Circuit(() => now)
  for (let time = 0; time < failuresInRowMax; time++) circuit.failed()
  now += pauseMs
  expect([circuit.admits(), circuit.admits(), circuit.isOpen()]).toEqual([true, false, true])
  circuit.failed()
  now += pauseMs - 1
  expect(circuit.admits()).toBe(false)
  now += 1
  expect(circuit.admits()).toBe(true)
  circuit.answered()
  expect([circuit.admits(), circuit.admits()]).toEqual([true, true])
})

test('a clock that is set back makes no pause longer', () => {
  let now = 1_000_000
  const circuit = new Circuit(() => now)
  for (let time = 0; time < failuresInRowMax; time++) circuit.failed()
  now = 0
  expect(circuit.admits()).toBe(true)
})
