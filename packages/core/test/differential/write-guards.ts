import type { Facts, SessionId, ToolCall } from '../../src/index.ts'
import { writeCall, writeFacts } from './generate-call.ts'
import type { EntryModel, GuardedPolicy, MemberModel, SchemaModel } from './guards-model.ts'
import type { CallModel, Truth, ValueType } from './model.ts'
import { pathText, writeCel, writeRule, writeYaml } from './write-yaml.ts'

/** The policy's text, with all guards. What is undefined is not written. */
export function writeGuardedYaml(policy: GuardedPolicy): string {
  return writeYaml(policy, {
    mode: policy.mode,
    environments: policy.environments,
    roles: Object.fromEntries(policy.roles.map(({ name, agents }) => [name, agents])),
    windows: Object.fromEntries(policy.windows.map(({ name, ...window }) => [name, window])),
    rules: policy.guarded.map((rule) => ({
      ...writeRule(rule),
      unless: condition(rule.unless),
      window: rule.window,
      outside: rule.outside,
      environments: rule.environments,
      mode: rule.shadow ? 'shadow' : undefined,
    })),
    actions: Object.fromEntries(policy.entries.map((entry) => [entry.pattern, writeEntry(entry)])),
  })
}

function condition(tree: Truth | undefined): string | undefined {
  return tree && writeCel(tree)
}

function writeEntry({ roles, environments, window, params, when, ...duties }: EntryModel): object {
  const { requires, redacts, notifies } = duties
  const obligations = [
    ...(requires === undefined ? [] : [{ require: pathText(requires) }]),
    ...(redacts ? [{ redact: 'result.card' }] : []),
    ...(notifies ? [{ notify: 'finance' }] : []),
  ]
  return {
    roles,
    environments,
    window,
    params: params && writeSchema(params),
    when: condition(when),
    obligations: obligations.length === 0 ? undefined : obligations,
  }
}

function writeSchema({ members, closed }: SchemaModel): object {
  return { ...mapOf(members, 0), ...(closed ? { additionalProperties: false } : {}) }
}

/** A map with these members; `at`: how many names of their paths lead to the map. */
function mapOf(members: readonly MemberModel[], at: number): object {
  const required = members.filter((member) => member.required).map(({ of }) => of.path[at])
  return {
    type: 'object',
    properties: Object.fromEntries(
      members.map((member) => {
        const isLast = member.of.path.length === at + 1
        return [member.of.path[at], isLast ? leafOf(member) : mapOf([member], at + 1)]
      }),
    ),
    ...(required.length === 0 ? {} : { required }),
  }
}

function leafOf({ of, bound }: MemberModel): object {
  const schemas: Record<ValueType, object> = {
    number: { type: 'number', minimum: bound },
    bool: { type: 'boolean' },
    string: { type: 'string', maxLength: bound },
    'list<string>': { type: 'array', maxItems: bound, items: { type: 'string' } },
    'list<number>': { type: 'array', maxItems: bound, items: { type: 'number' } },
  }
  return schemas[of.type]
}

/** The call as the product takes it; in a session where it has one. */
export function writeGuardedCall(policy: GuardedPolicy, call: CallModel): ToolCall {
  const session = call.around.session === undefined ? {} : { session: 'session-1' as SessionId }
  return { ...writeCall(policy, call), ...session }
}

/** What the service would add to the call. */
export function writeGuardedFacts(call: CallModel): Facts {
  const { env, session, supports } = call.around
  return { ...writeFacts(call), env, session, supports }
}
