import type { Queryable } from '../log/batches.ts'
import { readLeafHashes, readRecordTexts } from '../log/batches.ts'
import type { RecordSource } from '../log/tile-hashes.ts'
import { leafHashes } from '../head.ts'
import type { ColdLog } from './cold-log.ts'
import { archivedEnd } from './segments.ts'

const hashBytes = 32

/**
 * Leaf hashes of a log, hot and archived: those of archived records are kept in the database. Up to the first that is
 * missing.
 */
export async function allLeafHashes(
  client: Queryable,
  ledger: string,
  from: number,
  to: number,
): Promise<Buffer> {
  const hot = await readLeafHashes(client, ledger, from, to)
  if (hot.length === (to - from) * hashBytes) return hot
  return Buffer.concat(await leafHashes(client, ledger, from, to))
}

/** Records and leaf hashes of a log, wherever they lie. */
export function recordsOf(client: Queryable, ledger: string, cold: ColdLog): RecordSource {
  return {
    leafHashes: (from, to) => allLeafHashes(client, ledger, from, to),
    recordTexts: async (from, to) => {
      const hot = await readRecordTexts(client, ledger, from, to)
      if (hot.length === to - from) return hot
      const end = Math.min(to, await archivedEnd(client, ledger))
      const wanted = Array.from({ length: Math.max(0, end - from) }, (_, at) => from + at)
      const entries = await cold.entries(wanted)
      const archived = wanted.flatMap((index) => entries.get(index)?.record ?? [])
      // After a gap nothing follows on.
      if (archived.length < wanted.length) return hot
      return [...archived, ...(await readRecordTexts(client, ledger, from + archived.length, to))]
    },
  }
}
