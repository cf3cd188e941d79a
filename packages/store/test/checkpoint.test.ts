import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  createLogKey,
  encodeFrontier,
  frontierRoot,
  leafHash,
  loadLogKey,
  openCheckpoint,
  signCheckpoint,
} from '@bailiwick/core'
import type { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { cutTail as cutTailOf, recomputeHead } from './harness/rewriting.ts'
import {
  agent,
  faultOf,
  ledgerSite,
  policiesOf,
  refund,
  supportPolicy,
  type LedgerSite,
} from './harness/ledger.ts'

describeOnOnePostgres('a published checkpoint', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  async function published(calls = 10): Promise<Ledger> {
    const ledger = await site.open()
    for (let at = 0; at < calls; at++) await ledger.decide(agent, refund(at))
    await ledger.checkpoint()
    return ledger
  }
  const file = (ledger: Ledger) => join(site.dataDir, 'checkpoints', `${ledger.name}.checkpoint`)

  const cutTail = (ledger: Ledger, from: number) => cutTailOf(site, ledger.name, from)
  /** Rewrites one record with its hash and its payload, and the head with it. */
  async function rewrite(ledger: Ledger, index: number): Promise<void> {
    const [row] = await site.query<{ record: string }>(
      'select record from log_entry where ledger = $1 and index = $2',
      [ledger.name, index],
    )
    const record = row?.record.replace('Action approved', 'Action Approved') ?? ''
    await site.query('update log_batch set records = $3, leaf_hashes = $4 where ledger = $1 and first = $2', [
      ledger.name,
      index,
      record,
      leafHash(record),
    ])
    await recomputeHead(site, ledger.name)
  }

  test('is a signed note of the committed head, and is the same until something is recorded', async () => {
    const ledger = await published()
    const note = await ledger.checkpoint()
    expect(openCheckpoint(note, [ledger.checkpoints.verifierKey])).toEqual({
      origin: `bailiwick.local/${ledger.name}`,
      size: 11,
      root: frontierRoot(await ledger.head()),
    })
    expect(await ledger.checkpoint()).toBe(note)
    expect(await readFile(file(ledger), 'utf8')).toBe(note)
    await ledger.decide(agent, refund(1))
    expect(await ledger.checkpoint()).not.toBe(note)
  })

  describe('G5: finds', () => {
    test.each([0, 1, 5, 10])(
      'a tail that was cut off from record %d on, with the head rewound',
      async (from) => {
        const ledger = await published()
        await cutTail(ledger, from)
        expect(await ledger.verify()).toMatchObject({ kind: 'broken', index: from })
      },
    )

    test('a record that was rewritten together with its hash and the head', async () => {
      const ledger = await published()
      await rewrite(ledger, 4)
      expect(await ledger.verify()).toMatchObject({
        kind: 'broken',
        problem: expect.stringContaining('rewritten'),
      })
    })

    test('a cut-off tail that was filled up again with other records', async () => {
      const ledger = await published()
      await cutTail(ledger, 8)
      const other = await site.open(undefined, 'forge')
      for (let at = 0; at < 12; at++) await other.decide(agent, refund(7))
      await site.query(
        `with copied as (
          insert into log_batch select $1, first, at, leaf_hashes, records, salts, bodies, erased from log_batch
          where ledger = 'forge' and first >= 8
        )
        insert into log_term select $1, term, first, at from log_term where ledger = 'forge' and first >= 8`,
        [ledger.name],
      )
      await recomputeHead(site, ledger.name)
      expect(await ledger.verify()).toMatchObject({ kind: 'broken', index: 8 })
    })
  })

  describe('that is not this log’s makes the log broken, and the ledger refuses to open:', () => {
    async function expectRefused(ledger: Ledger): Promise<void> {
      const problem = expect.stringContaining(file(ledger))
      expect(await ledger.verify()).toMatchObject({ kind: 'broken', index: null, problem })
      expect(await faultOf(site.open(undefined, ledger.name))).toMatchObject({
        code: 'log_broken',
        message: problem,
      })
    }

    test('one with another size', async () => {
      const ledger = await published()
      await writeFile(file(ledger), (await readFile(file(ledger), 'utf8')).replace('\n11\n', '\n10\n'))
      await expectRefused(ledger)
    })

    test('one that another key has signed', async () => {
      const ledger = await published()
      const origin = ledger.checkpoints.origin
      const { signer } = loadLogKey(origin, createLogKey(origin).privateKeyPem)
      const head = await ledger.head()
      await writeFile(
        file(ledger),
        signCheckpoint({ origin, size: head.size, root: frontierRoot(head) }, signer),
      )
      await expectRefused(ledger)
    })

    test('one of another ledger', async () => {
      const [ledger, other] = [await published(), await published()]
      await writeFile(file(ledger), await readFile(file(other), 'utf8'))
      await expectRefused(ledger)
    })

    test('an empty one', async () => {
      const ledger = await published()
      await writeFile(file(ledger), '')
      await expectRefused(ledger)
    })
  })

  describe('G6: is never contradicted:', () => {
    test('a database that is behind it is not opened', async () => {
      const ledger = await published()
      await ledger.close()
      await cutTail(ledger, 6)
      const size = await site.query('select size from ledger_head where ledger = $1', [ledger.name])
      expect((await faultOf(site.open(undefined, ledger.name))).code).toBe('log_broken')
      expect(await site.query('select size from ledger_head where ledger = $1', [ledger.name])).toEqual(size)
    })

    test('a database that is just as long but has other records is not opened', async () => {
      const ledger = await published()
      await ledger.close()
      await rewrite(ledger, 4)
      expect((await faultOf(site.open(undefined, ledger.name))).code).toBe('log_broken')
    })

    test.each(['kept', 'lost', 'forged'])(
      'a database that was rewritten and then grew is not opened, its kept frontier being %s',
      async (frontier) => {
        const ledger = await published()
        await ledger.decide(agent, refund(11))
        const kept = file(ledger).replace('.checkpoint', '.frontier')
        if (frontier === 'lost') await rm(kept)
        // What was not rewritten opens, whether the frontier was kept or not.
        const opened = await site.open(undefined, ledger.name)
        expect((await opened.head()).size).toBe(12)
        await rewrite(ledger, 4)
        const head = await ledger.head()
        if (frontier === 'forged') await writeFile(kept, `11\n${encodeFrontier(head).toString('hex')}\n`)
        expect((await faultOf(site.open(undefined, ledger.name))).code).toBe('log_broken')
        expect(await ledger.head()).toEqual(head)
      },
    )

    test('a database that is rewound while the service runs gets no more records', async () => {
      const ledger = await published()
      await cutTail(ledger, 6)
      expect((await faultOf(ledger.decide(agent, refund(1)))).code).toBe('log_broken')
      expect((await faultOf(ledger.decide(agent, refund(1)))).code).toBe('log_broken')
      expect((await ledger.head()).size).toBe(6)
    })

    test('a database that is rewritten while the service runs gets no other checkpoint', async () => {
      const ledger = await published()
      const note = await readFile(file(ledger), 'utf8')
      const other = await site.open(undefined, ledger.name)
      await rewrite(ledger, 4)
      expect((await faultOf(ledger.checkpoint())).code).toBe('log_broken')
      expect((await faultOf(ledger.decide(agent, refund(1)))).code).toBe('log_broken')
      expect((await faultOf(other.checkpoint())).code).toBe('log_broken')
      expect(await readFile(file(ledger), 'utf8')).toBe(note)
    })

    test('two processes that publish at once leave a checkpoint that the log contains', async () => {
      const one = await published()
      const two = await site.open(undefined, one.name)
      const work = async (ledger: Ledger) => {
        for (let at = 0; at < 10; at++) {
          await ledger.decide(agent, refund(at))
          await ledger.checkpoint()
        }
      }
      await Promise.all([work(one), work(two), work(one)])
      expect(await one.verify()).toMatchObject({ kind: 'intact', size: 41 })
      expect((await one.checkpoints.published())?.size).toBeGreaterThan(30)
    })
  })

  test('that is gone leaves a log that verifies by itself, and says that nothing was compared', async () => {
    const ledger = await published()
    await rm(file(ledger))
    const result = await ledger.verify()
    expect(result.kind).toBe('intact')
    expect(result).not.toHaveProperty('checkpoint')
  })

  test('and the log verify at every moment while records are appended', async () => {
    const ledger = await published()
    let done = false
    const appending = Promise.all(
      Array.from({ length: 20 }, async (_, caller) => {
        for (let at = 0; at < 10; at++) await ledger.decide(agent, refund(caller))
      }),
    ).finally(() => (done = true))
    do {
      await ledger.checkpoint()
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    } while (!done)
    await appending
    expect(await ledger.verify()).toMatchObject({ kind: 'intact', size: 211 })
  })

  test('a restart with the same policies adds nothing to the log, and a changed policy is recorded', async () => {
    const ledger = await published(0)
    const head = await ledger.head()
    const again = await site.open(undefined, ledger.name)
    expect(await again.head()).toEqual(head)
    const changed = await site.open(policiesOf(supportPolicy('version: 2')), ledger.name)
    expect((await changed.head()).size).toBe(head.size + 1)
    expect(await changed.verify()).toMatchObject({ kind: 'intact' })
  })
})
