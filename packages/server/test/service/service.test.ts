import { readdir, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { Fault } from '@bailiwick/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { processExists } from '../../../store/src/engine/postmaster-file.ts'
import { eventually } from '../harness/eventually.ts'
import { impatientClient, ServicePlace, signIn } from '../harness/service.ts'

let place: ServicePlace

beforeEach(async () => {
  place = await ServicePlace.make()
})
afterEach(async () => {
  await place.remove()
})

/** Without a data directory. */
async function startAnew(): Promise<void> {
  await place.remove()
  place = await ServicePlace.empty()
}

const statusOf = async (url: string) => (await fetch(url)).status
const refusal = (started: Promise<unknown>): Promise<Fault> =>
  started.then(
    () => expect.unreachable('it started'),
    (fault: unknown) => {
      expect(fault).toBeInstanceOf(Fault)
      return fault as Fault
    },
  )

async function expectNothingListens(url: string): Promise<void> {
  await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed')
}

describe('a service on an empty directory', () => {
  test('starts its own PostgreSQL, decides, and takes everything with it when it stops', async () => {
    await startAnew()
    const service = await place.start()
    // The policy takes the flag of a VIP from the model's own words.
    expect(service.warnings.map(({ problem }) => problem.message).join()).toContain('customer_flagged_as_vip')
    expect(await statusOf(`${service.url}/healthz`)).toBe(200)
    expect(await statusOf(`${service.url}/readyz`)).toBe(200)
    const pid = await place.postgresPid()
    expect(pid).toBeDefined()

    const client = impatientClient(service.url, await place.createKey())
    expect((await client.check('issue_refund', { amount: 100 })).effect).toBe('allow')
    expect((await client.check('delete_account', {})).effect).toBe('deny')

    await Promise.all([service.stop(), service.stop()])
    await expectNothingListens(service.url)
    expect(await place.postgresPid()).toBeUndefined()
    expect(processExists(pid ?? 0)).toBe(false)
    expect(place.lines).toEqual([])
  })

  test('offers a sign-in link that works once, and none any more once somebody is signed in', async () => {
    const first = await place.start()
    const localhost = first.url.replace('127.0.0.1', 'localhost')
    expect(first.signInUrl).toMatch(new RegExp(`^${localhost}/sign-in#token=[A-Za-z0-9_-]{43}$`))
    await signIn(first.signInUrl ?? '')
    await expect(signIn(first.signInUrl ?? '')).rejects.toThrow('401')
    await first.stop()
    const second = await place.start()
    expect(second.signInUrl).toBeUndefined()
  })

  test('offers another link where the first was not used', async () => {
    const first = await place.start()
    await first.stop()
    const second = await place.start()
    expect(second.signInUrl).toBeDefined()
    await signIn(second.signInUrl ?? '')
  })

  test('can be started again right after it was stopped, any number of times', async () => {
    for (let times = 0; times < 3; times++) {
      const service = await place.start()
      expect(await statusOf(`${service.url}/readyz`)).toBe(200)
      await service.stop()
      expect(await place.postgresPid()).toBeUndefined()
    }
  })

  test('names itself in links as BAILIWICK_URL says', async () => {
    const service = await place.start({ env: { BAILIWICK_URL: 'https://bailiwick.example.com/' } })
    expect(service.signInUrl).toMatch(/^https:\/\/bailiwick\.example\.com\/sign-in#token=/)
    const client = impatientClient(service.url, await place.createKey())
    const { approval } = await client.check('issue_refund', { amount: 600 })
    expect(approval?.url).toBe(`https://bailiwick.example.com/approvals/${approval?.id}`)
  })
})

describe('the checkpoint', () => {
  test('follows the log onto the disk by itself, and has all of it when the service has stopped', async () => {
    const service = await place.start()
    const client = impatientClient(service.url, await place.createKey())
    const { record } = await client.check('issue_refund', { amount: 1 })
    await eventually(
      'a checkpoint of the decision',
      async () => ((await place.checkpoint())?.size ?? 0) > record.index,
    )

    const last = await client.check('issue_refund', { amount: 2 })
    await service.stop()
    expect((await place.checkpoint())?.size).toBe(last.record.index + 1)
  })
})

describe('a service refuses to start', () => {
  test('where another one runs on the data directory, which runs on', async () => {
    const running = await place.start()
    const fault = await refusal(place.start())
    expect(fault).toMatchObject({
      code: 'conflict',
      message: 'another service already runs on this data directory',
    })
    expect(fault.fix).toContain('--data')
    expect(await statusOf(`${running.url}/readyz`)).toBe(200)
  })

  test('where DATABASE_URL names the embedded database of another one, which runs on', async () => {
    const running = await place.start()
    const socket = encodeURIComponent(join(place.dataDir, 'postgres'))
    const databaseUrl = `postgresql://bailiwick@${socket}:5432/bailiwick`
    const dataDir = join(place.dir, 'other')
    expect(await refusal(place.start({ databaseUrl, dataDir }))).toMatchObject({ code: 'conflict' })
    // Also where everything unsafe is allowed: the lock is held.
    vi.stubEnv('BAILIWICK_ALLOW_UNSAFE', '1')
    const fault = await refusal(place.start({ databaseUrl, dataDir }))
    expect(fault).toMatchObject({ code: 'conflict', message: expect.stringContaining('to himself') })
    expect(await statusOf(`${running.url}/readyz`)).toBe(200)
  })

  test('where the port is taken, and leaves nothing behind', async () => {
    const running = await place.start()
    const other = await ServicePlace.empty()
    const port = Number(new URL(running.url).port)
    const fault = await refusal(other.start({ port }))
    expect(fault).toMatchObject({ code: 'bad_input', message: `port ${port} is taken` })
    expect(await readdir(other.dir)).toEqual(['policies'])
    await other.remove()
  })

  test('where policies are wrong: it tells every problem of every file, and leaves nothing behind', async () => {
    await startAnew()
    await writeFile(
      join(place.policies, 'a.yaml'),
      'agent_id: a\nallowed_actions: [x]\nallowed_action: [y]\nmode: shadows\n',
    )
    await writeFile(
      join(place.policies, 'b.yaml'),
      'agent_id: b\nallowed_actions: [x]\nescalation_rules:\n  - {condition: "params.a +", action: ask}\n',
    )
    const fault = await refusal(place.start())
    expect(fault.code).toBe('policy_invalid')
    expect(fault.message).toMatch(/a\.yaml:3:1 .*allowed_action/)
    expect(fault.message).toMatch(/a\.yaml:4:\d+ /)
    expect(fault.message).toMatch(/b\.yaml:4:\d+ /)
    expect(await readdir(place.dir)).toEqual(['policies'])
  })

  test('where a webhook is wrong, without showing its secret', async () => {
    await startAnew()
    const env = {
      BAILIWICK_WEBHOOK_URL: 'https://example.com/hook/s3cr3t',
      BAILIWICK_WEBHOOK_SECRET: 'whsec_s3cr3t',
    }
    const fault = await refusal(place.start({ env }))
    expect(fault.code).toBe('bad_input')
    expect(fault.message + fault.fix).not.toContain('s3cr3t')
    expect(await readdir(place.dir)).toEqual(['policies'])
  })

  test('where the database cannot be reached', async () => {
    const fault = await refusal(place.start({ databaseUrl: 'postgresql://u:s3cr3t@127.0.0.1:1/none' }))
    expect(fault.code).toBe('store_unavailable')
    expect(fault.message + fault.fix).not.toContain('s3cr3t')
  })

  test('where the log is behind its checkpoint, and stops what it had started', async () => {
    const service = await place.start()
    await service.stop()
    const published = await readFile(join(place.dataDir, 'checkpoints/main.checkpoint'), 'utf8')
    await writeFile(
      join(place.dataDir, 'checkpoints/main.checkpoint'),
      published.replace(/\n\d+\n/, '\n1000000\n'),
    )
    const fault = await refusal(place.start())
    expect(fault.code).toBe('log_broken')
    expect(await place.postgresPid()).toBeUndefined()
  })
})

describe('a service whose PostgreSQL dies', () => {
  test('allows nothing, and stops all the same', async () => {
    const service = await place.start()
    const client = impatientClient(service.url, await place.createKey())
    const pid = await place.postgresPid()
    process.kill(pid ?? Number.NaN, 'SIGQUIT')
    await eventually('the end of PostgreSQL', async () => (await place.postgresPid()) === undefined)
    await expect(client.check('issue_refund', { amount: 1 })).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    await service.stop().catch((fault: unknown) => expect(fault).toBeInstanceOf(Error))
    await expectNothingListens(service.url)
    const again = await place.start()
    expect(await statusOf(`${again.url}/readyz`)).toBe(200)
  })
})

describe('a service whose PostgreSQL is killed', () => {
  test('starts it again, goes on with what was acknowledged, and takes it along when it stops', async () => {
    const service = await place.start()
    const client = impatientClient(service.url, await place.createKey())
    const before = await client.check('issue_refund', { amount: 1 })
    const pid = (await place.postgresPid()) ?? Number.NaN
    process.kill(pid, 'SIGKILL')
    // Whoever looks while the killed process is still known to the system must not hide that it was killed.
    while ((await place.postgresPid()) === pid);
    const after = await eventually('a decision', () =>
      client.check('issue_refund', { amount: 2 }).catch(() => undefined),
    )
    expect(after.record.index).toBeGreaterThan(before.record.index)
    // A server process that outlives the postmaster for a moment may have taken it.
    await eventually('another PostgreSQL', async () => {
      const now = await place.postgresPid()
      return now !== undefined && now !== pid && (await statusOf(`${service.url}/readyz`)) === 200
    })
    await service.stop()
    expect(await place.postgresPid()).toBeUndefined()
  })
})

describe('a service on a PostgreSQL server', () => {
  beforeEach(async () => {
    await place.remove()
    place = await ServicePlace.onServer()
  })

  test('shares its ledger with another service, and leaves the server running', async () => {
    const [first, second] = [await place.start(), await place.start()]
    const key = await place.createKey()
    const decided = await impatientClient(first.url, key).check('issue_refund', { amount: 1 })
    const seen = await fetch(`${second.url}/v1/decisions/${decided.id}`, {
      headers: { authorization: `Bearer ${key}` },
    })
    expect(await seen.json()).toMatchObject({ id: decided.id, effect: 'allow' })

    await first.stop()
    expect((await impatientClient(second.url, key).check('issue_refund', { amount: 2 })).effect).toBe('allow')
    await second.stop()
    expect(await place.onLedger((ledger) => ledger.verify())).toMatchObject({ kind: 'intact' })
    expect(await readdir(place.dataDir)).toEqual(['checkpoints', 'identity.key'])
  })

  test('refuses a body of 1 MiB, whether its length is told or not, and goes on', async () => {
    const { url } = await place.start()
    for (const chunked of [false, true]) {
      const answer = await posted(`${url}/v1/decisions`, ' '.repeat(1024 * 1024), chunked)
      expect(answer).toMatchObject({ status: 413, type: 'application/problem+json' })
    }
    expect(await statusOf(`${url}/readyz`)).toBe(200)
  })
})

/** Posts over a connection of its own; the answer may come before the whole body has been sent. */
function posted(
  url: string,
  body: string,
  chunked: boolean,
): Promise<{ status: number | undefined; type: string | undefined }> {
  return new Promise((resolve, reject) => {
    const length = chunked ? {} : { 'content-length': Buffer.byteLength(body) }
    const headers = { 'content-type': 'application/json', ...length }
    const sending = request(url, { method: 'POST', agent: false, headers }, (response) => {
      resolve({ status: response.statusCode, type: response.headers['content-type'] })
      response.resume()
    })
    sending.on('error', reject)
    sending.end(body)
  })
}
