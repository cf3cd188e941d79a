import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Ledger } from '../src/ledger.ts'
import { agent, escalated, ledgerSite, refund, type LedgerSite } from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'

/** What is exchanged between a batch of one ledger and a batch of the other. */
const columns = {
  batch: ['at', 'leaf_hashes', 'records', 'salts', 'bodies', 'erased'],
  record: ['leaf_hashes', 'records'],
  payload: ['salts', 'bodies'],
  salt: ['salts'],
  hash: ['leaf_hashes'],
} as const
type Exchanged = keyof typeof columns

describeOnOnePostgres('G5: of two ledgers in one database', (postgres) => {
  let site: LedgerSite
  let left: Ledger
  let right: Ledger
  let size: number
  beforeAll(async () => {
    site = await ledgerSite(postgres)
    left = await site.open()
    right = await site.open()
    // The same calls in both, and others: what changes places may be as alike as can be.
    for (const ledger of [left, right]) {
      await ledger.note({ kind: 'access', event: 'key_created', subject: 'k', grants: [agent] })
      for (let at = 0; at < 4; at++) {
        const { id } = await ledger.decide(agent, refund(at))
        site.clock.advance(1)
        await ledger.decide(agent, { action: at % 2 ? 'delete_account' : 'apply_discount', params: { at } })
        await escalated(ledger)
        await ledger.reportOutcome(agent, id, { status: 'succeeded', detail: `paid ${at}` })
      }
      await ledger.checkpoint()
    }
    size = (await left.head()).size
    expect((await right.head()).size).toBe(size)
    await site.query(
      `create table saved_batch as table log_batch; create table saved_term as table log_term;
      create table saved_head as table ledger_head`,
    )
  })
  afterEach(restore)
  afterAll(() => site.remove())

  async function restore(): Promise<void> {
    await site.query(
      `truncate log_batch, log_term, ledger_head; insert into log_batch table saved_batch;
      insert into log_term table saved_term; insert into ledger_head table saved_head`,
    )
  }
  const fingerprint = async () =>
    await site.query(
      `select md5(string_agg(b::text, '' order by ledger, first)) as batches,
        (select md5(string_agg(t::text, '' order by ledger, first, term)) from log_term t) as terms from log_batch b`,
    )

  async function exchange(what: Exchanged | 'terms', ours: number, theirs: number): Promise<void> {
    const values = [left.name, ours, right.name, theirs]
    if (what === 'terms') {
      // One after the other: the same term at the same instant may stand in both.
      const move = 'update log_term set ledger = $1, first = $2 where ledger = $3 and first = $4'
      await site.query(move, ['aside', ours, left.name, ours])
      await site.query(move, [left.name, ours, right.name, theirs])
      await site.query(move, [right.name, theirs, 'aside', ours])
      return
    }
    const set = columns[what].map((column) => `${column} = y.${column}`).join(', ')
    await site.query(
      `update log_batch x set ${set} from log_batch y
      where (x.ledger = $1 and x.first = $2 and y.ledger = $3 and y.first = $4)
        or (x.ledger = $3 and x.first = $4 and y.ledger = $1 and y.first = $2)`,
      values,
    )
  }

  /** Whether the record of that index, the same in both, has a payload. */
  const commits = (place: number) => place !== 1
  const index = fc.nat(17)
  const what = fc.constantFrom(...(Object.keys(columns) as Exchanged[]), 'terms' as const)

  test('verification names, in each, whatever batch, record, hash, payload, salt or terms changed places with the other’s', async () => {
    expect(size).toBe(18)
    const untouched = await fingerprint()
    await fc.assert(
      fc.asyncProperty(what, index, index, async (exchanged, ours, theirs) => {
        await exchange(exchanged, ours, theirs)
        try {
          // The same calls have the same terms.
          fc.pre(JSON.stringify(await fingerprint()) !== JSON.stringify(untouched))
          // By the format, the salt of a record without a payload means nothing.
          const isEmpty = exchanged === 'payload' && !commits(ours) && !commits(theirs)
          for (const [ledger, place] of [[left, ours] as const, [right, theirs] as const]) {
            const isMeant = !isEmpty && (exchanged !== 'salt' || commits(place))
            const found = isMeant ? { kind: 'broken', index: place } : { kind: 'intact' }
            expect(await ledger.verify()).toMatchObject(found)
          }
        } finally {
          await restore()
        }
      }),
      {
        numRuns: 40,
        examples: [
          ['batch', 4, 4],
          ['payload', 4, 4],
          ['salt', 4, 4],
          ['terms', 2, 3],
        ],
      },
    )
    for (const ledger of [left, right]) expect(await ledger.verify()).toMatchObject({ kind: 'intact', size })
  })

  test('and a head that changed places with the other’s', async () => {
    await site.query(
      `update ledger_head x set frontier = y.frontier from ledger_head y
      where x.ledger in ($1, $2) and y.ledger in ($1, $2) and x.ledger <> y.ledger`,
      [left.name, right.name],
    )
    for (const ledger of [left, right]) expect(await ledger.verify()).toMatchObject({ kind: 'broken' })
  })
})
