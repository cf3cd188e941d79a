import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AwsClient } from 'aws4fetch'
import { makeTestDir } from './data-dir.ts'

const script = fileURLToPath(new URL('../../../../test/setup/ceph.sh', import.meta.url))

/** An S3 server with object lock that runs for one test file. */
export interface ObjectStore {
  readonly endpoint: string
  readonly env: Readonly<Record<string, string>>
  /** The address of a new bucket, as `BAILIWICK_ARCHIVE` takes it. */
  bucket(name: string, lock: boolean): Promise<string>
  /** A request signed as its owner. */
  request(
    method: string,
    path: string,
    more?: { headers?: Record<string, string>; body?: string },
  ): Promise<Response>
  /** Every version of every object of a bucket: key and version. */
  versions(bucket: string): Promise<{ readonly key: string; readonly version: string }[]>
  stop(): Promise<void>
}

/** Why no S3 server can be started here, and whether installing something would help; undefined where it can. */
export function objectStoreMissing(): { readonly why: string; readonly installable: boolean } | undefined {
  if (process.getuid?.() !== 0) return { why: 'starting one takes root', installable: false }
  const missing = ['ceph-mon', 'ceph-osd', 'radosgw'].find((name) => !onPath(name))
  return missing === undefined ? undefined : { why: `\`${missing}\` is not installed`, installable: true }
}

function onPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((dir) => {
    try {
      accessSync(join(dir, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Starts Ceph's object gateway, in memory; takes some 20 seconds. It ends with this process in any case. */
export async function startObjectStore(): Promise<ObjectStore> {
  const dir = await makeTestDir()
  const port = await freePort()
  const [accessKeyId, secretAccessKey] = ['TESTACCESS', 'testsecret']
  const server = spawn(script, [join(dir, 'ceph'), String(port), accessKeyId, secretAccessKey], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await new Promise<void>((resolve, reject) => {
    server.stdout.once('data', () => resolve())
    server.once('exit', (code) => reject(new Error(`the object store ended with ${code}`)))
  })
  const ended = new Promise<void>((resolve) => {
    server.once('exit', () => resolve())
  })
  const endpoint = `http://127.0.0.1:${port}`
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    service: 's3',
    region: 'us-east-1',
    retries: 0,
  })
  const request: ObjectStore['request'] = (method, path, more = {}) =>
    client.fetch(`${endpoint}/${path}`, { method, ...more })
  return {
    endpoint,
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    bucket: async (name, lock) => {
      const headers = lock ? { 'x-amz-bucket-object-lock-enabled': 'true' } : {}
      const made = await request('PUT', name, { headers })
      if (!made.ok) throw new Error(await made.text())
      return `s3://${name}/logs?endpoint=${encodeURIComponent(endpoint)}&region=us-east-1`
    },
    request,
    versions: async (bucket) => {
      const text = await (await request('GET', `${bucket}?versions`)).text()
      return [...text.matchAll(/<Version>([^]*?)<\/Version>/g)].map(([, entry = '']) => ({
        key: /<Key>([^<]*)</.exec(entry)?.[1] ?? '',
        version: /<VersionId>([^<]*)</.exec(entry)?.[1] ?? '',
      }))
    },
    stop: async () => {
      server.stdin.end()
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
