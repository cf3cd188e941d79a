import { policyBytesMax } from '../model/limits.ts'
import { plannedKeys, policySchema, type PolicyFile } from './schema.ts'
import { shapeYaml, type ShapedYaml, type YamlFormat } from './yaml-file.ts'

/** The policy file of this version. */
export const policyFormat: YamlFormat<PolicyFile> = {
  name: 'the policy',
  schema: policySchema,
  bytesMax: policyBytesMax,
  tooLargeFix: 'split it into one file per agent',
  planned: plannedKeys,
}

/** Reads YAML and checks which keys stand where. Reports every problem, in the order of the file. */
export function shapePolicy(text: string): ShapedYaml<PolicyFile> {
  return shapeYaml(text, policyFormat)
}
