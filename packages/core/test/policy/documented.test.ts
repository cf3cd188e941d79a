import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parsePolicyTest } from '../../src/policy-test/suite.ts'
import { problemsOf } from './written.ts'

const document = readFileSync(join(import.meta.dirname, '../../../../docs/POLICY.md'), 'utf8')
const blocks = [...document.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)

// What the parts of a policy that the document shows refer to.
const others = {
  agent_id: 'docs\nallowed_actions: ["*"]',
  roles: '{ tier2: [docs] }',
  windows: '{ office: { zone: UTC } }',
  facts:
    '{ amount: { type: number, from: params.amount }, refund_amount: { type: number, from: params.amount } }',
}

function completed(block: string): string {
  const missing = Object.entries(others).filter(([key]) => !new RegExp(`^${key}:`, 'm').test(block))
  // A whole policy stands for itself.
  if (block.startsWith('agent_id:')) return block
  return `${block}\n${missing.map(([key, text]) => `${key}: ${text}\n`).join('')}`
}

test.each(blocks.map((block) => [block.split('\n')[0] ?? '', block]))(
  'docs/POLICY.md: the example `%s` is valid',
  (_, block) => {
    if (block.startsWith('policy:')) {
      expect(parsePolicyTest(block)).toMatchObject({ kind: 'valid' })
      return
    }
    const problems = problemsOf(completed(block), {
      'org.yaml': 'domain: y\n',
      'shared/team.yaml': 'domain: x\n',
    })
    expect(problems.filter((problem) => problem.includes(' error '))).toEqual([])
  },
)
