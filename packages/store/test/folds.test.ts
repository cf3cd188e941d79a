import {
  appendLeaf,
  completeRecord,
  encodeFrontier,
  instantText,
  leafHash,
  recordTerms,
  recordText,
  type DecisionId,
  type DecisionRecord,
} from '@bailiwick/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { readHead } from '../src/head.ts'
import type { Ledger } from '../src/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import {
  cast,
  agent,
  decisionRecords,
  escalated,
  knows,
  ledgerSite,
  minute,
  otherAgent,
  policiesOf,
  records,
  refund,
  supportPolicy,
  terms,
  voter,
  type LedgerSite,
} from './harness/ledger.ts'

const approve = { vote: 'approve' } as const
const reject = { vote: 'reject' } as const
const folded = ['approval', 'vote', 'call', 'outcome'] as const
const policies = () =>
  policiesOf(
    terms('{ quorum: 2, deadline: 5m }'),
    supportPolicy(
      String.raw`rules: [{ id: odd, on: apply_discount, effect: deny, condition: 'params.odd', reason: "odd \0 \\u0000 one" }]`,
      otherAgent,
    ),
  )

interface History {
  readonly unanswered: string
  readonly halfway: string
  readonly used: string
  readonly rejected: string
  readonly unused: string
}

/** One of everything that a ledger in use does to its folded tables. */
async function liveThrough(site: LedgerSite, ledger: Ledger): Promise<History> {
  const unanswered = await escalated(ledger)
  const halfway = await escalated(ledger, { callId: 'halfway' })
  const used = await escalated(ledger, { callId: String.raw`"c1":"\"claims":{é😀` })
  const rejected = await escalated(ledger, { callId: 'rejected' })
  const unused = await escalated(ledger, { callId: 'unused' })
  for (const id of [halfway, used, unused]) await cast(ledger, voter('ann'), id, approve)
  for (const id of [used, unused]) await cast(ledger, voter('bob'), id, approve)
  await cast(ledger, voter('bob'), rejected, reject)
  const redeem = refund(600, { callId: String.raw`"c1":"\"claims":{é😀`, approvalId: used })
  const allowed = await ledger.decide(agent, redeem)
  expect(allowed.effect).toBe('allow')
  await ledger.reportOutcome(agent, allowed.id, { status: 'unknown' })
  // Denied attempts: after the use, before enough votes, after the rejection.
  await ledger.decide(agent, redeem)
  await ledger.decide(agent, refund(600, { callId: 'halfway', approvalId: halfway }))
  await ledger.decide(agent, refund(600, { callId: 'rejected', approvalId: rejected }))
  // A call id that is first a denied attempt, then an escalation, belongs to the latter.
  await ledger.decide(agent, refund(601, { callId: 'late', approvalId: 'apr_9999' }))
  await ledger.decide(agent, refund(601, { callId: 'late', approvalId: 'apr_9998' }))
  await ledger.reportOutcome(agent, allowed.id, { status: 'succeeded' })
  for (const callId of ['a', 'b', 'a']) {
    const { id } = await ledger.decide(agent, refund(1, { callId }))
    if (callId === 'b') await ledger.reportOutcome(agent, id, { status: 'failed' })
  }
  await ledger.decide(otherAgent, { action: 'apply_discount', params: { odd: true }, callId: 'a' })
  await ledger.decide(otherAgent, { action: 'delete_account', params: {} })
  site.clock.advance(5 * minute)
  await ledger.decide(agent, refund(600, { callId: 'unused', approvalId: unused }))
  expect(await ledger.expireOverdue()).toBe(3)
  return { unanswered, halfway, used, rejected, unused }
}

