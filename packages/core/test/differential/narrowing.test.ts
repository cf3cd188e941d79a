import { expect, test } from 'vitest'
import { parse } from 'yaml'
import * as core from '../../src/index.ts'
import type { CompiledPolicy, Decision } from '../../src/index.ts'
import { generateCall, writeCall, writeFacts } from './generate-call.ts'
import { generatePolicy } from './generate-policy.ts'
import type { CallModel, PolicyModel } from './model.ts'
import { Random } from './random.ts'
import { writeYaml } from './write-yaml.ts'

const families = 150
const callsEach = 60
const strength: Record<Decision['effect'], number> = { allow: 0, escalate: 1, deny: 2 }

test('a policy that extends another answers as the stricter of the two would', () => {
  const stricterBy = { parent: 0, child: 0, neither: 0 }
  let refused = 0
  for (let seed = 40_001; seed <= 40_000 + families; seed++) {
    const random = new Random(seed)
    const family = readFamily(random)
    // A rule may speak of an action that one file alone does not list, and that looks like a slip of another.
    if (family.kind === 'refused') refused++
    if (family.kind === 'refused') continue
    for (let at = 0; at < callsEach; at++) {
      const call = generateCall(random, family.model, 'any')
      const [parent, child, both] = [family.parent, family.child, family.both].map((policy) =>
        effectOf(policy, family.model, call),
      )
      if (parent === undefined || child === undefined || both === undefined) throw new Error('unreachable')
      const stricter = strength[parent] > strength[child] ? parent : child
      if (both !== stricter) expect({ seed, call, parent, child, both }).toMatchObject({ both: stricter })
      stricterBy[parent === child ? 'neither' : stricter === parent ? 'parent' : 'child']++
    }
  }
  expect(refused).toBeLessThan(families / 4)
  expect(Math.min(...Object.values(stricterBy))).toBeGreaterThan(500)
})

type Family =
  | { readonly kind: 'refused' }
  | {
      readonly kind: 'read'
      readonly model: PolicyModel
      readonly parent: CompiledPolicy
      readonly child: CompiledPolicy
      readonly both: CompiledPolicy
    }

/** Two policies over the same facts, each by itself, and one that extends the other. */
function readFamily(random: Random): Family {
  const model = generatePolicy(random, 'own')
  const rules = model.rules.map((rule, at) => ({ ...rule, id: `rule-${at}`, named: true }))
  const above: PolicyModel = { ...model, rules: rules.filter((_, at) => at % 2 === 0) }
  const allowed = random.some(model.allowed, 1, model.allowed.length)
  const forbidden = random.some(model.allowed, 0, 2).filter((name) => !allowed.includes(name))
  const below: PolicyModel = { ...model, allowed, forbidden, rules: rules.filter((_, at) => at % 2 === 1) }
  const { agent_id: _, ...shared } = parse(writeYaml(above)) as Record<string, unknown>
  const { facts: __, approvals: ___, ...own } = parse(writeYaml(below)) as Record<string, unknown>
  const load = (file: string): string | undefined =>
    file === 'org.yaml' ? JSON.stringify(shared) : undefined
  const parsed = [writeYaml(above), writeYaml(below), JSON.stringify({ ...own, extends: 'org.yaml' })].map(
    (text) => core.parsePolicy(text, { load }),
  )
  if (parsed.some(({ kind }) => kind === 'invalid')) return { kind: 'refused' }
  const [parent, child, both] = parsed.flatMap((one) => (one.kind === 'valid' ? [one.policy] : []))
  if (parent === undefined || child === undefined || both === undefined) throw new Error('unreachable')
  return { kind: 'read', model, parent, child, both }
}

function effectOf(policy: CompiledPolicy, model: PolicyModel, call: CallModel): Decision['effect'] {
  return core.decide(policy, writeCall(model, call), writeFacts(call)).effect
}
