import { describe, expect, test } from 'vitest'
import { bindAgents } from '../../src/policy/agents.ts'
import { policyOf } from './written.ts'

const binding = (written: string) => policyOf(`${written}\nallowed_actions: [x]\n`)

describe('agents are bound', () => {
  test('by name and by pattern', () => {
    const one = binding('agent_id: one')
    const eu = binding('agents: ["eu-*", two]')
    const bound = bindAgents([one, eu])
    expect(['one', 'eu-7', 'two', 'us-7'].map((agent) => bound.for(agent))).toEqual([one, eu, eu, undefined])
  })

  test('by an `agent_id` with a star to that name alone', () => {
    const star = binding('agent_id: "eu-*"')
    const bound = bindAgents([star])
    expect([bound.for('eu-*'), bound.for('eu-7')]).toEqual([star, undefined])
  })
})

describe('two policies for one agent bind nobody', () => {
  test.each([
    ['agent_id: a', 'agents: [b, a]'],
    ['agent_id: eu-1', 'agents: ["eu-*"]'],
    ['agents: ["eu-*"]', 'agents: ["*-1"]'],
    ['agents: ["*"]', 'agents: ["x*y*z"]'],
    ['agents: ["a*c"]', 'agents: ["ab*"]'],
  ])('%s and %s', (one, other) => {
    const policies = [binding(one), binding(other)]
    const bound = bindAgents(policies)
    expect(bound.overlaps).toHaveLength(1)
    expect(bound.overlaps[0]).toMatchObject({ policy: policies[1], other: policies[0] })
    expect(bound.for('eu-1')).toBeUndefined()
  })

  test.each([
    ['agents: ["eu-*"]', 'agents: ["us-*"]'],
    ['agents: ["*-1"]', 'agents: ["*-2"]'],
    ['agents: ["a*c"]', 'agents: ["b*c"]'],
    ['agent_id: "eu-*"', 'agents: [eu-1]'],
  ])('%s and %s have nobody in common', (one, other) => {
    expect(bindAgents([binding(one), binding(other)]).overlaps).toEqual([])
  })
})