describeOnOnePostgres('the folded tables', (postgres) => {
  let site: LedgerSite
  beforeAll(async () => {
    site = await ledgerSite(postgres)
  })
  afterEach(() => site.closeLedgers())
  afterAll(() => site.remove())

  test('say what the log says after everything that a ledger does, step by step', async () => {
    const ledger = await site.open(policies())
    await liveThrough(site, ledger)
    const [reasons] = await site.query<{ count: number }>(
      `select count(*)::int from log_entry where ledger = $1 and record like '%\\\\u0000%'`,
      [ledger.name],
    )
    expect(reasons?.count).toBeGreaterThan(0)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })

  test('say it too where two processes do everything at once, batch by batch', async () => {
    const one = await site.open(policies())
    const two = await site.open(policies(), one.name)
    const both = [one, two] as const
    for (let round = 0; round < 3; round++) {
      const opened = await Promise.all(
        Array.from({ length: 24 }, (_, at) =>
          escalated(both[at % 2] ?? one, { callId: `${round}-${at % 20}` }),
        ),
      )
      const digests = new Map(
        await Promise.all(opened.map(async (id) => [id, (await one.approval(id, {})).digest] as const)),
      )
      const digestOf = (id: string) => digests.get(id) ?? ''
      for (const name of ['ann', 'bob']) await knows(one, voter(name))
      await Promise.allSettled(
        [...opened, ...opened].flatMap((approvalId, at) => [
          one.vote(voter('ann'), approvalId, { ...approve, digest: digestOf(approvalId) }),
          two.vote(voter('bob'), approvalId, {
            ...(at % 5 === 0 ? reject : approve),
            digest: digestOf(approvalId),
          }),
          two.decide(agent, refund(600, { approvalId, callId: `${round}-${at % 20}` })),
          one
            .decide(agent, refund(600, { approvalId }))
            .then(({ id, effect }) =>
              effect === 'allow'
                ? two.reportOutcome(agent, id, { status: at % 2 ? 'unknown' : 'failed' })
                : null,
            ),
        ]),
      )
      expect(await one.verify()).toMatchObject({ kind: 'intact' })
      site.clock.advance(3 * minute)
      await Promise.all([one.expireOverdue(), two.expireOverdue()])
      expect(await two.verify()).toMatchObject({ kind: 'intact' })
    }
    const used = (await decisionRecords(site, one)).filter(({ claims }) => claims?.consumed === true)
    expect(used.length).toBeGreaterThan(10)
  })

  test('of another ledger are not this ledger’s concern', async () => {
    const ledger = await site.open(policies())
    const other = await site.open(policies())
    await liveThrough(site, ledger)
    await liveThrough(site, other)
    for (const table of folded) await site.query(`delete from ${table} where ledger = $1`, [other.name])
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
    expect(await other.verify()).toMatchObject({ kind: 'broken' })
  })
})

