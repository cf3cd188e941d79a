import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { impatientClient, ServicePlace, signIn } from '../harness/service.ts'
import { agentId } from '../harness/policies.ts'
import { cli } from '../cli/run-cli.ts'
import { sayUnusableStore } from '../../src/archive-schedule.ts'

let place: ServicePlace
let archive: string

beforeEach(async () => {
  place = await ServicePlace.onServer()
  await mkdir(join(place.dir, 'archive'))
  archive = pathToFileURL(join(place.dir, 'archive')).href
})
afterEach(async () => {
  await place.remove()
})

const command = (...args: readonly string[]) =>
  cli([...args, '--data', place.dataDir], {
    DATABASE_URL: place.databaseUrl ?? '',
    BAILIWICK_ARCHIVE: archive,
  })
/** Everything that is recorded by now. */
const archiveAll = async (...more: readonly string[]) => {
  const now = Date.now()
  // What was recorded in this very millisecond is not before it.
  while (Date.now() <= now) await new Promise(setImmediate)
  return await command('log', 'archive', '--before', new Date(now + 1).toISOString(), ...more)
}
const asker = (url: string, key: string) => async (path: string) => {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

describe('an approval that is open', () => {
  test('keeps its record out of the archive, and `log archive` names it, since when, and what to do', async () => {
    const service = await place.start()
    const client = impatientClient(service.url, await place.createKey())
    await client.check('issue_refund', { amount: 100 })
    const { approval } = await client.check('issue_refund', { amount: 600 })
    const id = approval?.id ?? ''
    await client.check('issue_refund', { amount: 700 })

    const planned = await archiveAll('--dry-run')
    expect(planned.err).toMatch(new RegExp(`^${id}, opened 20\\S+Z, is still open, like 1 more after it: `))
    expect(planned.err).toContain(`Wait for its deadline, ${approval?.deadline}, or have it answered`)
    const { json, err } = await archiveAll('--json')
    expect(err).toBe('')
    expect(json).toMatchObject({
      heldUpBy: { approval: id, status: 'pending', deadline: approval?.deadline, others: 1 },
    })
    // It ends right before that approval.
    const { segments } = json as { segments: { end: number }[] }
    expect(segments.at(-1)?.end).toBe(Number(id.slice('apr_'.length)))

    const person = await signIn(service.signInUrl ?? '')
    for (const each of await person.pending()) await person.vote(each.id, 'reject')
    expect(await archiveAll('--json')).toMatchObject({ err: '', json: { heldUpBy: null } })
  })
})

describe('a service on a log whose archive is not configured', () => {
  test('says so at its start, and with whatever it cannot answer; with it, nothing of the kind', async () => {
    const first = await place.start()
    const key = await place.createKey()
    const client = impatientClient(first.url, key)
    const { id } = await client.check('issue_refund', { amount: 100 })
    const { approval } = await client.check('issue_refund', { amount: 600 })
    const person = await signIn(first.signInUrl ?? '')
    await person.vote(approval?.id ?? '', 'reject')
    await first.stop()
    expect(await archiveAll()).toMatchObject({ code: 0, err: '' })

    place.lines.length = 0
    const closed = await place.start()
    expect(place.lines.join('\n')).toMatch(
      /^archive: \d+ records of this log are archived in `file:\S+`, and BAILIWICK_ARCHIVE is not set: .*\. Set BAILIWICK_ARCHIVE/,
    )
    const ask = asker(closed.url, key)
    expect(await ask(`/v1/decisions/${id}`)).toMatchObject({
      status: 503,
      body: { detail: expect.stringContaining('no archive is configured here') },
    })
    expect(await ask('/v1/decisions')).toMatchObject({ body: { decisions: [], next: null, archived: true } })
    await closed.stop()

    place.lines.length = 0
    const elsewhere = pathToFileURL(join(place.dir, 'elsewhere')).href
    const mistaken = await place.start({ env: { BAILIWICK_ARCHIVE: elsewhere } })
    expect(place.lines.join('\n')).toContain(`BAILIWICK_ARCHIVE names another place, \`${elsewhere}\``)
    await mistaken.stop()

    place.lines.length = 0
    const open = await place.start({ env: { BAILIWICK_ARCHIVE: archive } })
    expect(place.lines).toEqual([])
    const again = asker(open.url, key)
    expect(await again(`/v1/decisions/${id}`)).toMatchObject({ status: 200, body: { agent: agentId } })
    // Of an approval that is over, what is left is said, and not that there was none.
    const gone = await again(`/v1/approvals/${approval?.id}`)
    expect(gone).toMatchObject({ status: 404, body: { detail: expect.stringContaining('archived') } })
    expect((await again('/v1/approvals/apr_0')).body['detail']).not.toContain('archived')
  })
})

describe('a service whose archive cannot be used', () => {
  const linesOf = async (env: Record<string, string>): Promise<readonly string[]> => {
    place.lines.length = 0
    const service = await place.start({ env })
    // It has started all the same, and decides.
    const { effect } = await impatientClient(service.url, await place.createKey()).check('issue_refund', {
      amount: 100,
    })
    await service.stop()
    expect(effect).toBe('allow')
    return [...place.lines]
  }

  test('says so in one line at its start where the directory is absent or no directory, and starts', async () => {
    const absent = pathToFileURL(join(place.dir, 'absent')).href
    expect(await linesOf({ BAILIWICK_ARCHIVE: absent })).toEqual([
      expect.stringMatching(
        /^archive: the archive in `\S+absent` cannot be used \(ENOENT\)\. Make the directory, /,
      ),
    ])
    const file = join(place.dir, 'file')
    await writeFile(file, '')
    expect(await linesOf({ BAILIWICK_ARCHIVE: pathToFileURL(file).href })).toEqual([
      expect.stringContaining('(ENOTDIR)'),
    ])
    expect(await linesOf({ BAILIWICK_ARCHIVE: archive })).toEqual([])
    expect(await readdir(join(place.dir, 'archive'))).toEqual([])
  })

  test('says so where the bucket is absent, refuses the credentials, has no lock or is not reached, and only reads there', async () => {
    const asked: (string | undefined)[] = []
    let answer: readonly [status: number, body: string] = [200, '']
    const bucket: Server = createServer((request, response) => {
      asked.push(request.method)
      response.writeHead(answer[0]).end(answer[1])
    })
    await new Promise<void>((resolve) => void bucket.listen(0, '127.0.0.1', resolve))
    const endpoint = `http://127.0.0.1:${(bucket.address() as AddressInfo).port}`
    const env = {
      BAILIWICK_ARCHIVE: `s3://cold?endpoint=${encodeURIComponent(endpoint)}`,
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
    }
    answer = [404, '<Error><Code>NoSuchBucket</Code></Error>']
    expect(await linesOf(env)).toEqual([
      expect.stringMatching(
        /^archive: the bucket `cold` refused: NoSuchBucket\. Check bucket, region and cred/,
      ),
    ])
    answer = [403, '<Error><Code>SignatureDoesNotMatch</Code></Error>']
    expect(await linesOf(env)).toEqual([expect.stringContaining('refused: SignatureDoesNotMatch. Check')])
    answer = [404, '<Error><Code>ObjectLockConfigurationNotFoundError</Code></Error>']
    expect(await linesOf(env)).toEqual([expect.stringContaining('has no object lock. Make a bucket')])
    answer = [200, '<ObjectLockEnabled>Enabled</ObjectLockEnabled>']
    expect(await linesOf(env)).toEqual([])
    expect(new Set(asked)).toEqual(new Set(['GET']))
    await new Promise((resolve) => bucket.close(resolve))
    expect(await linesOf(env)).toEqual([expect.stringContaining('cannot be reached (ECONNREFUSED). Check')])
  })

  test('does not wait for a store that does not answer', async () => {
    const never = new Promise<void>(() => undefined)
    const nothing = async () => await Promise.reject(new Error('nothing but a look was asked for'))
    const store = { address: 's3://cold', check: () => never, put: nothing, read: nothing, remove: nothing }
    const lines: string[] = []
    await sayUnusableStore({ store }, (line) => lines.push(line), 0)
    expect(lines).toEqual([
      expect.stringMatching(
        /^archive: the archive in `s3:\/\/cold` has not answered in time\. Check the endpoint/,
      ),
    ])
  })
})
