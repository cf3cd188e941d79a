import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classifyTool, type ToolClass } from '../../src/cli/tool-class.ts'
import { readToolList, type DeclaredTool } from '../../src/cli/tool-list.ts'

function tool(name: string, more: Partial<DeclaredTool> = {}): DeclaredTool {
  return {
    name,
    description: '',
    params: undefined,
    hints: { readOnly: undefined, destructive: undefined },
    ...more,
  }
}

const withParams = (...names: string[]) => ({
  params: { type: 'object', properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) },
})

describe('the name', () => {
  test.each<[name: string, expected: ToolClass]>([
    ['get_balance', 'read'],
    ['listFiles', 'read'],
    ['search-web', 'read'],
    ['github.list_issues', 'read'],
    ['mcp__files__read_file', 'read'],
    ['get_scheduled_transactions', 'read'],
    ['send_money', 'write'],
    ['updateUserInfo', 'write'],
    ['schedule_transaction', 'write'],
    ['book_reservation', 'write'],
    ['transfer_to_human_agents', 'write'],
    ['refund.promise', 'write'],
    ['sql.execute', 'write'],
    ['get_and_update_user', 'write'],
    ['find_or_create_user', 'write'],
    ['delete_account', 'destructive'],
    ['gmail.messages.batchDelete', 'destructive'],
    ['gmail.messages.trash', 'destructive'],
    ['aws.cloudformation.delete_stack', 'destructive'],
    ['railway.volume_delete', 'destructive'],
    ['removeUser', 'destructive'],
    ['DROPTable', 'destructive'],
    ['drop_table', 'destructive'],
    ['read_and_delete_mail', 'write'],
    ['frobnicate', 'write'],
    ['', 'write'],
  ])('%s is %s', (name, expected) => {
    expect(classifyTool(tool(name)).class).toBe(expected)
  })
})

describe('annotations are hints', () => {
  const readOnly = { hints: { readOnly: true, destructive: undefined } }
  const harmless = { hints: { readOnly: true, destructive: false } }
  const destructive = { hints: { readOnly: undefined, destructive: true } }

  test('they decide where the name says nothing', () => {
    expect(classifyTool(tool('frobnicate'))).toMatchObject({ class: 'write' })
    expect(classifyTool(tool('frobnicate', readOnly))).toMatchObject({
      class: 'read',
      why: 'it is annotated as read-only, by its own word',
    })
    expect(classifyTool(tool('frobnicate', destructive)).class).toBe('destructive')
  })

  test('they make a draft more cautious, and never less', () => {
    expect(classifyTool(tool('get_file', destructive)).class).toBe('destructive')
    expect(classifyTool(tool('get_file', { hints: { readOnly: false, destructive: undefined } })).class).toBe(
      'write',
    )
    expect(classifyTool(tool('send_mail', harmless)).class).toBe('write')
    expect(classifyTool(tool('delete_file', harmless)).class).toBe('destructive')
    expect(classifyTool(tool('frobnicate', { ...readOnly, description: 'Deletes everything.' })).class).toBe(
      'destructive',
    )
    expect(classifyTool(tool('frobnicate', { ...readOnly, ...withParams('sql') })).class).toBe('write')
  })

  test('one that claims both is taken at the worse', () => {
    expect(classifyTool(tool('get_file', { hints: { readOnly: true, destructive: true } })).class).toBe(
      'destructive',
    )
  })

  const order: readonly ToolClass[] = ['read', 'write', 'destructive']
  const flag = fc.constantFrom(undefined, true, false)
  const name = fc
    .array(fc.constantFrom('get', 'send', 'delete', 'user', 'and', 'order', 'x'), {
      minLength: 1,
      maxLength: 3,
    })
    .map((words) => words.join('_'))
  const description = fc.constantFrom(
    '',
    'Gets a thing.',
    'Sends a thing.',
    'Deletes a thing.',
    'It cannot be undone.',
  )

  test('nothing that is said makes a tool less cautious than its name alone, where that says anything', () => {
    fc.assert(
      fc.property(name, description, flag, flag, (text, says, readOnlyHint, destructiveHint) => {
        const alone = classifyTool(tool(text))
        const all = classifyTool(
          tool(text, { description: says, hints: { readOnly: readOnlyHint, destructive: destructiveHint } }),
        )
        const isSilent = alone.why === 'nothing says what it does'
        if (!isSilent) expect(order.indexOf(all.class)).toBeGreaterThanOrEqual(order.indexOf(alone.class))
        else if (all.class === 'read') expect(readOnlyHint).toBe(true)
      }),
    )
  })
})

describe('description and parameters make a tool more cautious', () => {
  test.each<[name: string, more: Partial<DeclaredTool>, expected: ToolClass]>([
    ['get_user', { description: 'Gets a user.' }, 'read'],
    ['get_user', { description: 'Updates the user and returns it.' }, 'write'],
    ['process_user', { description: 'Deletes the user.' }, 'destructive'],
    ['get_user', { description: 'Returns the user and permanently removes it from the queue.' }, 'write'],
    ['frobnicate', { description: 'Gets a user.' }, 'write'],
    ['query_database', withParams('query'), 'read'],
    ['query_database', withParams('sql'), 'write'],
    ['get_page', withParams('path'), 'read'],
    ['get_page', withParams('url'), 'write'],
  ])('%s with %j is %s', (name, more, expected) => {
    expect(classifyTool(tool(name, more)).class).toBe(expected)
  })
})

describe('a list of tools', () => {
  const schema = { type: 'object', properties: {} }
  const mcp = {
    name: 'get_a',
    description: 'A',
    inputSchema: schema,
    annotations: { readOnlyHint: true, destructiveHint: 'no' },
  }
  const openai = { type: 'function', function: { name: 'get_a', description: 'A', parameters: schema } }

  test.each<[name: string, text: string]>([
    ['as the result of tools/list', JSON.stringify({ tools: [mcp], nextCursor: 'x' })],
    ['in its envelope', JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools: [mcp] } })],
    ['as an array', JSON.stringify([mcp])],
    ['as one tool', JSON.stringify(mcp)],
    ['as OpenAI functions', JSON.stringify([openai])],
    [
      'as flat functions',
      JSON.stringify([{ type: 'function', name: 'get_a', description: 'A', parameters: schema }]),
    ],
    ['with input_schema', JSON.stringify([{ name: 'get_a', description: 'A', input_schema: schema }])],
    ['one on each line', `${JSON.stringify(mcp)}\n${JSON.stringify({ ...mcp, name: 'get_b' })}\n`],
    ['with a byte order mark', `\uFEFF${JSON.stringify([mcp])}`],
  ])('is read %s', (_, text) => {
    const [first] = readToolList(text, 'x')
    expect(first).toMatchObject({ name: 'get_a', description: 'A', params: schema })
    expect(first?.hints.destructive).toBeUndefined()
  })

  test.each([
    ['no JSON', 'tools:', 'is not JSON'],
    ['an empty list', '[]', 'there is no tool'],
    ['another object', '{"a": 1}', 'there is no tool'],
    ['a text', '"get_a"', 'there is no tool'],
    ['a tool without a name', '[{"name": "a"}, {"description": "b"}]', 'tool 2 of x has no name'],
    ['a name that is none', '[{"name": 7}]', 'tool 1 of x has no name'],
    [
      'too many',
      JSON.stringify(Array.from({ length: 1001 }, (_, at) => ({ name: `t${at}` }))),
      'more than 1000',
    ],
  ])('that is %s is refused', (_, text, message) => {
    expect(() => readToolList(text, 'x')).toThrow(message)
  })
})
