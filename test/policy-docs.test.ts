import { errorCodes, policyJsonSchema, warningCodes } from '@bailiwick/core'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { GrowingPolicy, policyBlocks } from './policy-docs.ts'
import { ROOT } from './workspace.ts'

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8')
}

describe('docs/POLICY.md', () => {
  const document = read('docs/POLICY.md')
  const blocks = policyBlocks(document)
  const policy = new GrowingPolicy()

  test('has a tutorial with a test for every step', () => {
    const tutorial = policyBlocks(document.slice(0, document.indexOf('\n# Reference\n')))
    expect(tutorial.filter(({ mark }) => mark === 'policy-test').length).toBeGreaterThan(10)
  })

  // In order: each block goes on from those before it.
  test.each(blocks)('the block `$mark` at line $line holds', (block) => {
    expect(policy.take(block)).toBeUndefined()
  })

  test('speaks of every key of the schema in the reference', () => {
    const reference = document.slice(document.indexOf('\n# Reference\n'))
    const told = [...reference.matchAll(/`([^`\n]+)`/g), ...reference.matchAll(/^```yaml.*?^```/gms)]
      .map(([text]) => text)
      .join('\n')
    const silent = [...keysOf(policyJsonSchema())].filter((key) => !new RegExp(`\\b${key}\\b`).test(told))
    expect(silent).toEqual([])
  })
})

test('docs/CHECKS.md lists every code, and no other', () => {
  const listed = [...read('docs/CHECKS.md').matchAll(/^\| `([a-z-]+)`\s*\| (.*?)\s*\|$/gm)]
  expect(Object.fromEntries(listed.map(([, code, text]) => [code, text]))).toEqual({
    ...errorCodes,
    ...warningCodes,
  })
})

/** The names of all members that a JSON Schema describes. */
function keysOf(schema: unknown): ReadonlySet<string> {
  const keys = new Set<string>()
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return
    for (const [key, value] of Object.entries(part)) {
      if (key === 'properties') for (const name of Object.keys(value as object)) keys.add(name)
      visit(value)
    }
  }
  visit(schema)
  return keys
}

describe('reading the blocks of a document', () => {
  const small = '```yaml policy\nagent_id: a\nallowed_actions: [refund]\n```\n'

  test.each([
    ['YAML without a mark', '```yaml\na: 1\n```\n', 'line 2'],
    ['a mark that means nothing', '```yaml polcy\na: 1\n```\n', 'line 2'],
    ['a check of nothing', '```text check\nx\n```\n', 'line 2'],
  ])('%s is an error, not a block left out', (_, markdown, place) => {
    expect(() => policyBlocks(markdown)).toThrow(place)
  })

  test.each([
    ['a policy with an error', '```yaml policy\nagent_id: a\n```\n', '`allowed_actions` is missing'],
    [
      'a warning that the document does not tell',
      small.replace('[refund]', '[refund, refund]'),
      'stands twice',
    ],
    ['a warning that nobody gives', `${small}\n\`\`\`text check\nx\n\`\`\`\n`, 'where the document says'],
    [
      'a test that fails',
      `${small}\n\`\`\`yaml policy-test\npolicy: policy.yaml\ncases: [{ action: refund, expect: deny }]\n\`\`\`\n`,
      'deny',
    ],
    ['a fragment with an unknown key', `${small}\n\`\`\`yaml fragment\nrulse: []\n\`\`\`\n`, 'unknown key'],
    [
      'an addition with an error',
      `${small}\n\`\`\`yaml add\nforbidden_actions: [refund]\n\`\`\`\n`,
      'both allowed',
    ],
  ])('%s is found', (_, markdown, problem) => {
    const policy = new GrowingPolicy()
    expect(
      policyBlocks(markdown)
        .map((block) => policy.take(block))
        .join('\n'),
    ).toContain(problem)
  })

  test('an addition stays, and a fragment does not', () => {
    const policy = new GrowingPolicy()
    const found = policyBlocks(
      `${small}\n\`\`\`yaml add\nallowed_actions: [mail]\n\`\`\`\n\n\`\`\`yaml fragment\nforbidden_actions: [refund]\n\`\`\`\n\n` +
        '```yaml policy-test\npolicy: policy.yaml\ncases: [{ action: mail, expect: allow }, { action: refund, expect: allow }]\n```\n',
    ).map((block) => policy.take(block))
    expect(found).toEqual([undefined, undefined, undefined, undefined])
  })
})
