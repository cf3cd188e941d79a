import { policyBytesMax } from '../model/limits.ts'
import { parentSchema, plannedKeys, policyOfAgentsSchema, policySchema, type PolicyFile } from './schema.ts'
import { shapeYaml, type ShapedYaml, type YamlFormat } from './yaml-file.ts'

const planned = [...plannedKeys].map(
  (key) =>
    [
      key,
      {
        why: 'is not enforced by this version',
        fix: 'remove it: a policy must not promise what nothing enforces',
      },
    ] as const,
)

/** The policy file of this version. */
export const policyFormat: YamlFormat<PolicyFile> = {
  name: 'the policy',
  schemaFor: (json) => (namesSeveralAgents(json) ? policyOfAgentsSchema : policySchema),
  bytesMax: policyBytesMax,
  tooLargeFix: 'split it into one file per agent',
  refused: new Map([
    ...planned,
    ['agent_id', { why: 'stands beside `agents`', fix: 'keep one of the two' }],
    ['agents', { why: 'stands beside `agent_id`', fix: 'keep one of the two' }],
  ]),
  missing: new Map([
    ['agent_id', 'add it, or check a policy that extends this file, if it is for others to extend'],
  ]),
}

const bindsNobody = {
  why: 'cannot stand in a file that others extend: it binds no agent',
  fix: 'move it to the policy that extends this file',
}

/** A file that policies extend. */
export const parentFormat: YamlFormat<PolicyFile> = {
  ...policyFormat,
  schemaFor: () => parentSchema,
  tooLargeFix: 'split it into several files',
  refused: new Map([...planned, ['agent_id', bindsNobody], ['agents', bindsNobody]]),
}

function namesSeveralAgents(json: unknown): boolean {
  return (
    typeof json === 'object' &&
    json !== null &&
    Object.hasOwn(json, 'agents') &&
    !Object.hasOwn(json, 'agent_id')
  )
}

/** Reads YAML and checks which keys stand where. Reports every problem, in the order of the file. */
export function shapePolicy(
  text: string,
  format: YamlFormat<PolicyFile> = policyFormat,
): ShapedYaml<PolicyFile> {
  return shapeYaml(text, format)
}
