import {
  grantScope,
  instantText,
  isCovered,
  parseRecord,
  sealedKeys,
  standingOf,
  type Approval,
  type DecisionRecord,
  type JsonObject,
  type StoredEntry,
  type BrokenLog,
} from '@bailiwick/core'
import { readEntries, type Queryable } from './log/batches.ts'
import { readApprovals } from './log/read-approvals.ts'

const grants = `select approval, index, uses, (extract(epoch from until_at) * 1000)::bigint as until, revoked_by from standing_grant where ledger = $1 and approval >= $2 order by approval`
const uses = `select u.approval, u.use, u.decision, g.approval is null as is_orphan
  from standing_use u left join standing_grant g on g.ledger = u.ledger and g.approval = u.approval
  where u.ledger = $1 and u.approval >= $2 and (g.approval is null or u.approval = any($3::bigint[]))
  order by u.approval, u.use`

const grantsPerRead = 32

interface GrantRow {
  readonly approval: number
  readonly index: number
  readonly uses: number
  readonly until: number
  readonly revokedBy: number | null
}

interface UseRow {
  readonly approval: number
  readonly use: number
  readonly decision: number
  readonly isOrphan: boolean
}

/**
 * Rebuilds every standing grant from the votes on its approval, and holds every use of one against it: that there was such a
 * grant, with a use left, before its end, not revoked, and for such a call. A grant that its votes do not make is named, and so
 * is a call that none covers, however well rows, records and hashes fit.
 *
 * Call it in the snapshot in which the log and the tables were found to agree.
 *
 * @param floor the index of the first record that is not archived; grants on what was opened before it are not looked at
 */
export async function grantsProblem(
  client: Queryable,
  ledger: string,
  floor: number,
): Promise<BrokenLog | undefined> {
  const { rows } = await client.query<{
    approval: string
    index: string
    uses: number
    until: string
    revoked_by: string | null
  }>(grants, [ledger, floor])
  const all = rows.map((row): GrantRow => ({
    approval: Number(row.approval),
    index: Number(row.index),
    uses: row.uses,
    until: Number(row.until),
    revokedBy: row.revoked_by === null ? null : Number(row.revoked_by),
  }))
  // One round at least: a use of no grant is found in it.
  for (let from = 0; from === 0 || from < all.length; from += grantsPerRead) {
    const problem = await problemIn(client, ledger, floor, all.slice(from, from + grantsPerRead))
    if (problem !== undefined) return problem
  }
  return undefined
}

async function problemIn(
  client: Queryable,
  ledger: string,
  floor: number,
  part: readonly GrantRow[],
): Promise<BrokenLog | undefined> {
  const indices = part.map(({ approval }) => approval)
  const used = await readUses(client, ledger, floor, indices)
  const orphan = used.find(({ isOrphan }) => isOrphan)
  if (orphan !== undefined) {
    return broken(orphan.decision, `names a standing grant that nobody has made: grt_${orphan.approval}`)
  }
  const approvals = new Map(await readApprovals(client, ledger, indices))
  const entries = await readEntries(client, ledger, indices)
  for (const row of part) {
    const opened = entries.get(row.approval)
    const problem = grantProblem(row, approvals.get(row.approval))
    if (problem !== undefined) return problem
    const ours = used.filter(({ approval }) => approval === row.approval)
    const misused = await usesProblem(client, ledger, ours, judgeOf(row, approvals.get(row.approval), opened))
    if (misused !== undefined) return misused
  }
  return undefined
}

async function readUses(
  client: Queryable,
  ledger: string,
  floor: number,
  approvals: readonly number[],
): Promise<UseRow[]> {
  const { rows } = await client.query<{
    approval: string
    use: number
    decision: string
    is_orphan: boolean
  }>(uses, [ledger, floor, approvals])
  return rows.map(({ approval, use, decision, is_orphan: isOrphan }) => ({
    approval: Number(approval),
    use,
    decision: Number(decision),
    isOrphan,
  }))
}

function grantProblem(
  { approval: index, index: madeBy, uses: most, until }: GrantRow,
  approval: Approval | undefined,
): BrokenLog | undefined {
  const made = approval && standingOf({ ...approval, cancelled: undefined })
  if (made?.uses === most && made.until === until) return undefined
  return broken(madeBy, `makes the standing grant grt_${index}, which the votes on its approval do not make`)
}

/** What is wrong with the nth use of a grant by a decision; undefined where nothing is. */
type Judge = (use: number, record: DecisionRecord, entry: StoredEntry) => string | undefined

function judgeOf(
  { approval: index, index: madeBy, revokedBy }: GrantRow,
  approval: Approval | undefined,
  opened: StoredEntry | undefined,
): Judge {
  const made = approval && standingOf({ ...approval, cancelled: undefined })
  const record = opened && parseRecord(opened.record)
  if (made === undefined || opened === undefined || record?.kind !== 'decision')
    return () => 'cannot be held against its grant'
  const end = Math.min(revokedBy ?? Infinity, approval?.cancelled?.index ?? Infinity)
  return (use, later, entry) => {
    if (later.index < madeBy) return `uses grt_${index} before it was made`
    if (later.index > end) return `uses grt_${index} after it was ended`
    if (Date.parse(later.at) >= made.until) return `uses grt_${index} after ${instantText(made.until)}`
    if (use > made.uses || later.standing?.uses !== made.uses)
      return `is use ${use} of grt_${index}, which has ${made.uses}`
    return isOfItsKind(record, opened, later, entry) ? undefined : `is no call that grt_${index} covers`
  }
}

// Of what has been erased, or is sealed, only what the records say can be compared.
function isOfItsKind(
  opened: DecisionRecord,
  openedEntry: StoredEntry,
  later: DecisionRecord,
  laterEntry: StoredEntry,
): boolean {
  const isHidden = [openedEntry, laterEntry].some(
    ({ payload }) => typeof payload === 'string' || sealedKeys(payload.body) !== undefined,
  )
  const bodyOf = ({ payload }: StoredEntry) =>
    isHidden || typeof payload === 'string' ? '{"context":{},"params":{}}' : payload.body
  const scope = grantScope(opened, bodyOf(openedEntry))
  const { params = {}, context = {} } = JSON.parse(bodyOf(laterEntry)) as Partial<Record<string, JsonObject>>
  if (scope === undefined || later.policy === null || later.effect !== 'allow') return false
  const { agent, action, rules, policy } = later
  return isCovered(scope, { agent, action, rules, policy: policy.sha256, params, context })
}

async function usesProblem(
  client: Queryable,
  ledger: string,
  rows: readonly UseRow[],
  judge: Judge,
): Promise<BrokenLog | undefined> {
  for (let from = 0; from < rows.length; from += grantsPerRead) {
    const part = rows.slice(from, from + grantsPerRead)
    const entries = await readEntries(
      client,
      ledger,
      part.map(({ decision }) => decision),
    )
    for (const [at, { use, decision }] of part.entries()) {
      const entry = entries.get(decision)
      const record = entry && parseRecord(entry.record)
      if (entry === undefined || record?.kind !== 'decision') continue
      const problem = use === from + at + 1 ? judge(use, record, entry) : 'is not the next use of its grant'
      if (problem !== undefined) return broken(decision, problem)
    }
  }
  return undefined
}

function broken(index: number, problem: string): BrokenLog {
  return {
    kind: 'broken',
    index,
    problem: `record ${index} ${problem}`,
    fix: 'Keep the database as evidence: somebody wrote a record that no standing grant allows. Find out whether the call ran, and who can write to the tables.',
  }
}
