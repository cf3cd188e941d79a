import {
  canonicalJson,
  Fault,
  onOneLine,
  recordText,
  type Json,
  type JsonObject,
  type LogRecord,
} from '@bailiwick/core'
import type { FoundRecord, Ledger, LogSearch } from '@bailiwick/store'
import type { Command } from 'commander'
import type { Act } from './act.ts'
import { fine, type ExitCode } from './exit-codes.ts'
import { payloadMask } from './masked-payload.ts'
import { withExistingLedger } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import { recordReading, recordReveal, revealReason, shownPerReading } from './recorded-reading.ts'
import { withStoreOptions, type StoreOptions } from './settings.ts'

interface SearchOptions extends StoreOptions {
  readonly agent?: string
  readonly action?: string
  readonly effect?: string
  readonly from?: string
  readonly to?: string
  readonly text?: string
  readonly limit: string
  readonly json?: true
  readonly unmasked?: true
  readonly reason?: string
}

/** A record that is to be shown, with so much of its payload as may be. */
interface ShownRecord extends Pick<FoundRecord, 'record' | 'cold' | 'sealed'> {
  readonly payload: Json
}

const limitMax = 100_000

/** Adds `bailiwick log search`. */
export function addLogSearch(log: Command, act: Act): void {
  withStoreOptions(log.command('search'))
    .description('Finds records in the database and in cold storage together, the newest first.')
    .option('--agent <id>', 'decisions of this agent')
    .option('--action <name>', 'decisions about this action')
    .option('--effect <effect>', 'decisions with this effect: allow, deny or escalate')
    .option('--from <date>', 'from then on, such as 2026-06-01 or 2026-06-01T12:00:00Z')
    .option('--to <date>', 'before then')
    .option(
      '--text <text>',
      'what stands in the record, or in what is shown of its payload; the log keeps that a text was searched for, and not which',
    )
    .option('--limit <number>', 'how many at the most', '50')
    .option('--json', 'print {record, payload, cold} line by line, with what is sensitive masked')
    .option('--unmasked', 'show, and look through, payloads as they are; takes --reason')
    .option('--reason <text>', 'with --unmasked: why; recorded with what was shown')
    .addHelpText(
      'after',
      '\nArchived records are read from BAILIWICK_ARCHIVE. What is shown is recorded in the log.',
    )
    .action(act(search))
}

async function search(ports: CliPorts, options: SearchOptions): Promise<ExitCode> {
  const limit = limitOf(options.limit)
  const wanted = searchOf(options)
  const reason = revealReason('--unmasked', options.unmasked === true, options.reason)
  return await withExistingLedger<ExitCode>(options, ports, async (ledger) => {
    const filter = JSON.parse(JSON.stringify(wanted)) as JsonObject
    const show = async (page: readonly ShownRecord[]) => {
      const indices = page.map(({ record }) => record.index)
      if (reason === undefined) await recordReading(ledger, ports, 'search', indices, filter)
      else await recordReveal(ledger, indices, filter, reason)
      for (const found of page) ports.out(options.json ? JSON.stringify(found) : textLine(found))
    }
    let count = 0
    const page: ShownRecord[] = []
    const records = reason === undefined ? maskedSearch(ledger, wanted) : unmaskedSearch(ledger, wanted)
    for await (const found of records) {
      page.push(found)
      count += 1
      if (page.length === shownPerReading) await show(page.splice(0))
      if (count >= limit) break
    }
    if (page.length > 0) await show(page)
    if (count === 0 && !options.json) ports.out('Nothing was found.')
    return fine
  })
}

async function* unmaskedSearch(ledger: Ledger, wanted: LogSearch): AsyncGenerator<ShownRecord> {
  for await (const { body, ...found } of ledger.search(wanted)) {
    yield { ...found, payload: body === null ? null : (JSON.parse(body) as Json) }
  }
}

// A text that stands only where something is masked finds nothing: whoever searched for it would know what is there.
async function* maskedSearch(ledger: Ledger, wanted: LogSearch): AsyncGenerator<ShownRecord> {
  const mask = await payloadMask(ledger)
  const { text } = wanted
  for await (const { body, ...found } of ledger.search(wanted)) {
    const payload = await mask(found.record, body)
    const seen = [recordText(found.record), canonicalJson(payload)]
    if (text === undefined || seen.some((part) => part.includes(text))) yield { ...found, payload }
  }
}

function searchOf({ agent, action, effect, from, to, text }: SearchOptions): LogSearch {
  if (effect !== undefined && effect !== 'allow' && effect !== 'deny' && effect !== 'escalate') {
    throw new Fault('bad_input', `\`${effect}\` is no effect`, { fix: 'Give allow, deny or escalate.' })
  }
  return { agent, action, effect, text, from: dateText(from, '--from'), to: dateText(to, '--to') }
}

function limitOf(text: string): number {
  const limit = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= limitMax) return limit
  throw new Fault('bad_input', `\`${text}\` is no limit`, {
    fix: `Give a number from 1 to ${limitMax} with --limit.`,
  })
}

// As records have it, so that texts compare as times do.
function dateText(text: string | undefined, option: string): string | undefined {
  if (text === undefined) return undefined
  const at = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,3})?Z)?$/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return new Date(at).toISOString()
  throw new Fault('bad_input', `\`${text}\` is no date`, {
    fix: `Give one in UTC, such as 2026-06-01 or 2026-06-01T12:00:00Z, with ${option}.`,
  })
}

function textLine({ record, cold, sealed }: ShownRecord): string {
  const marks = [...(cold ? ['(cold)'] : []), ...(sealed === true ? ['(sealed)'] : [])]
  return [record.at, ...wordsOf(record), ...marks].map(onOneLine).join('  ')
}

function wordsOf(record: LogRecord): readonly string[] {
  if (record.kind === 'decision')
    return [record.id, record.agent, record.action, record.effect, ...record.reasons]
  if (record.kind === 'outcome')
    return [`record ${record.index}`, record.agent, record.decision, record.status]
  return [`record ${record.index}`, record.kind]
}
