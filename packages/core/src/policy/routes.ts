import type { ApprovalRoute } from '../model/policy.ts'
import { approvalDeadlineMsDefault } from '../model/limits.ts'
import { spanText } from './spans.ts'
import type { PolicyFile } from './schema.ts'
import type { Findings, PolicySource } from './sources.ts'

type WrittenRoute = NonNullable<PolicyFile['approvals']>[string]

/**
 * What the routes of a policy mean. A file may describe again what another describes only to make it stricter.
 *
 * @param sources the files, those that are extended before those that extend them
 * @param used the routes that something asks for; those that nobody describes get the defaults
 */
export function declareRoutes(
  sources: readonly PolicySource[],
  used: ReadonlySet<string>,
  findings: Findings,
): ReadonlyMap<string, ApprovalRoute> {
  const terms = new Map<string, WrittenRoute>()
  for (const source of sources) {
    for (const [name, written] of Object.entries(source.content.approvals ?? {})) {
      const merged = stricter(name, terms.get(name), written, source, findings)
      terms.set(name, merged)
      checkQuorum(name, merged, source, findings)
      if (source.file === undefined && !used.has(name)) {
        const fix = 'remove it, or correct the `action` of the rule that means it'
        const place = source.positions.ofKey(['approvals', name])
        findings.warning(source, place, `no rule asks for the route \`${name}\``, fix, {
          code: 'unused-route',
        })
      }
    }
  }
  return new Map(
    [...new Set([...used, ...terms.keys()])].map((name) => {
      const { approvers = [], quorum = 1, deadline = approvalDeadlineMsDefault } = terms.get(name) ?? {}
      return [name, { name, approvers, quorum, deadlineMs: deadline }]
    }),
  )
}

/** Whom a route asks that names nobody. */
const approversDefault: readonly string[] = ['role:approver', 'role:administrator']

function stricter(
  name: string,
  before: WrittenRoute | undefined,
  written: WrittenRoute,
  source: PolicySource,
  findings: Findings,
): WrittenRoute {
  if (before === undefined) return written
  const looser = (key: keyof WrittenRoute, message: string, fix: string): void => {
    findings.error(source, source.positions.ofValue(['approvals', name, key]), message, fix, {
      code: 'loosened-route',
    })
  }
  const quorum = before.quorum ?? 1
  if (written.quorum !== undefined && written.quorum < quorum) {
    looser(
      'quorum',
      `\`${name}\` needs ${quorum} approvals in a file that this one extends`,
      'write at least as many',
    )
  }
  const deadline = before.deadline ?? approvalDeadlineMsDefault
  if (written.deadline !== undefined && written.deadline > deadline) {
    const message = `\`${name}\` waits ${spanText(deadline)} in a file that this one extends`
    looser('deadline', message, 'write the same or a shorter time')
  }
  const asked = namedBy(before)
  const beyond =
    written.approvers === undefined ? undefined : namedBy(written).find((one) => !asked.includes(one))
  if (beyond !== undefined) {
    const message = `\`${name}\` does not ask ${beyond} in a file that this one extends`
    looser('approvers', message, `name some of ${asked.join(', ')}`)
  }
  return {
    approvers: written.approvers ?? before.approvers,
    quorum: written.quorum ?? before.quorum,
    deadline: written.deadline ?? before.deadline,
  }
}

function namedBy({ approvers = [] }: WrittenRoute): readonly string[] {
  return approvers.length === 0 ? approversDefault : approvers
}

// Where only people are named, they can be counted; how many hold a role is not the policy's to know.
function checkQuorum(name: string, terms: WrittenRoute, source: PolicySource, findings: Findings): void {
  const { approvers = [], quorum = 1 } = terms
  const people = new Set(approvers.map((entry) => entry.toLowerCase()))
  const countable = people.size > 0 && approvers.every((entry) => entry.startsWith('person:'))
  if (!countable || people.size >= quorum) return
  const named = `${people.size} ${people.size === 1 ? 'person' : 'people'}`
  findings.error(
    source,
    source.positions.ofKey(['approvals', name]),
    `\`${name}\` needs ${quorum} approvals and names ${named}, so nobody can ever give them`,
    'name more people or a role, or lower the quorum',
    { code: 'unreachable-quorum' },
  )
}
