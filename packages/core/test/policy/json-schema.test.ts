import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { JsonObject } from '../../src/model/json.ts'
import { policyJsonSchema } from '../../src/policy/json-schema.ts'

const file = join(import.meta.dirname, '../../../../spec/policy.schema.json')

test('spec/policy.schema.json is what the reader of policies makes of itself', async () => {
  const written = JSON.parse(await readFile(file, 'utf8')) as JsonObject
  expect(written, 'build, then run node scripts/policy-schema.mjs').toEqual(policyJsonSchema())
})

test('every key of a policy is described', () => {
  const { properties } = policyJsonSchema() as { properties: Record<string, JsonObject> }
  const undescribed = Object.keys(properties).filter((key) => properties[key]?.['description'] === undefined)
  expect(undescribed).toEqual([])
})

test('keys that are not listed are refused wherever a map has keys of its own', () => {
  const open: string[] = []
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return
    const node = schema as Record<string, unknown>
    if (node['properties'] !== undefined && node['additionalProperties'] !== false) open.push(path)
    for (const [key, value] of Object.entries(node)) visit(value, `${path}/${key}`)
  }
  visit(policyJsonSchema()['properties'], '')
  expect(open).toEqual([])
})
