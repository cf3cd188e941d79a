import pg from 'pg'
import { expect, test } from 'vitest'
import { inSchema } from '../../src/migrate.ts'
import { beginSnapshot, isLocked, lockedOrAsIs } from '../../src/verify/snapshot.ts'
import { faultOf, ledgerSite } from '../harness/ledger.ts'
import { describeOnOnePostgres } from '../harness/postgres.ts'

describeOnOnePostgres('a snapshot that a log is verified in', (postgres) => {
  test('waits for a table that somebody has locked for some seconds, and says so then', async () => {
    const site = await ledgerSite(postgres)
    const [verifier, locker] = [1, 2].map(() => new pg.Client(inSchema(site.database.config)))
    if (verifier === undefined || locker === undefined) throw new Error('two clients were made')
    await Promise.all([verifier.connect(), locker.connect()])
    await beginSnapshot(verifier)
    const { rows } = await verifier.query<{ lock_timeout: string }>('show lock_timeout')
    expect(rows).toEqual([{ lock_timeout: '10s' }])
    await locker.query('begin; lock table counter_entry in access exclusive mode')
    await verifier.query(`set local lock_timeout = '1ms'`)
    const error: unknown = await verifier.query('select from counter_entry').catch((cause: unknown) => cause)
    expect(isLocked(error)).toBe(true)
    expect(await faultOf(Promise.reject(lockedOrAsIs(error) as Error))).toMatchObject({
      code: 'store_unavailable',
      message: 'somebody else has locked a table of the log',
    })
    const other = new Error('another')
    expect(lockedOrAsIs(other)).toBe(other)
    await Promise.all([verifier.end(), locker.end()])
    await site.remove()
  })
})
