import { Fault, instantText, type Instant } from '@bailiwick/core'
import { archiveHeldUp, type ArchiveReport, type HeldUp, type Ledger } from '@bailiwick/store'
import type { Command } from 'commander'
import type { ArchiveSettings } from '../archive-settings.ts'
import { heldUpAdvice } from '../archive-words.ts'
import type { Act } from './act.ts'
import { fine, type ExitCode } from './exit-codes.ts'
import { withLedger } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import { withStoreOptions, type StoreOptions } from './settings.ts'

interface ArchiveOptions extends StoreOptions {
  readonly before?: string
  readonly dryRun?: true
  readonly newestExpired?: true
  readonly json?: true
}

/** Adds `bailiwick log archive`. */
export function addLogArchive(log: Command, act: Act): void {
  withStoreOptions(log.command('archive'))
    .description(
      'Copies old records into cold storage, reads them back, verifies them, records it, and only then removes them from the database. The service may run; stopped anywhere, the next run goes on.',
    )
    .option(
      '--before <date>',
      'records before this date, such as 2026-06-01 (default: what is older than BAILIWICK_HOT)',
    )
    .option('--dry-run', 'say what would be archived, and change nothing')
    .option(
      '--newest-expired',
      'the newest segment was deleted after its retention had ended, and this is the right place: go on without it',
    )
    .option('--json', 'print {before, segments: [{first, end}], droppedPartitions, deletedBatches, heldUpBy}')
    .addHelpText(
      'after',
      '\nWhere to is said by BAILIWICK_ARCHIVE: file:/path, or s3://bucket/prefix?endpoint=https://…&region=….',
    )
    .action(act(archive))
}

async function archive(ports: CliPorts, options: ArchiveOptions): Promise<ExitCode> {
  return await withLedger(options, ports, async (ledger, settings) => {
    const before =
      options.before === undefined
        ? await ledger.coldBefore(settings.hotMs)
        : dateOf(options.before, ledger.now())
    if (options.dryRun) return await dryRun(ledger, before, ports, options)
    const report = await ledger.archive({
      ...requestOf(settings, ports),
      before,
      newestExpired: options.newestExpired,
    })
    if (report.busy) {
      throw new Fault('conflict', 'another process archives this log at the moment', {
        fix: 'Wait until it is done; nothing was changed by this one.',
      })
    }
    const heldUp = await archiveHeldUp(ledger.pool, ledger.name, before)
    if (options.json) ports.out(JSON.stringify({ ...jsonOf(before, report), heldUpBy: heldUpJson(heldUp) }))
    else ports.out(reportText(before, report))
    sayHeldUp(heldUp, ledger.now(), ports, options)
    return fine
  })
}

function requestOf({ store, retentionMs }: ArchiveSettings, { env }: CliPorts) {
  if (store === undefined) {
    throw new Fault('bad_input', 'there is no place to archive to', {
      fix: 'Set BAILIWICK_ARCHIVE to file:/path, or to s3://bucket/prefix?endpoint=https://…&region=….',
    })
  }
  return { store: store.address, env, keepMs: retentionMs }
}

async function dryRun(
  ledger: Ledger,
  before: Instant,
  ports: CliPorts,
  options: ArchiveOptions,
): Promise<ExitCode> {
  const { first, ends } = await ledger.plannedSegments(before)
  const segments = ends.map((end, at) => ({ first: ends[at - 1] ?? first, end }))
  const heldUp = await archiveHeldUp(ledger.pool, ledger.name, before)
  if (options.json)
    ports.out(JSON.stringify({ before: instantText(before), segments, heldUpBy: heldUpJson(heldUp) }))
  else if (segments.length === 0) ports.out(`Nothing before ${instantText(before)} would be archived.`)
  else ports.out([`Before ${instantText(before)}:`, ...segments.map(segmentText)].join('\n'))
  sayHeldUp(heldUp, ledger.now(), ports, options)
  return fine
}

function jsonOf(before: Instant, { segments, droppedPartitions, deletedBatches }: ArchiveReport) {
  return { before: instantText(before), segments, droppedPartitions, deletedBatches }
}

function heldUpJson(heldUp: HeldUp | undefined) {
  if (heldUp === undefined) return null
  const { approval, status, since, deadline, others } = heldUp
  return { approval, status, since: instantText(since), deadline: instantText(deadline), others }
}

// Not what was asked for, but why it did less: on standard error, and in JSON as a member.
function sayHeldUp(
  heldUp: HeldUp | undefined,
  now: Instant,
  ports: CliPorts,
  { json }: ArchiveOptions,
): void {
  if (heldUp === undefined || json) return
  const { what, fix } = heldUpAdvice(heldUp, now)
  ports.err(`${what}\n${fix}`)
}

function reportText(before: Instant, { segments, droppedPartitions, deletedBatches }: ArchiveReport): string {
  const left = `${droppedPartitions.length} partitions were dropped, and ${deletedBatches} batches deleted row by row.`
  if (segments.length === 0) return `Nothing before ${instantText(before)} was archived. ${left}`
  return [
    `Archived what was recorded before ${instantText(before)}:`,
    ...segments.map(segmentText),
    left,
  ].join('\n')
}

function segmentText({ first, end }: { readonly first: number; readonly end: number }): string {
  return `  records ${first} to ${end - 1}`
}

function dateOf(text: string, now: Instant): Instant {
  const at = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,3})?Z)?$/.test(text) ? Date.parse(text) : Number.NaN
  if (at <= now) return at as Instant
  throw new Fault('bad_input', `\`${text}\` is no date that is past`, {
    fix: 'Give a date in UTC, such as 2026-06-01 or 2026-06-01T12:00:00Z, with --before.',
  })
}
