import { Fault } from '@bailiwick/core'
import { directoryStore } from './directory-store.ts'
import { s3Store } from './s3-store.ts'
import type { ArchiveStore } from './store.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The store at an address: `file:/path`, or `s3://bucket/prefix?endpoint=…&region=…` with credentials from the
 * environment.
 *
 * @throws Fault `bad_input` for anything else
 */
export function openArchiveStore(address: string, env: Environment): ArchiveStore {
  const url = URL.canParse(address) ? new URL(address) : undefined
  // `file:cold` would be `/cold`.
  if (url?.protocol === 'file:' && /^file:\//i.test(address) && url.host === '' && url.search === '')
    return directoryStore(url)
  if (url?.protocol === 's3:' && url.host !== '') return s3Store(url, env)
  throw new Fault('bad_input', `\`${address}\` is no place for an archive`, {
    fix: 'Set BAILIWICK_ARCHIVE to file:/path, from the root on, or to s3://bucket/prefix?endpoint=https://…&region=….',
  })
}
