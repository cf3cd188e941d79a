import { systemPorts, type Fault, type Instant } from '@bailiwick/core'
import {
  ApprovalWaits,
  cosignedPath,
  keepPartitions,
  Ledger,
  loadPolicies,
  migrate,
  openDatabase,
  stopIfUnused,
  textIfThere,
  type Access,
  type OpenedDatabase,
  type PeerOptions,
  type PolicySet,
} from '@bailiwick/store'
import { fileURLToPath } from 'node:url'
import { anchorSettings } from './anchors/settings.ts'
import { startAnchors } from './anchors/start.ts'
import { archiveOnSchedule, sayArchiveTroubles } from './archive-schedule.ts'
import { archiveSettings } from './archive-settings.ts'
import { createChannels, type ChannelParts } from './channels/channels.ts'
import { channelSettings, type ChannelSettings } from './channels/settings.ts'
import { isAllowedCallback } from './channels/webhook-channel.ts'
import { targetsFromEnvironment } from './delivery/targets.ts'
import { answerRequests } from './http/answer-requests.ts'
import type { AppParts } from './http/app.ts'
import { readConsoleFiles } from './http/console-files.ts'
import { Masking } from './http/masking.ts'
import { logReadingFrom } from './http/log-tiles.ts'
import { watchClock } from './clock-check.ts'
import { listen, localAddress, notReady, type Listener } from './http/listener.ts'
import { identitySettings, startIdentity } from './identity/start.ts'
import { createLookups, type Lookups } from './lookup/lookups.ts'
import { lookupSettings } from './lookup/settings.ts'
import { unansweredFacts } from './lookup/unanswered.ts'
import { logKeySettings } from './log-key-settings.ts'
import { payloadKeySettings, startSealing } from './payload-key-settings.ts'
import { checkPeerSettings, peerSettings } from './peers/peer-settings.ts'
import { withPeers } from './peers/with-peers.ts'
import { checkProviderRoles } from './roles.ts'
import { selfCheckSeconds } from './self-check/settings.ts'
import { openSecretLines, secretFiles } from './secret-files.ts'
import { holdServiceLock } from './service-lock.ts'
import { startWorkers } from './workers.ts'

/** How a service is started. */
export interface ServiceOptions {
  /** A policy file or a directory of them. */
  readonly policies: string
  /** Where the embedded database, the checkpoint and its key live. */
  readonly dataDir: string
  /** 0 takes any free port. */
  readonly port: number
  /** The address to listen on; loopback unless the operator decides otherwise. */
  readonly host: string
  /** A PostgreSQL server; absent or empty: the embedded one. */
  readonly databaseUrl?: string | undefined
  /** The same database, where it is being opened already. The service closes it, also where it does not start. */
  readonly opening?: Promise<OpenedDatabase> | undefined
  /** Where webhook targets and sources of facts are named, and the address that links should bear (`BAILIWICK_URL`). */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The environment it runs in, as policies name it, such as `prod`. */
  readonly environment?: string | undefined
  readonly log: (line: string) => void
}

/** A service that answers. */
export interface RunningService {
  readonly url: string
  /** A one-time link, while nobody has a session. */
  readonly signInUrl: string | undefined
  readonly warnings: PolicySet['warnings']
  /** Resolves when the service has lost what it cannot go on without; it should then be stopped. */
  readonly failed: Promise<Fault>
  /** Finishes what is under way, publishes the last checkpoint, and stops. Can be called again. */
  stop(): Promise<void>
}

const firstAdministrator = 'admin@localhost'
const consoleDir = fileURLToPath(new URL('../console/', import.meta.url))

/**
 * Starts the service: database, log, workers, HTTP.
 *
 * @throws Fault where the policies are wrong, the database is unfit, the port is taken, or another
 *   service runs on the same data directory. Then nothing is left running.
 */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const undo: (() => Promise<unknown>)[] = []
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= undoAll(undo))
  try {
    return await start(options, undo, stop)
  } catch (error) {
    await stop().catch((cause: unknown) => options.log(`stopping: ${messageOf(cause)}`))
    throw error
  }
}

