import { humanName, visibleText } from './words.ts'

const lists: Readonly<Record<string, string>> = {
  allowed_actions: 'Allowed action',
  forbidden_actions: 'Forbidden action',
  escalation_rules: 'Escalation rule',
  rules: 'Rule',
  flows: 'Flow',
  budgets: 'Budget',
  rates: 'Rate',
}

const requirements: Readonly<Record<string, string>> = {
  params: 'Parameters',
  roles: 'Roles',
  environments: 'Environments',
  window: 'Hours',
  when: 'Condition',
  obligations: 'Obligations',
}

/**
 * A rule whose id only says where it stands, by its place: `escalation_rules[0]` is the `Escalation rule no. 1`.
 *
 * @returns undefined for an id that the policy's author has chosen
 */
export function rulePlaceText(id: string): string | undefined {
  const [, file, list = '', at] = /^(?:(.+):)?([a-z_]+)\[(\d+)\]$/.exec(id) ?? []
  const noun = Object.hasOwn(lists, list) ? lists[list] : undefined
  if (noun !== undefined) return `${noun} no. ${Number(at) + 1}${ofFile(file)}`
  if (/^(?:.+:)?environments$/.test(id)) return `Environments of the policy${ofFile(id.split(':').at(-2))}`
  const [, parent, action = '', key = ''] = /^(?:(.+):)?actions\.(.+)\.([a-z]+)$/.exec(id) ?? []
  const what = Object.hasOwn(requirements, key) ? requirements[key] : undefined
  return what === undefined ? undefined : `${what} of ${visibleText(action)}${ofFile(parent)}`
}

function ofFile(file: string | undefined): string {
  return file === undefined ? '' : ` of ${visibleText(file)}`
}

const asked: Readonly<Record<string, string>> = {
  human_approval_required: 'People have to approve it',
  human_review_before_action: 'Somebody has to look at it first',
}

/** What a route asks for: `People have to approve it`. */
export function routeText(route: string): string {
  return asked[route] ?? `People are asked: ${humanName(route)}`
}

/** A reason as it was recorded, where it is written for programs: as a sentence. Others stay as they are. */
export function reasonText(reason: string): string {
  const route = /^Escalation required: (\S+)$/.exec(reason)?.[1]
  if (route !== undefined) return routeText(route)
  const [, id, detail] = /^condition_error in (\S+): (.*)$/s.exec(reason) ?? []
  if (id === undefined || detail === undefined) return visibleText(reason)
  const rule = rulePlaceText(id) ?? visibleText(id)
  return `A condition could not be evaluated, and so counts as matched: ${visibleText(detail)} (${rule})`
}
