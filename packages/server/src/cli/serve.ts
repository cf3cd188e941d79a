import { hasEmbeddedDatabase, openDatabase, type OpenedDatabase } from '@bailiwick/store'
import type { Command } from 'commander'
import type { RunningService } from '../service.ts'
import { problemLine } from './check-report.ts'
import { badInput, fine, type ExitCode } from './exit-codes.ts'
import { reportError } from './faults.ts'
import type { CliPorts } from './ports.ts'
import type { Act } from './act.ts'
import {
  environmentSetting,
  portSetting,
  storePlace,
  withStoreOptions,
  type StoreOptions,
} from './settings.ts'

interface ServeOptions extends StoreOptions {
  readonly policies: string
  readonly port?: string
  readonly host: string
  readonly env?: string
  readonly json?: true
}

/** Adds `bailiwick serve`. */
export function addServe(program: Command, act: Act): void {
  withStoreOptions(program.command('serve'))
    .description('Runs the service: decides, records, and asks people.')
    .option('--policies <path>', 'a policy file or a directory of them', '.')
    .option('--port <number>', 'port, 0 for any (env BAILIWICK_PORT; default 7420)')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--env <name>', 'the environment, as policies name it (env BAILIWICK_ENV; default none)')
    .option('--json', 'print {url, signInUrl, warnings} once it answers')
    .addHelpText('after', '\nCtrl+C stops it when what is under way is done; a second time, at once.')
    .action(act(serve))
}

async function serve(ports: CliPorts, options: ServeOptions): Promise<ExitCode> {
  const { dataDir, databaseUrl } = storePlace(options, ports)
  const port = portSetting(options.port, ports)
  const environment = environmentSetting(options.env, ports)
  const signal = stopSignal(ports)
  try {
    const isThere = databaseUrl === undefined && (await hasEmbeddedDatabase(dataDir))
    const opening = isThere ? beginToOpen(dataDir) : undefined
    // Loaded only here: the other commands start faster without it.
    const { startService } = await import('../service.ts')
    const { policies, host } = options
    const log = (line: string): void => ports.err(line)
    const { env } = ports
    const service = await startService({
      policies,
      dataDir,
      port,
      host,
      databaseUrl,
      opening,
      environment,
      env,
      log,
    })
    announce(service, options, ports)
    return await untilStopped(service, signal.received, ports)
  } finally {
    signal.end()
  }
}

/**
 * Opens an embedded database that is there while the service is loaded and reads its policies. One that is not there is
 * made only once all else is found to be right.
 */
function beginToOpen(dataDir: string): Promise<OpenedDatabase> {
  const opening = openDatabase({ dataDir })
  // Heard where it is waited for.
  opening.catch(() => undefined)
  return opening
}

function announce(
  { url, signInUrl, warnings }: RunningService,
  options: ServeOptions,
  ports: CliPorts,
): void {
  if (options.json) {
    ports.out(JSON.stringify({ url, signInUrl: signInUrl ?? null, warnings }))
    return
  }
  for (const { file, problem } of warnings) ports.err(problemLine(file, problem))
  ports.out(`Bailiwick answers at ${url}`)
  if (signInUrl !== undefined) ports.out(`Sign in, once, at ${signInUrl}`)
}

async function untilStopped(
  service: RunningService,
  stop: Promise<undefined>,
  ports: CliPorts,
): Promise<ExitCode> {
  const fault = await Promise.race([stop, service.failed])
  const code = fault === undefined ? fine : reportError(fault, false, ports)
  await service.stop()
  return code
}

/** Whoever signals a whole group of processes has one signal arrive more than once: directly, and passed on. */
const sameSignalMs = 500

// Heard from the beginning: a signal while the database starts must not leave it half started.
function stopSignal(ports: CliPorts): { readonly received: Promise<undefined>; end(): void } {
  let first: number | undefined
  let end = (): void => undefined
  const received = new Promise<undefined>((resolve) => {
    end = ports.onStopSignal(() => {
      const now = performance.now()
      first ??= now
      if (now - first > sameSignalMs) ports.exitNow(badInput)
      resolve(undefined)
    })
  })
  return { received, end: () => end() }
}
