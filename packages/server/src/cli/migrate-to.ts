import { Fault, onOneLine } from '@bailiwick/core'
import {
  hasEmbeddedDatabase,
  moveLog,
  openDatabase,
  stopIfUnused,
  type Moved,
  type MoveStep,
  type OpenedDatabase,
} from '@bailiwick/store'
import type { Command } from 'commander'
import type { Act } from './act.ts'
import { fine, type ExitCode } from './exit-codes.ts'
import type { CliPorts } from './ports.ts'
import { storePlace, withStoreOptions, type StoreOptions, type StorePlace } from './settings.ts'

interface MigrateToOptions extends StoreOptions {
  readonly json?: true
}

const stepTexts: Readonly<Record<MoveStep, string>> = {
  claimed: 'the target is ready',
  begun: 'the attempt is noted in the data directory',
  closed: 'the log takes no more records where it is',
  copied: 'everything is copied',
  compared: 'what was copied is what was there',
  verified: 'the log at the target is verified',
  decided: 'the log has moved',
  opened: 'the target takes records',
  finished: 'the old place knows that the log has left',
}

/** Adds `bailiwick migrate-to`. */
export function addMigrateTo(program: Command, act: Act): void {
  withStoreOptions(program.command('migrate-to'))
    .description(
      'Moves the log to a PostgreSQL server, verified: records, payloads, keys and people; nobody stays signed in.',
    )
    .argument('<url>', 'the server, as DATABASE_URL names it; its database should be empty')
    .option('--json', 'print {size, root, to, movedBefore}')
    .addHelpText(
      'after',
      '\nStop every service first. Killed at any moment, run it again: it goes on from there. Afterwards, start the\nservice with DATABASE_URL and the same data directory; the old database takes no records any more.',
    )
    .action(act(migrateTo))
}

async function migrateTo(ports: CliPorts, url: string, options: MigrateToOptions): Promise<ExitCode> {
  const place = storePlace(options, ports)
  // Opening an embedded database would make one where there is none.
  if (place.databaseUrl === undefined && !(await hasEmbeddedDatabase(place.dataDir))) {
    throw new Fault('not_found', `there is no log in \`${place.dataDir}\``, {
      fix: 'Name the data directory of the service with --data, or its database with DATABASE_URL.',
    })
  }
  const target = await openDatabase({ dataDir: place.dataDir, databaseUrl: url })
  const source = await openDatabase({ dataDir: place.dataDir, databaseUrl: place.databaseUrl })
  try {
    const moved = await move(source, target, place, ports)
    if (options.json) ports.out(jsonText(moved, target))
    else ports.out(movedText(moved, target, place))
    return fine
  } finally {
    await stopIfUnused(source)
    await target.leave()
  }
}

function move(
  source: OpenedDatabase,
  target: OpenedDatabase,
  { dataDir }: StorePlace,
  ports: CliPorts,
): Promise<Moved> {
  let told = 0
  return moveLog({
    source: source.connection,
    target: target.connection,
    from: source.place,
    to: target.place,
    dataDir,
    onStep: (step) => ports.err(stepTexts[step]),
    onProgress: (done, all) => {
      const tenths = Math.floor((done / all) * 10)
      if (tenths > told) ports.err(`copied ${tenths * 10} % of ${all} rows`)
      told = Math.max(told, tenths)
    },
  })
}

function jsonText({ size, root, before }: Moved, { place }: OpenedDatabase): string {
  return JSON.stringify({ size, root, to: place.replaceAll('`', ''), movedBefore: before })
}

function movedText(
  { size, root, before }: Moved,
  { place }: OpenedDatabase,
  { dataDir }: StorePlace,
): string {
  const first = before
    ? `The log had moved to ${place} before: ${size} records, root ${root}`
    : `The log has moved to ${place}: ${size} records, root ${root}`
  return onOneLines([
    first,
    `Start the service with DATABASE_URL set to it and the data directory \`${dataDir}\` as before; people sign in again.`,
  ])
}

function onOneLines(lines: readonly string[]): string {
  return lines.map(onOneLine).join('\n')
}