describeOnOnePostgres(
  'G3: an approval that was tampered with is found, though the log is whole:',
  (postgres) => {
    let site: LedgerSite
    beforeAll(async () => {
      site = await ledgerSite(postgres)
    })
    afterEach(() => site.closeLedgers())
    afterAll(() => site.remove())

    async function usedOnce(): Promise<{ ledger: Ledger; approvalId: string; first: number }> {
      const ledger = await site.open()
      const approvalId = await escalated(ledger)
      await cast(ledger, voter('ann'), approvalId, approve)
      const { record } = await ledger.decide(agent, refund(600, { approvalId }))
      expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
      return { ledger, approvalId, first: record.index }
    }

    test('reset after its use, and used again through the service', async () => {
      const { ledger, approvalId } = await usedOnce()
      await site.query(`update approval set consumed_by = null, status = 'approved' where ledger = $1`, [
        ledger.name,
      ])
      expect(await ledger.verify()).toMatchObject({
        kind: 'broken',
        index: Number(approvalId.slice(4)),
        problem: `approval ${approvalId} does not say what the log says: consumed_by, status`,
      })
      const again = await ledger.decide(agent, refund(600, { approvalId }))
      expect(again.effect).toBe('allow')
      expect(await ledger.verify()).toMatchObject({
        kind: 'broken',
        index: again.record.index,
        problem: `record ${again.record.index} uses up the approval ${approvalId}, which was consumed then`,
      })
    })

    test.each(['first', 'second'] as const)(
      'used up by a second, forged record of right hashes, while the table names the %s',
      async (named) => {
        const { ledger, approvalId, first } = await usedOnce()
        const forged = await forgeSecondUse(site, ledger, first)
        if (named === 'second') {
          await site.query('update approval set consumed_by = $2 where ledger = $1', [ledger.name, forged])
        }
        expect(await ledger.verify()).toMatchObject({
          kind: 'broken',
          index: forged,
          problem: expect.stringContaining(approvalId),
        })
      },
    )

    test('a vote that was never cast, and so is no record, grants nothing, and is found', async () => {
      const ledger = await site.open()
      const approvalId = await escalated(ledger)
      const forge = `insert into vote (ledger, approval, person, vote, at, index)
      values ($1, $2, 'eve@example.com', 'approve', $3, 1)`
      const opened = Number(approvalId.slice(4))
      await site.query(forge, [ledger.name, opened, new Date(site.clock.now())])
      const { effect, reasons } = await ledger.decide(agent, refund(600, { approvalId }))
      expect({ effect, reasons }).toEqual({
        effect: 'deny',
        reasons: [`Approval ${approvalId} is still waiting for people`],
      })
      expect(await ledger.verify()).toMatchObject({ kind: 'broken', index: 1 })
    })

    test('terms and deadline are those of its record, whatever the table says', async () => {
      const ledger = await site.open()
      const approvalId = await escalated(ledger)
      await site.query(
        `update approval set expires_at = 'infinity', terms = '{"routes":[],"approvers":[],"quorum":0,"deadlineMs":1}'`,
      )
      expect((await ledger.decide(agent, refund(600, { approvalId }))).effect).toBe('deny')
      site.clock.advance(60 * 60 * 1000)
      const { reasons } = await ledger.decide(agent, refund(600, { approvalId }))
      expect(reasons).toEqual([`Approval ${approvalId} expired`])
    })

    test('a payload that was swapped under it does not let the other parameters through', async () => {
      const ledger = await site.open()
      const approvalId = await escalated(ledger)
      await cast(ledger, voter('lea'), approvalId, { vote: 'approve' })
      await site.query(`update log_batch set bodies = replace(bodies, '600', '60000') where first = $1`, [
        Number(approvalId.slice(4)),
      ])
      const { effect, reasons } = await ledger.decide(agent, refund(60000, { approvalId }))
      expect({ effect, reasons }).toEqual({
        effect: 'deny',
        reasons: [`Approval ${approvalId} was given for another call`],
      })
    })
  },
)

/** Appends a copy of the decision at `index` as the next record, with leaf hash and head as they have to be. */
async function forgeSecondUse(site: LedgerSite, ledger: Ledger, index: number): Promise<number> {
  const head = await readHead(site.pool, ledger.name)
  const original = (await records(site, ledger))[index] as DecisionRecord
  const at = instantText(site.clock.now())
  const record = completeRecord(
    { ...original, id: `dec_${head.size}` as DecisionId },
    { ledger: ledger.name, index: head.size, at, payload: null },
  )
  const text = recordText(record)
  const leaf = leafHash(text)
  await site.query(
    `with forged as (
      insert into log_batch (ledger, first, at, leaf_hashes, records, salts, bodies)
      values ($1, $2, $3, $4, $5, decode(repeat('00', 32), 'hex'), '')
    ), found as (
      insert into log_term (ledger, term, first, at) select $1, term, $2, $3 from unnest($6::text[]) as t (term)
    )
    update ledger_head set size = size + 1, frontier = $7 where ledger = $1`,
    [ledger.name, head.size, at, leaf, text, recordTerms(record), encodeFrontier(appendLeaf(head, leaf))],
  )
  return head.size
}

