import { readFile } from 'node:fs/promises'
import { Fault, faultCodes } from '@bailiwick/core'
import { describe, expect, test } from 'vitest'
import { problemDocument } from '../../src/http/problem-schema.ts'
import { problemDocumentOf } from '../../src/http/problems.ts'
import { describedRoutes } from '../harness/contract.ts'

const docs = new URL('../../../../docs/API.md', import.meta.url)
const spec = new URL('../../../../spec/openapi.json', import.meta.url)

const documentOf = (code: (typeof faultCodes)[number]) =>
  problemDocumentOf(new Fault(code, 'something is wrong', { fix: 'Mend it.' }))
const statusOf = Object.fromEntries(faultCodes.map((code) => [code, documentOf(code).status]))

describe('the types of problem documents', () => {
  test('are the codes of faults, each with the status that docs/API.md says, and it says no others', async () => {
    const [, section = ''] = (await readFile(docs, 'utf8')).split('\n## Problems\n')
    const rows = [...section.matchAll(/^\| `([a-z_]+)` \| (\d{3}) \|/gm)].map(
      ([, code = '', status]) => [code, Number(status)] as const,
    )
    expect(rows).toHaveLength(faultCodes.length)
    expect(Object.fromEntries(rows)).toEqual(statusOf)
  })

  test('are all in the description, and another one is none', async () => {
    const { components } = JSON.parse(await readFile(spec, 'utf8'))
    const types = faultCodes.map((code) => documentOf(code).type)
    expect(components.schemas.Problem.properties.type.enum).toEqual(types)
    for (const code of faultCodes) expect(problemDocument.parse(documentOf(code))).toEqual(documentOf(code))
    const other = { ...documentOf('internal'), type: 'urn:bailiwick:problem:other' }
    expect(problemDocument.safeParse(other).success).toBe(false)
  })

  test('have every status of a problem that an endpoint promises', () => {
    const known = new Set(Object.values(statusOf))
    for (const { method, path, responses } of describedRoutes) {
      const promised = Object.keys(responses)
        .map(Number)
        .filter((status) => status >= 400)
      expect(
        promised.filter((status) => !known.has(status)),
        `${method} ${path}`,
      ).toEqual([])
    }
  })
})
