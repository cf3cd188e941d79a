import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  actorsOf,
  mayDo,
  meaningOf,
  others,
  permissions,
  roles,
  type Actor,
} from '../../src/http/permissions.ts'
import { describedRoutes, type DescribedRoute } from '../harness/contract.ts'
import { HttpService, type Caller } from '../harness/http-service.ts'

const actors: readonly Actor[] = [...roles, ...others]

let service: HttpService
const callers = new Map<Actor, Caller>()
beforeAll(async () => {
  service = await HttpService.open()
  for (const actor of actors) callers.set(actor, await callerOf(actor))
})
afterAll(() => service.close())

/** Somebody who stands in this column of the table. */
async function callerOf(actor: Actor): Promise<Caller> {
  if (actor === 'agent') return await service.agent()
  const personRoles = actor === 'none' ? [] : [actor === 'other' ? 'refunds-lead' : actor]
  return await service.person(`${actor}@example.com`, personRoles)
}

/** Every endpoint that somebody has to be known for; those that end sessions of the asker last. */
function closedRoutes(): readonly DescribedRoute[] {
  const closed = describedRoutes.filter((route) => route['x-permission'] !== 'anyone')
  return [...closed.filter((route) => !endsSession(route)), ...closed.filter(endsSession)]
}

/** Whether an endpoint ends the session that asks, or all of its person. */
function endsSession({ method, path }: DescribedRoute): boolean {
  return method === 'delete' && ['/v1/session', '/v1/account/totp'].includes(path)
}

/** A request to an endpoint that is well-formed as far as its address goes, and names nothing that exists. */
async function ask(caller: Caller, { method, path }: DescribedRoute) {
  const real = path
    .replace('/approvals/{id}', '/approvals/apr_999999')
    .replace('{person}', 'nobody@example.com')
    .replace('{path}', '000')
    .replaceAll(/\{[a-z]+\}/g, '999999')
  // Nobody reads the stream of events to its end.
  const verb = path === '/v1/events' ? 'HEAD' : method.toUpperCase()
  return await caller.send(verb, real, verb === 'POST' ? { json: {} } : {})
}

describe('who may do what', () => {
  test.each(permissions)(
    '`%s` is for those whom the table says, at every endpoint that takes it',
    async (permission) => {
      const routes = closedRoutes().filter((route) => route['x-permission'] === permission)
      expect(routes).not.toEqual([])
      for (const actor of actors) {
        for (const route of routes) {
          const caller = endsSession(route) ? await callerOf(actor) : callers.get(actor)
          const { status, text } = await ask(caller ?? service.anyone, route)
          const name = `${actor}: ${route.method} ${route.path} takes ${permission} → ${status} ${text}`
          expect(status === 403, name).toBe(!mayDo(actor, permission))
          expect(status, name).not.toBe(401)
        }
      }
    },
  )

  test('is nothing for nobody, nor for a page under another name that leads here', async () => {
    // What a browser sends for such a page: that name as host and origin, and no cookie of the console's name.
    const rebound = { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' }
    for (const caller of [service.anyone, service.caller(rebound, '')]) {
      for (const route of closedRoutes()) {
        const { status } = await ask(caller, route)
        expect(status, `${route.method} ${route.path}`).toBe(401)
      }
    }
  })

  test('is for a person with several roles what any of them allows, and no more', async () => {
    const both = await service.person('both@example.com', ['viewer', 'operator'])
    for (const route of closedRoutes()) {
      const permission = route['x-permission']
      if (permission === 'anyone' || endsSession(route)) continue
      const { status } = await ask(both, route)
      const may = mayDo('viewer', permission) || mayDo('operator', permission)
      expect(status === 403, `${route.method} ${route.path}`).toBe(!may)
    }
  })

  test('names permissions that some endpoint takes, and endpoints name no others', () => {
    for (const route of describedRoutes) {
      expect([...permissions, 'anyone'], route.path).toContain(route['x-permission'])
    }
  })

  test.each(['API', 'THREAT_MODEL'])(
    'stands in docs/%s.md as it is; UPDATE_SPEC=1 writes it anew',
    async (name) => {
      const document = new URL(`../../../../docs/${name}.md`, import.meta.url)
      const columns: readonly Actor[] = [...roles, 'other', 'none', 'agent']
      const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
      const table = [
        row(['', ...columns]),
        row(['---', ...columns.map(() => '---')]),
        ...permissions.map((permission) =>
          row([
            `\`${permission}\`: ${meaningOf(permission)}`,
            ...columns.map((actor) => (mayDo(actor, permission) ? 'yes' : '')),
          ]),
        ),
      ].join('\n')
      const text = await readFile(document, 'utf8')
      const written = /(?<=## Who may do what\n[^|]*)(?:\|.*\n)+/.exec(text)?.[0] ?? ''
      if (process.env['UPDATE_SPEC'] === '1') await writeFile(document, text.replace(written, `${table}\n`))
      else expect(written.trimEnd(), 'run this test with UPDATE_SPEC=1').toBe(table)
    },
  )
})

describe('an endpoint that names no permission', () => {
  test('is answered to nobody, whatever their roles', async () => {
    const fresh = await HttpService.open()
    try {
      fresh.app.get('/v1/forgotten', (context) => context.text('open'))
      const administrator = await fresh.person('root@example.com', [...roles])
      for (const caller of [administrator, await fresh.agent()]) {
        expect((await caller.get('/v1/forgotten')).status).toBe(404)
      }
      expect((await fresh.anyone.get('/v1/forgotten')).status).toBe(401)
    } finally {
      await fresh.close()
    }
  })
})

describe('roles', () => {
  test('that only a policy names are one column, no role is another', () => {
    expect(actorsOf(['refunds-lead', 'auditor'])).toEqual(['other', 'auditor'])
    expect(actorsOf([])).toEqual(['none'])
    // Words of the table's other columns are no way into them.
    expect(actorsOf(['agent'])).toEqual(['other'])
  })
})
