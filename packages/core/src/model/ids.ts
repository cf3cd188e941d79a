declare const kind: unique symbol
type Id<Kind extends string> = string & { readonly [kind]: Kind }

/** An agent, as it authenticated; the `agent_id` of the policy that binds it. */
export type AgentId = Id<'agent'>
/** What an agent wants to do, such as `issue_refund`; matched whole by a policy's patterns. */
export type ActionName = Id<'action'>
/** Chosen by the caller, unique for its agent: a retry with the same id gets the first answer. */
export type CallId = Id<'call'>
/** `dec_` and the index of the decision's record in its ledger. */
export type DecisionId = Id<'decision'>
/** `apr_` and the index of the decision that opened the approval. */
export type ApprovalId = Id<'approval'>
/** `grt_` and the index of the decision that opened the approval which the standing grant came of. */
export type GrantId = Id<'grant'>
/** A person's e-mail address, lower case. */
export type PersonId = Id<'person'>
/** Where a rule stands in its policy, such as `escalation_rules[0]`, or the id its author gave it. */
export type RuleId = Id<'rule'>
/** The host's name for a conversation or task: what an agent does in it, one call after the other. */
export type SessionId = Id<'session'>
/**
 * What a counter counts under: the counter's name and the values of its `per`. It has no line breaks and at most
 * 700 characters. It may hold personal data, such as a customer's id.
 */
export type CounterKey = Id<'counter key'>
/** SHA-256 as 64 lower-case hexadecimal digits. */
export type Sha256 = Id<'sha256'>

/** Milliseconds since the Unix epoch, UTC. */
export type Instant = number & { readonly [kind]: 'instant' }

/** The instant as RFC 3339 text in UTC with milliseconds, as records and the API carry it. */
export function instantText(at: Instant): string {
  return new Date(at).toISOString()
}

const rfc3339 = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/

/** The first that can be stored and asked for: PostgreSQL, like the calendar, has no year 0. In milliseconds. */
export const firstInstant = Date.parse('0001-01-02T00:00:00Z')

/** The instant that RFC 3339 text names, or undefined where it names none; of the first year on. */
export function parseInstant(text: string): Instant | undefined {
  const date = rfc3339.exec(text)?.[1]
  const at = Date.parse(text)
  if (date === undefined || Number.isNaN(at)) return undefined
  // Date.parse turns February 30 into March 2.
  const isDay = new Date(`${date}T00:00:00Z`).toISOString().startsWith(date)
  return isDay && at >= firstInstant ? (at as Instant) : undefined
}

/** The id of the decision recorded at `index`. */
export function decisionId(index: number): DecisionId {
  return `dec_${index}` as DecisionId
}

/** The id of the approval that the decision recorded at `index` opened. */
export function approvalId(index: number): ApprovalId {
  return `apr_${index}` as ApprovalId
}

/** The id of the delegation that was recorded at `index`. */
export function delegationId(index: number): string {
  return `dlg_${index}`
}

/** The id of the standing grant that came of the approval that the decision recorded at `index` opened. */
export function grantId(index: number): GrantId {
  return `grt_${index}` as GrantId
}

/** The record index inside a `dec_…`, `apr_…`, `dlg_…` or `grt_…` id, or undefined where the text is no such id. */
export function indexOfId(prefix: 'dec' | 'apr' | 'dlg' | 'grt', id: string): number | undefined {
  const match = /^(dec|apr|dlg|grt)_(0|[1-9][0-9]{0,14})$/.exec(id)
  return match?.[1] === prefix ? Number(match[2]) : undefined
}
