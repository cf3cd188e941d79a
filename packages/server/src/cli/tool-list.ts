import { Fault, nameLengthMax } from '@bailiwick/core'

/** A tool as its server or its program declares it. What it says of itself is its own word. */
export interface DeclaredTool {
  readonly name: string
  readonly description: string
  /** The JSON Schema of its parameters; undefined where it declares none. */
  readonly params: unknown
  /** MCP's `annotations`: hints that nobody has checked. */
  readonly hints: ToolHints
}

/** What a tool claims about what it does; undefined where it claims nothing. */
export interface ToolHints {
  readonly readOnly: boolean | undefined
  readonly destructive: boolean | undefined
}

/** How large a list of tools may be, in bytes. */
export const toolListBytesMax = 4 * 1024 * 1024
const toolsMax = 1000

type Members = Readonly<Record<string, unknown>>

/**
 * Reads a list of tools: an MCP `tools/list` result (with or without its JSON-RPC envelope), an array of MCP tools, of
 * OpenAI functions, or of anything with a name and a schema, or one such object on each line.
 *
 * @throws Fault `bad_input` for anything else, and where a tool has no name
 */
export function readToolList(text: string, source: string): readonly DeclaredTool[] {
  const tools = listIn(parsed(text, source)).map((item, at) => toolOf(item, at, source))
  if (tools.length === 0) throw noTools(source)
  if (tools.length <= toolsMax) return tools
  throw new Fault('bad_input', `${source} has more than ${toolsMax} tools`, {
    fix: 'Draft a policy from the tools of one agent.',
  })
}

function parsed(text: string, source: string): unknown {
  const trimmed = text.replace(/^\uFEFF/, '').trim()
  const whole = jsonOf(trimmed)
  if (whole !== undefined) return whole
  const lines = trimmed.split(/\r?\n/).filter((line) => line.trim() !== '')
  const values = lines.map(jsonOf)
  if (values.length > 1 && !values.includes(undefined)) return values
  throw new Fault('bad_input', `${source} is not JSON`, {
    fix: 'Give the result of `tools/list`, a JSON array of tools, or one tool on each line.',
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function listIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  const tools = memberOf(value, 'tools') ?? memberOf(memberOf(value, 'result'), 'tools')
  if (Array.isArray(tools)) return tools
  return memberOf(value, 'name') === undefined && memberOf(value, 'function') === undefined ? [] : [value]
}

function toolOf(item: unknown, at: number, source: string): DeclaredTool {
  const declared = isMembers(memberOf(item, 'function')) ? memberOf(item, 'function') : item
  const name = memberOf(declared, 'name') ?? memberOf(declared, 'tool')
  if (typeof name !== 'string' || name === '') {
    throw new Fault('bad_input', `tool ${at + 1} of ${source} has no name`, {
      fix: 'Each tool needs a `name`, and should have a `description` and a schema of its parameters.',
    })
  }
  const description = memberOf(declared, 'description')
  const annotations = memberOf(declared, 'annotations')
  return {
    name,
    description: typeof description === 'string' ? description : '',
    params:
      memberOf(declared, 'inputSchema') ??
      memberOf(declared, 'input_schema') ??
      memberOf(declared, 'parameters') ??
      undefined,
    hints: { readOnly: hint(annotations, 'readOnlyHint'), destructive: hint(annotations, 'destructiveHint') },
  }
}

function hint(annotations: unknown, name: string): boolean | undefined {
  const value = memberOf(annotations, name)
  return typeof value === 'boolean' ? value : undefined
}

/** Why a policy cannot name the tool; undefined where it can. */
export function unnameable({ name }: DeclaredTool): string | undefined {
  if (name.length > nameLengthMax) return `its name is longer than ${nameLengthMax} characters`
  if (/[\s\p{C}]/u.test(name)) return 'its name contains white space or control characters'
  if (name.includes('*')) return 'its name contains `*`, which a policy reads as a pattern'
  return name === '__proto__' ? 'its name cannot be a key' : undefined
}

function memberOf(value: unknown, name: string): unknown {
  return isMembers(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function noTools(source: string): Fault {
  return new Fault('bad_input', `there is no tool in ${source}`, {
    fix: 'Give the result of `tools/list`, a JSON array of tools, or one tool on each line.',
  })
}
