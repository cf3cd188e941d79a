import { personIdOf } from '../approval/person-id.ts'
import type { BusinessHours, StandingTerms } from '../model/decision.ts'
import type { ApprovalRoute } from '../model/policy.ts'
import { voteChannels } from '../model/vote-channel.ts'
import { approvalDeadlineMsDefault } from '../model/limits.ts'
import { askOf, stricterRoute, type WrittenRoute } from './narrowed-routes.ts'
import type { Findings, PolicySource } from './sources.ts'
import { weekdays } from './schema-values.ts'
import { minutesOf } from './windows.ts'

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
      const merged = stricterRoute(name, terms.get(name), written, source, findings)
      terms.set(name, merged)
      checkQuorum(name, merged, source, findings)
      checkPrompts(name, merged, source, findings)
      checkStanding(name, merged, source, findings)
      checkChannels(name, merged, source, findings)
      if (source.file === undefined && !used.has(name)) {
        const fix = 'remove it, or correct the `action` of the rule that means it'
        const place = source.positions.ofKey(['approvals', name])
        findings.warning(source, place, `no rule asks for the route \`${name}\``, fix, {
          code: 'unused-route',
        })
      }
    }
  }
  const authors = authorsOf(sources)
  return new Map(
    [...new Set([...used, ...terms.keys()])].map((name) => [
      name,
      routeOf(name, terms.get(name) ?? {}, authors),
    ]),
  )
}

function routeOf(name: string, written: WrittenRoute, authors: readonly string[]): ApprovalRoute {
  const { quorum = 1, quorum_of: quorumOf = {}, deadline = approvalDeadlineMsDefault } = written
  const { channels, escalate_to: escalateTo = [], remind = [], exclude = [], signed = false } = written
  return {
    name,
    approvers: written.approvers ?? Object.keys(quorumOf),
    quorum,
    quorumOf: new Map(Object.entries(quorumOf)),
    deadlineMs: deadline,
    escalateTo: escalateTo.map(({ after, approvers }) => ({ afterMs: after, approvers })),
    remindMs: remind,
    hours: written.hours === undefined ? undefined : hoursOf(written.hours),
    exclude: exclude.flatMap((entry) => (entry === 'policy_author' ? authors : entry)),
    asks: askOf(name, written),
    channels: channels && voteChannels.filter((channel) => channels.includes(channel)),
    signed,
    survivesPolicyChange: written.survives_policy_change ?? false,
    breakGlass: written.break_glass && {
      approvers: written.break_glass.approvers,
      quorum: written.break_glass.quorum ?? 2,
    },
    standing: written.standing && standingOf(written.standing),
  }
}

// By name, so that one set of parameters is written in one way.
function standingOf({
  uses,
  lasts,
  may_differ: mayDiffer = {},
}: NonNullable<WrittenRoute['standing']>): StandingTerms {
  const differing = Object.entries(mayDiffer).map(([param, how]) => ({ how, param }))
  differing.sort((one, other) => (one.param < other.param ? -1 : 1))
  return { uses, lastsMs: lasts, mayDiffer: differing }
}

/** Who has written a policy: whoever may change policies in the service, and the people whom its files name. */
function authorsOf(sources: readonly PolicySource[]): readonly string[] {
  const named = sources.flatMap(({ content }) => content.authors ?? [])
  return ['role:policy-author', ...named.map((person) => `person:${personIdOf(person) ?? person}`)]
}

function hoursOf({
  zone,
  days = [...weekdays],
  from = '00:00',
  to = '24:00',
}: NonNullable<WrittenRoute['hours']>): BusinessHours {
  return {
    zone,
    days: weekdays.filter((day) => days.includes(day)),
    fromMinute: minutesOf(from),
    toMinute: minutesOf(to),
  }
}

// Where only people are named, they can be counted; how many hold a role is not the policy's to know.
function checkQuorum(name: string, terms: WrittenRoute, source: PolicySource, findings: Findings): void {
  const { quorum_of: quorumOf = {}, approvers = Object.keys(quorumOf), escalate_to: escalateTo = [] } = terms
  const named = Object.values(quorumOf).reduce((sum, count) => sum + count, 0)
  const quorum = Math.max(1, named, terms.quorum ?? 1)
  const place = source.positions.ofKey(['approvals', name])
  const code = { code: 'unreachable-quorum' } as const
  const all = [...approvers, ...escalateTo.flatMap((stage) => stage.approvers)]
  const people = new Set(all.map((entry) => entry.toLowerCase()))
  const countable = approvers.length > 0 && all.every((entry) => entry.startsWith('person:'))
  if (countable && people.size < quorum) {
    const counted = `${people.size} ${people.size === 1 ? 'person' : 'people'}`
    const message = `\`${name}\` needs ${quorum} approvals and names ${counted}, so nobody can ever give them`
    findings.error(source, place, message, 'name more people or a role, or lower the quorum', code)
    return
  }
  const strange = Object.keys(quorumOf).find((entry) => !people.has(entry.toLowerCase()))
  if (strange !== undefined) {
    const message = `\`${name}\` needs approvals of ${strange}, whom it does not ask`
    findings.error(source, place, message, 'add it to `approvers`, or leave `approvers` out', code)
  }
  const single = Object.entries(quorumOf).find(([entry, count]) => entry.startsWith('person:') && count > 1)
  if (single !== undefined) {
    const message = `\`${name}\` needs ${single[1]} approvals of ${single[0]}, who counts once`
    findings.error(source, place, message, 'write 1, or a role', code)
  }
}

// Only a page of the console's own can ask for the signature of a passkey.
function checkChannels(name: string, terms: WrittenRoute, source: PolicySource, findings: Findings): void {
  if (terms.signed !== true || terms.channels === undefined || terms.channels.includes('console')) return
  const place = source.positions.ofKey(['approvals', name])
  const message = `\`${name}\` takes signed votes, which only the console gives, and none from the console`
  findings.error(source, place, message, 'add console to `channels`, or leave `signed` out', {
    code: 'unreachable-channel',
  })
}

// What comes at the deadline or later never comes.
function checkPrompts(name: string, terms: WrittenRoute, source: PolicySource, findings: Findings): void {
  const { deadline = approvalDeadlineMsDefault, escalate_to: escalateTo = [], remind = [] } = terms
  const never = [...escalateTo.map(({ after }) => after), ...remind].some((after) => after >= deadline)
  if (!never) return
  const place = source.positions.ofKey(['approvals', name])
  const message = `\`${name}\` asks or reminds people when its deadline has come, so it never does`
  findings.warning(source, place, message, 'write a shorter time, or a longer `deadline`', {
    code: 'late-prompt',
  })
}

// Who has only looked has agreed to nothing, and so to nothing more like it.
function checkStanding(name: string, terms: WrittenRoute, source: PolicySource, findings: Findings): void {
  if (terms.standing === undefined || askOf(name, terms) === 'consent') return
  const place = source.positions.ofKey(['approvals', name])
  const message = `\`${name}\` asks for acknowledgement, which is no consent that \`standing\` could go on`
  findings.error(source, place, message, 'write `asks: consent`, or leave `standing` out', {
    code: 'standing-without-consent',
  })
}
