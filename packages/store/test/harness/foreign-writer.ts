import { randomBytes } from 'node:crypto'
import {
  appendLeaf,
  commitPayload,
  completeRecord,
  encodeFrontier,
  instantText,
  leafHash,
  recordTerms,
  recordText,
  type Instant,
} from '@bailiwick/core'
import pg from 'pg'
import { readHead } from '../../src/head.ts'
import { appendBatch } from '../../src/log/append.ts'
import { Fold } from '../../src/log/fold.ts'
import { emptyMemory } from '../../src/log/memory.ts'
import { inSchema } from '../../src/migrate.ts'
import type { LedgerSite } from './ledger.ts'

/** Another process that writes to a ledger, and holds its head until it is told to go on. */
export interface ForeignWriter {
  /** Resolves once a batch of somebody else waits for the head. */
  batchWaits(): Promise<void>
  /** Appends one record and commits: whoever waits misses the head. */
  append(): Promise<void>
  /** Commits without a record: whoever waits finds the head that was expected. */
  letGo(): Promise<void>
}

/** Takes hold of a ledger's head: batches of others wait from here on. */
export async function foreignWriter(site: LedgerSite, ledger: string): Promise<ForeignWriter> {
  const client = new pg.Client(inSchema(site.database.config))
  await client.connect()
  await client.query('begin')
  await client.query('select 1 from ledger_head where ledger = $1 for update', [ledger])
  return {
    batchWaits: async () => {
      for (;;) {
        const rows = await site.query(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
        if (rows.length > 0) return
      }
    },
    append: async () => {
      await appendOne(client, ledger, site.clock.now())
      await client.query('commit')
      await client.end()
    },
    letGo: async () => {
      await client.query('commit')
      await client.end()
    },
  }
}

async function appendOne(client: pg.Client, ledger: string, now: Instant): Promise<void> {
  const at = instantText(now)
  const head = await readHead(client, ledger)
  const salt = randomBytes(32)
  const body = '{"source":"another process"}'
  const record = completeRecord(
    { kind: 'access', event: 'key_created', subject: 'elsewhere', grants: [] },
    { ledger, index: head.size, at, payload: commitPayload(salt, body) },
  )
  const text = recordText(record)
  const leaf = leafHash(text)
  const batch = {
    ledger,
    size: head.size,
    base: encodeFrontier(head),
    frontier: encodeFrontier(appendLeaf(head, leaf)),
    at,
    count: 1,
    records: text,
    leafHashes: leaf,
    bodies: body,
    salts: salt,
    terms: recordTerms(record),
    keys: [],
    rows: new Fold(emptyMemory()).rows(() => 'pending'),
  }
  await appendBatch(client, batch, new Set())
}