describeOnOnePostgres('G5: verification finds in the folded tables', (postgres) => {
  let site: LedgerSite
  let ledger: Ledger
  let history: History
  beforeAll(async () => {
    site = await ledgerSite(postgres)
    ledger = await site.open(policies(), 'main')
    history = await liveThrough(site, ledger)
    await ledger.checkpoint()
    for (const table of folded) await site.query(`create table saved_${table} as table ${table}`)
  })
  afterEach(async () => {
    for (const table of folded)
      await site.query(`truncate ${table}; insert into ${table} table saved_${table}`)
    expect(await ledger.verify()).toMatchObject({ kind: 'intact' })
  })
  afterAll(() => site.remove())

  const indexOf = (id: string) => Number(id.slice(4))
  const foundIn = async (index: number | null, problem: string | RegExp) =>
    expect(await ledger.verify()).toMatchObject({
      kind: 'broken',
      index,
      problem: typeof problem === 'string' ? problem : expect.stringMatching(problem),
      fix: expect.stringContaining('evidence'),
    })

  const ofApproval: readonly (readonly [string, readonly (string | null)[]])[] = [
    ['agent', [otherAgent, '']],
    ['action', ['apply_discount']],
    ['policy_sha256', ['0'.repeat(64)]],
    [
      'terms',
      [
        '{"routes":["human_approval_required"],"approvers":[],"quorum":1,"deadlineMs":300000}',
        '{',
        '\\u0000',
      ],
    ],
    ['opened_at', ['2026-03-01T09:00:00.000001Z', 'infinity', '2026-03-01 09:00:00+00 BC']],
    [
      'expires_at',
      ['2026-03-01T09:05:00.000001Z', 'infinity', '-infinity', '2026-03-01 09:05:00+00 BC', '2027-01-01'],
    ],
    ['consumed_by', ['3', '-1', null]],
    ['status', ['pending', 'approved', 'rejected', 'expired', 'consumed']],
  ]
  const approvalChanges = ofApproval.flatMap(([column, values]) =>
    values.map((value) => [column, value] as const),
  )

  test.each(approvalChanges)('approval.%s changed to %j', async (column, value) => {
    for (const id of Object.values(history)) {
      const changed = await site.query(
        `update approval set ${column} = $2 where decision = $1 and ${column} is distinct from $2 returning 1`,
        [indexOf(id), value],
      )
      if (changed.length === 0) continue
      await foundIn(indexOf(id), `approval ${id} does not say what the log says: ${column}`)
      await site.query('delete from approval where decision = $1', [indexOf(id)])
      await site.query('insert into approval select * from saved_approval where decision = $1', [indexOf(id)])
    }
  })

  test.each([
    ['vote', `update vote set vote = 'reject' where vote = 'approve' and approval = $1`, /: vote$/],
    ['at', `update vote set at = at + interval '1 microsecond' where approval = $1`, /: at$/],
    ['index', 'update vote set index = index + 1000 where approval = $1', /: index$/],
    ['person', `update vote set person = 'x' || person where approval = $1`, /its row is gone$/],
    ['approval', 'update vote set approval = approval + 1000 where approval = $1', /its row is gone$/],
    ['ledger', `update vote set ledger = 'elsewhere' where approval = $1`, /its row is gone$/],
  ])('a vote’s %s that was changed', async (_column, statement, problem) => {
    const [first] = (await records(site, ledger)).filter(
      (record) => record.kind === 'vote' && record.approval === history.used,
    )
    await site.query(statement, [indexOf(history.used)])
    await foundIn(first?.index ?? null, problem)
  })

  test.each([
    ['status', `update outcome set status = 'failed' where decision = $1`, /: status$/],
    ['index', 'update outcome set index = index - 1 where decision = $1', /: index$/],
    ['decision', 'update outcome set decision = decision + 1000 where decision = $1', /its row is gone$/],
    ['ledger', `update outcome set ledger = 'elsewhere' where decision = $1`, /its row is gone$/],
  ])(
    'an outcome’s %s that was changed, also back to what it once was',
    async (column, statement, problem) => {
      const [unknown, settled] = (await records(site, ledger)).filter((record) => record.kind === 'outcome')
      await site.query(statement, [indexOf(settled?.decision ?? '')])
      await foundIn(settled?.index ?? null, problem)
      if (column !== 'status') return
      await site.query(`update outcome set status = 'unknown', index = $2 where decision = $1`, [
        indexOf(settled?.decision ?? ''),
        unknown?.index,
      ])
      await foundIn(settled?.index ?? null, /: index, status$/)
    },
  )

  test.each([
    ['index', 'update call set index = index + 1 where call_id = $1', /: index$/],
    ['call_id', `update call set call_id = call_id || '"' where call_id = $1`, /its row is gone$/],
    ['agent', `update call set agent = 'x' || agent where call_id = $1`, /its row is gone$/],
    ['ledger', `update call set ledger = 'elsewhere' where call_id = $1`, /its row is gone$/],
  ])('a call’s %s that was changed', async (_column, statement, problem) => {
    for (const { call_id: callId, index } of await site.query<{ call_id: string; index: number }>(
      `select call_id, min(index)::int as index from saved_call group by call_id order by index`,
    )) {
      await site.query(statement, [callId])
      await foundIn(index, problem)
      await site.query('truncate call; insert into call table saved_call')
    }
  })

  describe.each([
    [
      'approval',
      'decision',
      '(ledger, decision, agent, action, policy_sha256, terms, opened_at, expires_at, status)',
    ],
    ['vote', 'index', '(ledger, approval, person, vote, at, index)'],
    ['call', 'index', '(ledger, agent, call_id, index)'],
    ['outcome', 'index', '(ledger, decision, index, status)'],
  ] as const)('%s', (table, key, columns) => {
    test('every row that is gone', async () => {
      const rows = await site.query<{ index: number }>(`select ${key}::int as index from ${table} order by 1`)
      expect(rows.length).toBeGreaterThan(1)
      for (const { index } of rows.toReversed()) {
        await site.query(`delete from ${table} where ${key} = $1`, [index])
        await foundIn(index, /is in the log, and its row is gone$/)
      }
    })

    test('a row too many: of a decision inside the log, outside it, or the same one twice', async () => {
      // Whoever can write to the tables can drop their keys.
      await site.query(`alter table ${table} drop constraint if exists ${table}_pkey`)
      const names = columns.slice(1, -1).split(', ')
      const identity = table === 'call' ? 'call_id' : table === 'vote' ? 'person' : 'decision'
      for (const [value, index] of [
        [3, 3],
        [-3, null],
        [90_000, null],
      ] as const) {
        const copied = names.map((name) => (name === key || name === identity ? `'${value}'` : name))
        await site.query(
          `insert into ${table} ${columns} select ${copied.join(', ')} from saved_${table} limit 1`,
        )
        await foundIn(index, /has a row that no record accounts for$/)
        await site.query(`truncate ${table}; insert into ${table} table saved_${table}`)
      }
      const [last] = await site.query<{ index: number }>(`select max(${key})::int as index from ${table}`)
      await site.query(`insert into ${table} select * from ${table} where ${key} = $1`, [last?.index])
      await foundIn(last?.index ?? null, /has a row that no record accounts for$/)
    })
  })

  test('the lower index first, whichever table it is in', async () => {
    await site.query('delete from outcome')
    await site.query('delete from vote')
    await foundIn((await records(site, ledger)).find(({ kind }) => kind === 'vote')?.index ?? null, /vote/)
  })

  test('a table that is gone, or a column of it', async () => {
    for (const change of ['rename column status to was', 'rename to hidden']) {
      await site.query(`alter table outcome ${change}`)
      await foundIn(null, /^the tables that are folded from the records cannot be compared with them: /)
      await site.query(
        change.startsWith('rename to')
          ? 'alter table hidden rename to outcome'
          : 'alter table outcome rename column was to status',
      )
    }
  })

  test('names with line breaks in a row too many, and reports them on one line', async () => {
    await site.query(`insert into call values ('main', E'a\\nb', E'c\\nd', 1)`)
    await foundIn(1, /^the call id "a\\nb" "c\\nd" has a row that no record accounts for$/)
  })
})
