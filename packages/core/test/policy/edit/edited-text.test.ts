import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import type { DocumentEdit } from '../../../src/model/document-edit.ts'
import { parsePolicy } from '../../../src/policy/compile.ts'
import { editedText } from '../../../src/policy/edit/edited-text.ts'
import { declareFact, removeRepeated } from '../../../src/policy/edit/edits.ts'

function editsOf(text: string): DocumentEdit[] {
  const parsed = parsePolicy(text)
  const problems = parsed.kind === 'valid' ? parsed.warnings : parsed.problems
  return problems.flatMap(({ edit }) => (edit === undefined ? [] : [edit]))
}

function fixed(text: string): string {
  return editedText(text, editsOf(text)).text
}

const head = 'agent_id: a\nallowed_actions: [refund]\n'
const rule = 'escalation_rules:\n  - { condition: amount > 5, action: ask }\n'
const facts = 'facts:\n  amount: { type: number, from: params.amount }\n'

describe('undeclared names', () => {
  test('of the policy that users already have get a facts block with both, and nothing else changes', async () => {
    const seed = new URL('../../../../../examples/customer-support/governance_policy.yaml', import.meta.url)
    const text = await readFile(seed, 'utf8')
    const after = fixed(text)
    expect(after).toBe(
      `${text}facts:\n  refund_amount: { type: number, from: params.refund_amount }\n  customer_flagged_as_vip: { type: bool, from: params.customer_flagged_as_vip }\n`,
    )
    expect(parsePolicy(after)).toMatchObject({ kind: 'valid', warnings: [{ code: 'model-asserts-fact' }] })
    expect(editsOf(after)).toEqual([])
  })

  test.each([
    ['at the end', `${head}${rule}`, `${head}${rule}${facts}`],
    ['at the end of a text without a line end', `${head}${rule}`.trimEnd(), `${head}${rule}${facts}`],
    [
      'before the keys that come after facts, and before their comments',
      `${head}${rule}# who answers\n# what\napprovals:\n  ask: { quorum: 1 }\n`,
      `${head}${rule}${facts}# who answers\n# what\napprovals:\n  ask: { quorum: 1 }\n`,
    ],
    [
      'with an empty line where the file has them',
      `${head}\n${rule}\n# who\napprovals:\n  ask: { quorum: 1 }\n`,
      `${head}\n${rule}\n${facts}\n# who\napprovals:\n  ask: { quorum: 1 }\n`,
    ],
    ['with an empty line also at the end', `${head}\n${rule}`, `${head}\n${rule}\n${facts}`],
    ['after comments at the end', `${head}${rule}# the end\n`, `${head}${rule}# the end\n${facts}`],
    [
      'before a marker that ends the document',
      `---\n${head}${rule}...\n`,
      `---\n${head}${rule}${facts}...\n`,
    ],
    [
      'with the line ends of the file',
      `${head}${rule}`.replaceAll('\n', '\r\n'),
      `${head}${rule}${facts}`.replaceAll('\n', '\r\n'),
    ],
    [
      'with the indentation of the file',
      `${head}${rule}approvals:\n    ask: { quorum: 1 }\n`,
      `${head}${rule}${facts.replace('  amount', '    amount')}approvals:\n    ask: { quorum: 1 }\n`,
    ],
    [
      'in a file that is indented as a whole',
      `${head}${rule}`.replaceAll(/^/gm, '  ').trimEnd(),
      `${head}${rule}${facts}`.replaceAll(/^(?=.)/gm, '  '),
    ],
    [
      'in a file in flow style',
      '{agent_id: a, allowed_actions: [refund], rules: [{condition: amount > 5, effect: deny}]}\n',
      '{agent_id: a, allowed_actions: [refund], rules: [{condition: amount > 5, effect: deny}], facts: { amount: { type: number, from: params.amount } }}\n',
    ],
  ])('are declared %s', (_, before, after) => {
    expect(fixed(before)).toBe(after)
    expect(editsOf(after)).toEqual([])
  })
})

describe('one more entry of a map that is there', () => {
  const add = declareFact('b', 'bool')

  test.each([
    [
      'a block',
      `facts:\n  a: 1 # one\n  # last\nx: 1\n`,
      `facts:\n  a: 1 # one\n  b: { type: bool, from: params.b }\n  # last\nx: 1\n`,
    ],
    [
      'a block of blocks',
      `facts:\n  a:\n    type: x\nx: 1\n`,
      `facts:\n  a:\n    type: x\n  b: { type: bool, from: params.b }\nx: 1\n`,
    ],
    ['braces', `facts: { a: 1 }\nx: 1\n`, `facts: { a: 1, b: { type: bool, from: params.b } }\nx: 1\n`],
    [
      'braces over lines',
      `facts: {\n  a: 1, # one\n}\n`,
      `facts: {\n  a: 1, b: { type: bool, from: params.b }, # one\n}\n`,
    ],
    ['empty braces', `facts: {}\n`, `facts: { b: { type: bool, from: params.b } }\n`],
    [
      'a text of several lines',
      `facts:\n  a: |\n    text\n\nx: 1\n`,
      `facts:\n  a: |\n    text\n  b: { type: bool, from: params.b }\n\nx: 1\n`,
    ],
  ])('%s', (_, before, after) => {
    expect(editedText(before, [add])).toEqual({ text: after, made: [add], left: [] })
  })

  test.each([
    ['is there already', 'facts:\n  b: 1\n'],
    ['would go into a map that stands elsewhere', 'x: &x { a: 1 }\nfacts: *x\n'],
    ['would go into something that is no map', 'facts: [a]\n'],
    ['would go into a text that cannot be read', 'facts: [a\n'],
  ])('is left where it %s', (_, text) => {
    expect(editedText(text, [add])).toEqual({ text, made: [], left: [add] })
  })

  test('keys that look like something else are quoted', () => {
    const change = { kind: 'add', map: ['facts'], key: 'yes', value: ['1', 'on', 'a b'], before: [] } as const
    expect(editedText('facts: {}\n', [{ title: '', safe: true, change }]).text).toBe(
      'facts: { "yes": ["1", "on", "a b"] }\n',
    )
  })
})

describe('entries that stand twice', () => {
  test.each([
    [
      'in a block',
      'allowed_actions:\n  - a # first\n  - b\n  - a\n  - "a"\n',
      'allowed_actions:\n  - a # first\n  - b\n',
    ],
    ['in brackets', 'allowed_actions: [a, b, a, "a", c]\n', 'allowed_actions: [a, b, c]\n'],
  ])('%s are removed', (_, list, after) => {
    const text = `agent_id: x\n${list}`
    expect(fixed(text)).toBe(`agent_id: x\n${after}`)
    expect(editsOf(fixed(text))).toEqual([])
  })

  test('stay where a comment would be lost', () => {
    const text = 'agent_id: x\nallowed_actions:\n  - a\n  - a # because of the audit\n'
    expect(editedText(text, editsOf(text))).toMatchObject({
      text,
      made: [],
      left: [{ title: expect.stringContaining('`a`') as string }],
    })
  })

  test('stay where the file has changed since', () => {
    const text = 'allowed_actions: [a, b]\n'
    expect(editedText(text, [removeRepeated('allowed_actions', 1, 'a')]).text).toBe(text)
    expect(editedText(text, [removeRepeated('allowed_actions', 7, 'a')]).text).toBe(text)
  })
})
