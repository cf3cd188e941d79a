import { approvalDeadlineMsDefault } from '../model/limits.ts'
import type { ApprovalAsk } from '../model/decision.ts'
import type { PolicyFile } from './schema.ts'
import type { Findings, PolicySource } from './sources.ts'
import { spanText } from './spans.ts'

/** What a file says of one route. */
export type WrittenRoute = NonNullable<PolicyFile['approvals']>[string]

/** Whom a route asks that names nobody. */
const approversDefault: readonly string[] = ['role:approver', 'role:administrator']

/** What is looser than before, where it stands, and what to write instead. */
interface Looser {
  readonly key: keyof WrittenRoute
  readonly message: string
  readonly fix: string
}

/**
 * What a file says of a route, together with what a file that it extends says. It may only make it stricter: more
 * people, fewer who may answer, less time. Every way in which it is looser is a finding.
 */
export function stricterRoute(
  name: string,
  before: WrittenRoute | undefined,
  written: WrittenRoute,
  source: PolicySource,
  findings: Findings,
): WrittenRoute {
  if (before === undefined) return written
  const exclude = [...new Set([...(before.exclude ?? []), ...(written.exclude ?? [])])]
  const merged = {
    ...before,
    ...written,
    quorum_of: { ...before.quorum_of, ...written.quorum_of },
    ...(exclude.length > 0 ? { exclude } : {}),
  }
  const looser = [
    ...looserCount(name, before, written),
    ...widerAsk(name, before, written, merged),
    ...looserRest(name, before, written),
  ]
  for (const { key, message, fix } of looser) {
    findings.error(source, source.positions.ofValue(['approvals', name, key]), message, fix, {
      code: 'loosened-route',
    })
  }
  return merged
}

const above = 'in a file that this one extends'

function looserCount(name: string, before: WrittenRoute, written: WrittenRoute): Looser[] {
  const found: Looser[] = []
  const quorum = before.quorum ?? 1
  if (written.quorum !== undefined && written.quorum < quorum) {
    const message = `\`${name}\` needs ${quorum} approvals ${above}`
    found.push({ key: 'quorum', message, fix: 'write at least as many' })
  }
  for (const [entry, count] of Object.entries(written.quorum_of ?? {})) {
    const least = before.quorum_of?.[entry] ?? 0
    if (count >= least) continue
    const message = `\`${name}\` needs ${least} approvals of ${entry} ${above}`
    found.push({ key: 'quorum_of', message, fix: 'write at least as many' })
  }
  const deadline = before.deadline ?? approvalDeadlineMsDefault
  if (written.deadline !== undefined && written.deadline > deadline) {
    const message = `\`${name}\` waits ${spanText(deadline)} ${above}`
    found.push({ key: 'deadline', message, fix: 'write the same or a shorter time' })
  }
  return found
}

function widerAsk(name: string, before: WrittenRoute, written: WrittenRoute, merged: WrittenRoute): Looser[] {
  const found: Looser[] = []
  const asked = namedBy(before)
  const beyond = namedBy(merged).find((one) => !asked.includes(one))
  if (beyond !== undefined) {
    const key = written.approvers === undefined ? 'quorum_of' : 'approvers'
    const message = `\`${name}\` does not ask ${beyond} ${above}`
    found.push({ key, message, fix: `name some of ${asked.join(', ')}` })
  }
  const stages = before.escalate_to ?? []
  const early = written.escalate_to?.find(
    ({ after, approvers }) =>
      !approvers.every(
        (one) =>
          asked.includes(one) ||
          stages.some((stage) => stage.after <= after && stage.approvers.includes(one)),
      ),
  )
  if (early !== undefined) {
    const message = `\`${name}\` does not ask all of ${early.approvers.join(', ')} after ${spanText(early.after)} ${above}`
    found.push({ key: 'escalate_to', message, fix: 'ask the same people, at the same time or later' })
  }
  return found
}

function looserRest(name: string, before: WrittenRoute, written: WrittenRoute): Looser[] {
  const found: Looser[] = []
  if (written.hours !== undefined && !sameHours(before.hours, written.hours)) {
    const message = `\`${name}\` counts its time by other hours ${above}`
    found.push({ key: 'hours', message, fix: 'write the same hours, or leave them out' })
  }
  if (written.asks === 'acknowledgement' && askOf(name, before) === 'consent') {
    const message = `\`${name}\` asks for consent ${above}`
    found.push({ key: 'asks', message, fix: 'write consent, or leave it out' })
  }
  if (written.signed === false && before.signed === true) {
    found.push({ key: 'signed', message: `\`${name}\` takes signed votes ${above}`, fix: 'leave it out' })
  }
  const wider = before.channels && written.channels?.find((channel) => !before.channels?.includes(channel))
  if (wider !== undefined) {
    const message = `\`${name}\` takes no votes over ${wider} ${above}`
    found.push({ key: 'channels', message, fix: `name some of ${before.channels?.join(', ') ?? ''}` })
  }
  if (written.break_glass !== undefined && isLooserGlass(before.break_glass, written.break_glass)) {
    const message = `\`${name}\` lets others, or fewer, break the glass than it does ${above}`
    found.push({ key: 'break_glass', message, fix: 'name some of the same people, and at least as many' })
  }
  if (written.survives_policy_change === true && before.survives_policy_change !== true) {
    const message = `an approval by \`${name}\` ends with its policy ${above}`
    found.push({ key: 'survives_policy_change', message, fix: 'leave it out' })
  }
  if (written.standing !== undefined && isLooserStanding(before.standing, written.standing)) {
    const message = `\`${name}\` lets people grant less at once ${above}`
    const fix = 'write at most as many uses, a time as short, and some of the same parameters'
    found.push({ key: 'standing', message, fix })
  }
  return found
}

type WrittenStanding = NonNullable<WrittenRoute['standing']>

function isLooserStanding(
  before: WrittenStanding | undefined,
  { uses, lasts, may_differ: mayDiffer = {} }: WrittenStanding,
): boolean {
  if (before === undefined || uses > before.uses || lasts > before.lasts) return true
  const differing = new Map(Object.entries(before.may_differ ?? {}))
  return Object.entries(mayDiffer).some(([param, how]) => {
    const most = differing.get(param)
    return most !== how && most !== 'any'
  })
}

/** The route of the original file format that asks for somebody to look, and not for consent. */
const reviewRoute = 'human_review_before_action'

/** What a route asks people for. */
export function askOf(name: string, { asks }: WrittenRoute): ApprovalAsk {
  return asks ?? (name === reviewRoute ? 'acknowledgement' : 'consent')
}

function namedBy({
  quorum_of: quorumOf = {},
  approvers = Object.keys(quorumOf),
}: WrittenRoute): readonly string[] {
  return approvers.length === 0 ? approversDefault : approvers
}

type Glass = NonNullable<WrittenRoute['break_glass']>

function isLooserGlass(before: Glass | undefined, { approvers, quorum = 2 }: Glass): boolean {
  if (before === undefined) return true
  return quorum < (before.quorum ?? 2) || !approvers.every((one) => before.approvers.includes(one))
}

function sameHours(one: WrittenRoute['hours'], other: WrittenRoute['hours']): boolean {
  return JSON.stringify(partsOf(one)) === JSON.stringify(partsOf(other))
}

function partsOf(hours: WrittenRoute['hours']) {
  return hours && [hours.zone, hours.days?.toSorted(), hours.from ?? '00:00', hours.to ?? '24:00']
}
