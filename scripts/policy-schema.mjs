/**
 * Writes spec/policy.schema.json, the JSON Schema of policy files for editors, from the schema that reads them. Needs
 * a build. A test holds the file to it.
 */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { policyJsonSchema } from '../packages/core/dist/index.js'

const file = fileURLToPath(new URL('../spec/policy.schema.json', import.meta.url))
const options = await resolveConfig(file)
await writeFile(file, await format(JSON.stringify(policyJsonSchema()), { ...options, filepath: file }))
