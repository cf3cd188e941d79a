import {
  blockLines,
  compileParamsSchema,
  exampleParams,
  flowText,
  narrowParamsSchema,
  onOneLine,
  scalarText,
  type Json,
  type JsonObject,
  type NarrowedSchema,
} from '@bailiwick/core'
import { classifyTool, type ClassifiedTool, type ToolClass } from './tool-class.ts'
import { unnameable, type DeclaredTool } from './tool-list.ts'

/** A policy that somebody has to read before it binds anybody, with a test of it. */
export interface DraftedPolicy {
  readonly policy: string
  readonly test: string
  /** How many tools it allows, lets wait for a person, forbids, and could not name. */
  readonly counts: { readonly [Class in ToolClass]: number } & { readonly left: number }
}

/** What `draftPolicy` needs beside the tools. */
export interface DraftOptions {
  readonly agent: string
  /** The policy's file name, as the test beside it names it. */
  readonly policyFile: string
}

interface DraftedTool extends ClassifiedTool {
  readonly narrowed: NarrowedSchema | undefined
}

const route = 'human_approval_required'

/**
 * Drafts a policy: what only reads is allowed, what changes something waits for a person, what destroys is forbidden.
 * Of tools with one name the most cautious reading counts, and a schema only where they agree on it.
 */
export function draftPolicy(declared: readonly DeclaredTool[], options: DraftOptions): DraftedPolicy {
  const left = declared.flatMap((tool) => {
    const why = unnameable(tool)
    return why === undefined ? [] : [{ name: tool.name, why }]
  })
  const tools = drafted(declared.filter((tool) => unnameable(tool) === undefined))
  const of = (wanted: ToolClass) => tools.filter((tool) => tool.class === wanted)
  const [reads, writes, destructive] = [of('read'), of('write'), of('destructive')]
  const policy = [
    ...headLines(tools.length, options.agent),
    ...left.map(({ name, why }) =>
      comment(`Not in this policy, and so denied: ${JSON.stringify(name)}, because ${why}.`),
    ),
    '',
    ...listLines('allowed_actions', [
      ['These only read.', reads],
      ['These wait for a person: see the rule `changes-wait` below.', writes],
    ]),
    '',
    ...listLines('forbidden_actions', [
      ['These destroy. Move one up only together with a rule for it.', destructive],
    ]),
    ...ruleLines(writes),
    ...actionLines(tools),
  ]
  return {
    policy: `${policy.join('\n')}\n`,
    test: `${testLines(tools, options).join('\n')}\n`,
    counts: { read: reads.length, write: writes.length, destructive: destructive.length, left: left.length },
  }
}

function drafted(declared: readonly DeclaredTool[]): readonly DraftedTool[] {
  const byName = new Map<string, DeclaredTool[]>()
  for (const tool of declared) byName.set(tool.name, [...(byName.get(tool.name) ?? []), tool])
  const order: readonly ToolClass[] = ['read', 'write', 'destructive']
  return [...byName.values()].flatMap((same): DraftedTool[] => {
    const classified = same.map(classifyTool).sort((a, b) => order.indexOf(b.class) - order.indexOf(a.class))
    const [worst] = classified
    if (worst === undefined) return []
    const schemas = new Set(same.map(({ params }) => JSON.stringify(params)))
    const narrowed = worst.tool.params === undefined ? undefined : narrowParamsSchema(worst.tool.params)
    if (schemas.size === 1) return [{ ...worst, narrowed }]
    const notes = [`left out: the schema, because ${same.length} tools have this name and other schemas`]
    return [{ ...worst, narrowed: { schema: { type: 'object' }, notes } }]
  })
}

function headLines(count: number, agent: string): readonly string[] {
  return [
    `# A draft from ${count === 1 ? 'one tool' : `${count} tools`}, made by \`bailiwick init --from-tools\`.`,
    '# It goes by names, descriptions and annotations, which are the word of whoever wrote the tools. Read it',
    '# line by line before it binds anybody; the comment at each action says why it stands where it does.',
    '# Try it with `bailiwick check` and `bailiwick test`.',
    '',
    `agent_id: ${scalarText(agent)}`,
  ]
}