// Whatever is started registers how to end it; the end goes in the opposite order. A step that fails,
// as where the database has gone, must not keep the others running; the first failure is told at the end.
async function undoAll(undo: (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of undo.reverse()) await step().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

async function start(
  options: ServiceOptions,
  undo: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<RunningService> {
  const { opening } = options
  if (opening !== undefined) undo.push(async () => stopIfUnused(await opening))
  // Everything that people wrote is read first: a mistake in it must not cost a running database.
  const written = await whatPeopleWrote(options)
  const { policies, targets, channelsWanted, logReading, anchors, selfCheck, retention } = written
  const lookups = startLookups(options, policies, undo)
  const listener = await listen(options)
  undo.push(() => listener.close())
  const url = options.env['BAILIWICK_URL']?.replace(/\/+$/, '') ?? localAddress(listener)

  const database = await (opening ?? openDatabase(options))
  if (opening === undefined) undo.push(() => stopIfUnused(database))
  const lock = await holdServiceLock(database)
  undo.push(() => lock.release())
  await migrate(database.connection)
  await keepPartitions(database.connection, retention.partition, Date.now() as Instant)
  const logKey = await logKeySettings(options.env)
  const ledger = await Ledger.open({
    connection: database.connection,
    policies,
    dataDir: options.dataDir,
    consoleUrl: url,
    logKey,
    mustSign: true,
    checkpointCopies: anchors.directory,
    env: options.environment,
    lookups,
    peers: peersOf(options, listener),
    wholeBatches: true,
    archive: retention.store,
    payloadKey: written.payloadKey,
    allowsCallback: callbackRule(channelsWanted),
  })
  undo.push(() => ledger.close())
  await watchClock(ledger.pool, options.log, undo)
  const sealing = await startSealing(ledger, options.log)
  undo.push(() => sealing.stop())
  await sayArchiveTroubles(ledger, retention, options.log)
  // From now on others may send to this service: not to be understood would leave them without certainty.
  listener.answerWith(withPeers(ledger, notReady))
  const identity = await startIdentity(ledger, written.identityWanted, { ...options, url })
  const secrets = secretFiles(options.env, options.dataDir, ledger.name, logKey)
  for (const line of await openSecretLines(secrets)) options.log(line)
  const waits = new ApprovalWaits(ledger, systemPorts)
  undo.push(async () => waits.close())
  const { log } = options
  startWorkers({ connection: database.connection, ledger, targets, selfCheck, url, log }, undo)
  const channels = startChannels({ ledger, ...identity, settings: channelsWanted, url, log }, undo)
  undo.push(startAnchors(ledger, anchors, options.dataDir, options.log))
  const schedule = archiveOnSchedule(ledger, database.connection, retention, options)
  undo.push(() => schedule.stop())

  const consoleFiles = await readConsoleFiles(consoleDir)
  const signInUrl = ledger.halted === undefined ? await firstSignIn(identity.access, ledger, url) : undefined
  const answers = await answerRequests({
    ledger,
    ...identity,
    waits,
    consoleFiles,
    publicUrl: url,
    logReading,
    ...channels,
    cosigned: () => textIfThere(cosignedPath(options.dataDir, ledger.name)),
    log: options.log,
  })
  listener.answerWith(withPeers(ledger, answers))
  // Undone first: whoever asks from then on, as every wait that is ended does, is told to try again. Other services
  // are told by the ledger, so that they know that nothing of theirs was recorded.
  undo.push(async () => listener.answerWith(withPeers(ledger, notReady)))
  return { url: listener.url, signInUrl, warnings: policies.warnings, failed: lock.failed, stop }
}

async function whatPeopleWrote({ policies, env, log }: ServiceOptions) {
  const loaded = await loadPolicies(policies)
  checkPeerSettings(env)
  const identityWanted = identitySettings(env)
  checkProviderRoles(identityWanted.provider, loaded.all, log)
  return {
    policies: loaded,
    targets: targetsFromEnvironment(env),
    channelsWanted: channelSettings(env),
    logReading: logReadingFrom(env),
    anchors: anchorSettings(env),
    selfCheck: selfCheckSeconds(env),
    retention: archiveSettings(env),
    identityWanted,
    payloadKey: await payloadKeySettings(env),
  }
}

function startChannels(
  parts: Omit<ChannelParts, 'masking'>,
  undo: (() => Promise<unknown>)[],
): Pick<AppParts, 'masking' | 'channels'> {
  const masking = new Masking(parts.ledger)
  const { worker, answers } = createChannels({ ...parts, masking })
  worker.start()
  undo.push(() => worker.stop())
  parts.ledger.onGrowth(() => worker.poke())
  return { masking, channels: answers }
}

function callbackRule({ callbacks }: ChannelSettings): ((url: string) => boolean) | undefined {
  return callbacks && ((url) => isAllowedCallback(callbacks, url))
}

function peersOf({ env, host, log }: ServiceOptions, { port }: Listener): PeerOptions | undefined {
  const { together, url, replyMs } = peerSettings(env, { host, port })
  return together ? { url, replyMs, log } : undefined
}

function startLookups(
  { env, log }: ServiceOptions,
  policies: PolicySet,
  undo: (() => Promise<unknown>)[],
): Lookups {
  const settings = lookupSettings(env)
  // No reason not to start: such a fact counts against the calls that need it, and others can be decided.
  for (const line of unansweredFacts(policies.all, settings)) log(line)
  const lookups = createLookups(settings)
  undo.push(() => lookups.close())
  return lookups
}

async function firstSignIn(access: Access, ledger: Ledger, url: string): Promise<string | undefined> {
  const people = await access.people()
  if (people.length === 0) await access.setPerson(firstAdministrator, ['administrator', 'approver'])
  const { rows } = await ledger.pool.query('select 1 from session where expires_at > now() limit 1')
  if (rows.length > 0 || people.some(({ id }) => id !== firstAdministrator)) return undefined
  return `${url}/sign-in#token=${await access.createSignInToken(firstAdministrator)}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
