import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Ledger } from '../../src/ledger.ts'
import { inSchema } from '../../src/migrate.ts'
import type { Instant } from '@bailiwick/core'
import { foldedTables, readStored, storedParts, type StoredPart } from '../../src/verify/stored-facts.ts'
import { describeOnOnePostgres } from '../harness/postgres.ts'
import { agent, ledgerSite, refund, type LedgerSite } from '../harness/ledger.ts'

const calls = 700

describeOnOnePostgres('G5: a folded table that is read in parts', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  let client: pg.Client

  beforeAll(async () => {
    site = await ledgerSite(postgres)
    ledger = await site.open()
    await Promise.all(
      Array.from({ length: calls }, (_, at) => ledger.decide(agent, refund(at, { callId: `call-${at}` }))),
    )
    client = new pg.Client(inSchema(site.database.config))
    await client.connect()
    await client.query('begin transaction isolation level repeatable read read only')
  })
  afterAll(async () => {
    await client.end()
    await ledger.close()
    await site.remove()
  })

  const read = async (part: StoredPart): Promise<string[]> => {
    const facts: string[] = []
    const length = 24
    const hand = (some: Uint8Array): void => {
      for (let at = 0; at < some.length; at += length) {
        facts.push(Buffer.from(some.subarray(at, at + length)).toString('hex'))
      }
    }
    const how = { secret: 'secret', now: Date.now() as Instant, floor: 0, hand }
    expect(await readStored(client, ledger.name, part, how)).toBe(true)
    return facts
  }

  test('gives each of its rows once, however small the parts are', async () => {
    const [whole] = (await storedParts(client)).filter(({ table }) => table === 'call')
    expect(whole).toEqual({ table: 'call', from: 0, below: Infinity })
    const all = await read(whole as StoredPart)
    expect(all).toHaveLength(calls)
    for (const step of [1, 2, 3]) {
      const parts = (await storedParts(client, step)).filter(({ table }) => table === 'call')
      expect(parts.length).toBeGreaterThan(1)
      const pieces: string[][] = []
      for (const part of parts) pieces.push(await read(part))
      expect(pieces.every((piece) => piece.length < calls)).toBe(true)
      expect(pieces.flat().toSorted()).toEqual(all.toSorted())
    }
  })

  test('ends with a part that has no end, for what is written meanwhile', async () => {
    const parts = (await storedParts(client, 1)).filter(({ table }) => table === 'call')
    for (const [nth, { from, below }] of parts.entries()) {
      expect(from).toBe(nth)
      expect(below).toBe(nth + 1 < parts.length ? nth + 1 : Infinity)
    }
  })

  test('is one part where it is empty, or not there', async () => {
    await client.query('rollback')
    await client.query('begin')
    await client.query('alter table vote rename to vote_elsewhere')
    const parts = await storedParts(client, 1)
    expect(parts.filter(({ table }) => table === 'vote')).toHaveLength(1)
    expect(new Set(parts.map(({ table }) => table))).toEqual(new Set(foldedTables))
    await client.query('rollback')
    await client.query('begin transaction isolation level repeatable read read only')
  })
})