function listLines(
  key: string,
  groups: readonly (readonly [string, readonly DraftedTool[]])[],
): readonly string[] {
  const filled = groups.filter(([, tools]) => tools.length > 0)
  if (filled.length === 0) return [`${key}: []`]
  return [
    `${key}:`,
    ...filled.flatMap(([title, tools]) => [
      `  ${comment(title)}`,
      ...tools.map(({ tool, why }) => `  - ${scalarText(tool.name)} ${comment(why)}`),
    ]),
  ]
}

function ruleLines(writes: readonly DraftedTool[]): readonly string[] {
  if (writes.length === 0) return []
  return [
    '',
    'rules:',
    '  # Give the harmless ones rules of their own with conditions, or take them out of this list.',
    '  - id: changes-wait',
    '    on:',
    ...writes.map(({ tool }) => `      - ${scalarText(tool.name)}`),
    '    effect: escalate',
    `    action: ${route}`,
    '',
    'approvals:',
    '  # Anyone with the role `approver` or `administrator`, unless `approvers` names somebody.',
    `  ${route}: { quorum: 1, deadline: 5m }`,
  ]
}

function actionLines(tools: readonly DraftedTool[]): readonly string[] {
  const withSchema = tools.flatMap(({ tool, narrowed }) =>
    narrowed === undefined ? [] : [{ tool, narrowed }],
  )
  if (withSchema.length === 0) return []
  return [
    '',
    '# What the tools say of their parameters. A call that does not fit is denied.',
    'actions:',
    ...withSchema.flatMap(({ tool, narrowed }) => [
      `  ${scalarText(tool.name)}:`,
      ...narrowed.notes.map((note) => `    ${comment(note)}`),
      ...blockLines('params', narrowed.schema, 4),
    ]),
  ]
}

function testLines(tools: readonly DraftedTool[], { policyFile }: DraftOptions): readonly string[] {
  return [
    `# Drafted with ${policyFile}. In CI, \`bailiwick test\` stops a policy that no longer does what this says.`,
    `policy: ${scalarText(policyFile)}`,
    'cases:',
    ...tools.flatMap((tool) => caseLines(tool)),
    '  - name: what the policy does not mention is denied',
    `    action: ${scalarText(unusedName(tools))}`,
    '    expect: { effect: deny, reason: "Action not in allowed list" }',
  ]
}

const expectations: Readonly<Record<ToolClass, { readonly says: string; readonly expect: string }>> = {
  read: { says: 'is allowed', expect: 'allow' },
  write: {
    says: 'waits for a person',
    expect: `{ effect: escalate, reason: "Escalation required: ${route}", rules: [changes-wait] }`,
  },
  destructive: { says: 'is forbidden', expect: '{ effect: deny, reason: "Action is forbidden by policy" }' },
}

function caseLines({ tool, class: found, narrowed }: DraftedTool): readonly string[] {
  const { says, expect } = expectations[found]
  const params: JsonObject | undefined = narrowed === undefined ? {} : exampleParams(narrowed.schema)
  if (params === undefined && found !== 'destructive') {
    return [
      `  ${comment(`No case for ${tool.name}: no parameters that fit can be told from its schema. Write one.`)}`,
    ]
  }
  const given = Object.keys(params ?? {}).length === 0 ? [] : [`    params: ${flowText(params as Json)}`]
  return [
    `  - name: ${caseName(tool, says)}`,
    `    action: ${scalarText(tool.name)}`,
    ...given,
    `    expect: ${expect}`,
    '',
    ...(found !== 'destructive' && needsParams(narrowed) ? deniedWithoutParams(tool) : []),
  ]
}

function needsParams(narrowed: NarrowedSchema | undefined): boolean {
  const compiled = narrowed === undefined ? undefined : compileParamsSchema(narrowed.schema)
  return compiled?.kind === 'compiled' && !compiled.schema.accepts({})
}

function deniedWithoutParams(tool: DeclaredTool): readonly string[] {
  return [
    `  - name: ${caseName(tool, 'without parameters is denied')}`,
    `    action: ${scalarText(tool.name)}`,
    '    expect: deny',
    '',
  ]
}

function caseName({ name }: DeclaredTool, says: string): string {
  return flowText(`${name} ${says}`.slice(-200))
}

function unusedName(tools: readonly DraftedTool[]): string {
  const names = new Set(tools.map(({ tool }) => tool.name))
  let name = 'something_else'
  while (names.has(name)) name += '_'
  return name
}

/** Text of a tool must not end the comment that it stands in. */
function comment(text: string): string {
  return `# ${onOneLine(text)}`
}
