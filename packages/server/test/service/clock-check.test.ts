import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { testDatabase, type TestDatabase } from '../../../store/test/harness/postgres.ts'
import { clockAheadMsMax, refuseClockAhead } from '../../src/clock-check.ts'
import { refundPolicy } from '../channels/policy.ts'
import { ServicePlace } from '../harness/service.ts'

const hour = 3_600_000

describe('a clock beside the database’s', () => {
  let database: TestDatabase
  let pool: pg.Pool
  beforeAll(async () => {
    database = await testDatabase()
    pool = new pg.Pool({ ...database.config, max: 1 })
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })

  test('is refused where it is ahead by more than is allowed, in words', async () => {
    await expect(refuseClockAhead(pool, () => Date.now() + hour)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/^this machine's clock is (1 hour|59 minutes)/),
    })
    await expect(refuseClockAhead(pool, () => Date.now() + clockAheadMsMax + 10_000)).rejects.toThrow('ahead')
  })

  test('is good where it is right, a little ahead, or behind, which only denies early', async () => {
    for (const offMs of [0, clockAheadMsMax - 10_000, -hour]) {
      await refuseClockAhead(pool, () => Date.now() + offMs)
    }
  })
})

test('no service starts whose clock is an hour ahead of the database’s: it would give people and agents longer than their policies say', async () => {
  const place = await ServicePlace.onServer({ text: refundPolicy() })
  const real = Date.now.bind(Date)
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => real() + hour)
  try {
    await expect(place.start()).rejects.toMatchObject({ code: 'conflict' })
  } finally {
    clock.mockRestore()
  }
  const service = await place.start()
  await service.stop()
  await place.remove()
})
