import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLookups, GovernanceEnforcer, lookupSettings } from '../../src/index.ts'
import { agentId } from '../harness/policies.ts'
import { impatientClient, ServicePlace } from '../harness/service.ts'
import { allowing, Servers } from './needs.ts'

const servers = new Servers()
let place: ServicePlace

beforeEach(async () => {
  place = await ServicePlace.onServer()
})
afterEach(async () => {
  await place.remove()
  await servers.stop()
})

const json = { 'content-type': 'application/json' }

async function writePolicy(origin: string): Promise<void> {
  await writeFile(
    join(place.policies, 'support.yaml'),
    `agent_id: ${agentId}
allowed_actions: [issue_refund, close_ticket]
facts:
  tier: {type: string, from: {http: "${origin}/customers/{params.customer}", select: tier, timeout: 2s}}
  letters: {type: number, from: {sql: "select length($1)", args: [params.customer], source: orders, timeout: 5s}}
rules:
  - {id: no-free-refunds, on: issue_refund, condition: "tier == 'free'", effect: deny}
escalation_rules:
  - {id: long-names, on: close_ticket, condition: letters > 5, action: human_approval_required}
`,
  )
}

describe('a service', () => {
  test('decides with facts of other systems, and fails closed where they have none', async () => {
    let status = 200
    const origin = await servers.start((request, response) => {
      const tier = request.url === '/customers/alice' ? 'gold' : 'free'
      response.writeHead(status, json).end(JSON.stringify({ tier }))
    })
    await writePolicy(origin)
    const env = { ...allowing(origin), BAILIWICK_SOURCE_ORDERS: place.databaseUrl }
    const service = await place.start({ env })
    const client = impatientClient(service.url, await place.createKey())
    const effectOf = async (action: string, customer: string) => {
      const { effect, rules } = await client.check(action, { customer })
      return [effect, rules.map(({ id, because }) => `${id} ${because}`).join()]
    }

    expect(await effectOf('issue_refund', 'alice')).toEqual([
      'allow',
      expect.stringMatching(/^allowed_actions\[\d\] matched$/),
    ])
    expect(await effectOf('issue_refund', 'bob')).toEqual(['deny', 'no-free-refunds matched'])
    expect(await effectOf('close_ticket', 'bob')).toEqual([
      'allow',
      expect.stringMatching(/^allowed_actions\[\d\] matched$/),
    ])
    expect(await effectOf('close_ticket', 'barbara')).toEqual(['escalate', 'long-names matched'])

    status = 503
    expect(await effectOf('issue_refund', 'alice')).toEqual(['deny', 'no-free-refunds condition_error'])
    expect(await effectOf('close_ticket', '\0')).toEqual(['escalate', 'long-names condition_error'])
    await service.stop()
    expect(place.lines).toEqual([])
  })

  test('starts without the sources that its policies name, says so, and fails closed', async () => {
    await writePolicy('https://crm.example.com')
    const service = await place.start()
    expect(place.lines).toEqual([
      `lookups: \`${agentId}\`: the fact \`tier\` in line 4 cannot be looked up; add https://crm.example.com to BAILIWICK_LOOKUP_HOSTS`,
      `lookups: \`${agentId}\`: the fact \`letters\` in line 5 cannot be looked up; set BAILIWICK_SOURCE_ORDERS`,
    ])
    const client = impatientClient(service.url, await place.createKey())
    expect(await client.check('issue_refund', { customer: 'alice' })).toMatchObject({ effect: 'deny' })
    expect(await client.check('close_ticket', { customer: 'alice' })).toMatchObject({ effect: 'escalate' })
  })

  test('does not start with sources that cannot be meant', async () => {
    for (const env of [
      { BAILIWICK_LOOKUP_HOSTS: 'http://crm.example.com' },
      { BAILIWICK_SOURCE_ORDERS: 'mysql://user:s3cret@db/orders' },
    ]) {
      await expect(place.start({ env })).rejects.toMatchObject({ code: 'bad_input' })
    }
  })
})

test('an enforcer in the agent’s own process looks facts up the same way, and runs nothing where it cannot', async () => {
  const origin = await servers.startAnswering({ tier: 'gold' })
  await writePolicy(origin)
  const { policies, dataDir, databaseUrl } = place
  const ran: string[] = []
  for (const [name, env] of Object.entries({ allowed: allowing(origin), nobody: {} })) {
    const lookups = createLookups(lookupSettings(env))
    const enforcer = await GovernanceEnforcer.open({ policies, dataDir, databaseUrl, lookups })
    const governed = await enforcer.govern('issue_refund', { customer: 'alice' }, () => ran.push(name))
    expect(governed.kind).toBe(name === 'allowed' ? 'ran' : 'withheld')
    await enforcer.close()
    await lookups.close()
  }
  expect(ran).toEqual(['allowed'])
})
