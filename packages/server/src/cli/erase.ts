import { Fault, onOneLine } from '@bailiwick/core'
import type { ErasureResult, ErasureTarget } from '@bailiwick/store'
import type { Command } from 'commander'
import type { Act } from './act.ts'
import { fine, type ExitCode } from './exit-codes.ts'
import { refuseNowhere, withLedger } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import { storePlace, withStoreOptions, type StoreOptions } from './settings.ts'

interface EraseOptions extends StoreOptions {
  readonly decision?: string
  readonly subject?: string
  readonly reason?: string
  readonly dryRun?: true
  readonly yes?: true
  readonly json?: true
}

/** Adds `bailiwick erase`. */
export function addErase(program: Command, act: Act): void {
  withStoreOptions(program.command('erase'))
    .description(
      'Erases what the log keeps of one call, or of one person, for good. Its records stay, and the log still verifies.',
    )
    .option('--decision <id>', 'the call, by one of its decisions, such as dec_12')
    .option('--subject <value>', "the person, by a value of what the policy's `subject` names")
    .option('--reason <text>', 'why; recorded, so leave out the person')
    .option('--dry-run', 'say what would be erased, and erase nothing')
    .option('--yes', 'erase; nobody is asked')
    .option('--json', 'print {erased, before, recordedAs, archived, keys, vacuumed}')
    .addHelpText(
      'after',
      '\nIt can be done again: what is erased is passed over. Nothing is erased while a legal hold stands.\ndocs/PRIVACY.md says what is left, and what to do about backups.',
    )
    .action(act(erase))
}

async function erase(ports: CliPorts, options: EraseOptions): Promise<ExitCode> {
  const target = targetOf(options)
  const dryRun = options.dryRun === true
  const { reason } = options
  if (!dryRun && reason === undefined) {
    throw new Fault('bad_input', 'an erasure needs a reason', {
      fix: 'Say why with --reason, such as the number of the request.',
    })
  }
  if (!dryRun && options.yes !== true) {
    throw new Fault('bad_input', 'erasing cannot be undone, and nothing was erased', {
      fix: 'See what it would erase with --dry-run, then erase with --yes.',
    })
  }
  await refuseNowhere(storePlace(options, ports))
  let erased = 0
  const onProgress = (count: number) => {
    if (dryRun) return
    erased = count
    if (!options.json) ports.progress?.(`${payloads(count)} erased so far`)
  }
  const request = { target, reason: reason ?? 'a dry run', by: 'operator', dryRun, onProgress }
  const result = await withLedger(options, ports, (ledger) => ledger.erase(request)).catch(
    (fault: unknown) => {
      // How far it came is known here alone; where it comes to its end, that says it.
      if (erased > 0) ports.err(`${payloads(erased)} erased before it failed`)
      throw fault
    },
  )
  if (erased > 0 && !options.json) ports.progress?.('')
  ports.out(options.json ? JSON.stringify(result) : onOneLines(resultLines(result, target, dryRun)))
  return fine
}

function targetOf({ decision, subject }: EraseOptions): ErasureTarget {
  if (decision !== undefined && subject === undefined) return { decision }
  if (subject !== undefined && decision === undefined) return { subject }
  throw new Fault('bad_input', 'say what to erase: one call or one person', {
    fix: 'Give either --decision with the id of a decision, or --subject with a value such as a customer id.',
  })
}

// What a person is found by goes with the erasure, so nobody can tell who was erased from who was never there.
function nothingToErase(wasThere: boolean): string {
  return wasThere
    ? 'There is nothing left to erase.'
    : 'There is nothing left to erase. Where nothing was ever erased of this person, look whether the value is spelt as the calls have it, and whether the policy says by `subject` where it stands in them.'
}

function resultLines(result: ErasureResult, target: ErasureTarget, dryRun: boolean): string[] {
  const { erased, before, recordedAs, archived, keys, vacuumed } = result
  const earlier = before === 0 ? [] : [`${payloads(before)} had been erased before.`]
  const cold = archived.length === 0 ? [] : [`In cold storage: records ${ranges(archived)}.`]
  const key = keys.length === 0 ? [] : [keyLine(dryRun)]
  if (erased.length === 0 && (keys.length === 0 || dryRun))
    return [
      ...key,
      nothingToErase('decision' in target || before > 0 || keys.length > 0),
      ...earlier,
      ...cold,
    ]
  if (dryRun)
    return [
      `Would erase ${payloads(erased.length)}, of records ${ranges(erased)}.`,
      ...key,
      ...earlier,
      ...cold,
    ]
  const done =
    erased.length === 0
      ? `There was no payload left to erase; recorded as ${ranges(recordedAs)}.`
      : `Erased ${payloads(erased.length)}, of records ${ranges(erased)}; recorded as ${ranges(recordedAs)}.`
  return [
    done,
    ...key,
    ...earlier,
    ...cold,
    ...(vacuumed
      ? []
      : ['The space was not freed: run `VACUUM` on the database as the owner of its tables.']),
    'Backups and write-ahead logs from before still hold them: see docs/PRIVACY.md.',
  ]
}

function keyLine(dryRun: boolean): string {
  return dryRun
    ? 'Would destroy the key of the person: what is sealed with it could not be read any more, wherever it is.'
    : 'Destroyed the key of the person: what was sealed with it, also in cold storage and in copies of it, cannot be read any more.'
}

function payloads(count: number): string {
  return count === 1 ? '1 payload' : `${count} payloads`
}

/** Ascending numbers as people write them: `1–3, 7`. */
function ranges(numbers: readonly number[]): string {
  const found: { from: number; to: number }[] = []
  for (const number of numbers) {
    const last = found.at(-1)
    if (last?.to === number - 1) last.to = number
    else found.push({ from: number, to: number })
  }
  const shown = found
    .slice(0, rangesShown)
    .map(({ from, to }) => (from === to ? String(from) : `${from}–${to}`))
  return found.length > rangesShown ? `${shown.join(', ')} and more` : shown.join(', ')
}

const rangesShown = 20

function onOneLines(lines: readonly string[]): string {
  return lines.map(onOneLine).join('\n')
}
