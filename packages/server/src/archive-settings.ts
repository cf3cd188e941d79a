import { Fault } from '@bailiwick/core'
import { openArchiveStore, partitionLength, type ArchiveStore, type PartitionLength } from '@bailiwick/store'

type Environment = Readonly<Record<string, string | undefined>>

/** How long records are kept, and where. */
export interface ArchiveSettings {
  readonly partition: PartitionLength
  /** For how long records stay in the database. */
  readonly hotMs: number
  /** For how long they are kept altogether. */
  readonly retentionMs: number
  /** Undefined: nothing is archived, and everything stays in the database. */
  readonly store: ArchiveStore | undefined
}

const dayMs = 24 * 60 * 60 * 1000
const hotDaysDefault = 90
/** No six months in a row have more days. Nothing sets it lower. */
const retentionDaysMin = 184

/**
 * Reads `BAILIWICK_PARTITION`, `BAILIWICK_HOT`, `BAILIWICK_RETENTION` and `BAILIWICK_ARCHIVE`.
 *
 * @throws Fault `bad_input` for what cannot be meant, such as a retention below six months
 */
export function archiveSettings(env: Environment): ArchiveSettings {
  const hot = days(env, 'BAILIWICK_HOT', hotDaysDefault)
  const retention = days(env, 'BAILIWICK_RETENTION', retentionDaysMin)
  if (retention < retentionDaysMin) {
    throw new Fault(
      'bad_input',
      `BAILIWICK_RETENTION is ${retention} days, and has to be at least ${retentionDaysMin}`,
      {
        fix: 'Records of decisions are kept for six months at least. Raise it, or leave it out.',
      },
    )
  }
  const address = env['BAILIWICK_ARCHIVE']
  return {
    partition: partitionLength(env['BAILIWICK_PARTITION']),
    hotMs: hot * dayMs,
    retentionMs: Math.max(retention, hot) * dayMs,
    store: address === undefined || address === '' ? undefined : openArchiveStore(address, env),
  }
}

function days(env: Environment, name: string, byDefault: number): number {
  const text = env[name]
  if (text === undefined || text === '') return byDefault
  const found = /^([1-9][0-9]{0,4})d$/.exec(text)
  if (found !== null) return Number(found[1])
  throw new Fault('bad_input', `\`${text}\` is no number of days for ${name}`, {
    fix: `Give days, such as ${name}=${byDefault}d.`,
  })
}
