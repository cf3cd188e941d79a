import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { listPolicies } from '@bailiwick/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectRefused, HttpService, type Caller } from '../harness/http-service.ts'

const text = `agent_id: support
version: 3
domain: orders
extends: org/base.yaml
allowed_actions: [pay]
`

let service: HttpService
let agent: Caller
let person: Caller

beforeAll(async () => {
  service = await HttpService.open()
  agent = await service.agent()
  person = await service.person()
})
afterAll(() => service.close())

describe('policies', () => {
  test('are listed with their hash, their agents and the record with which they came into force', async () => {
    const { body } = await person.get('/v1/policies')
    expect(body.policies).toHaveLength(1)
    const [listed] = body.policies
    expect(listed).toMatchObject({
      policy: { id: 'customer-support-agent-v2', version: null },
      agents: ['customer-support-agent-v2'],
      domain: 'order_management',
      mode: 'enforce',
      extends: [],
      earlier: [],
    })
    expect(listed.since.policy).toEqual(listed.policy)
    expect(listed.since.at).toMatch(/^20\d\d-/)
  })

  test('are shown as they are written', async () => {
    const [{ policy }] = (await person.get('/v1/policies')).body.policies
    const { body } = await person.get(`/v1/policies/${policy.sha256}`)
    expect(body).toMatchObject({ policy, inForce: true, parents: [] })
    expect(body.source).toContain('allowed_actions: ["issue_refund"')
  })

  test('that are not in force here are listed beside the one that is, and can be read with what they extend', async () => {
    const [{ policy: before }] = (await person.get('/v1/policies')).body.policies
    const folder = join(service.dir, 'policies')
    await mkdir(join(folder, 'org'), { recursive: true })
    await writeFile(join(folder, 'org', 'base.yaml'), 'forbidden_actions: [delete]\n')
    await writeFile(join(folder, 'support.yaml'), text.replace('agent_id: support', `agent_id: ${before.id}`))
    // As another service that was started with the changed files.
    const other = await service.otherLedger()
    try {
      const [listed] = await listPolicies(other.pool, other.name, other.policies)
      expect(listed).toMatchObject({ policy: { version: 3 }, extends: ['org/base.yaml'] })
      expect(listed?.earlier.map(({ policy }) => policy)).toEqual([before])
      const { body } = await person.get(`/v1/policies/${listed?.policy.sha256}`)
      expect(body).toMatchObject({ policy: { version: 3 }, inForce: false })
      expect(body.parents).toEqual([{ file: 'org/base.yaml', source: 'forbidden_actions: [delete]\n' }])
    } finally {
      await other.close()
    }
  })

  test('are for people, and what is no hash of one is refused', async () => {
    await expectRefused(service, () => agent.get('/v1/policies'), 403, 'not_permitted')
    const nowhere = '0'.repeat(64)
    await expectRefused(service, () => agent.get(`/v1/policies/${nowhere}`), 403, 'not_permitted')
    await expectRefused(service, () => person.get(`/v1/policies/${nowhere}`), 404, 'not_found')
    await expectRefused(service, () => person.get('/v1/policies/ABC'), 400, 'bad_input')
  })
})
