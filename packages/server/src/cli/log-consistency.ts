import { readFile } from 'node:fs/promises'
import {
  Fault,
  nodesFromTiles,
  openCheckpoint,
  proveConsistency,
  tilePath,
  treeRoot,
  verifyConsistency,
  type Checkpoint,
  type Hash,
  type TileReader,
} from '@bailiwick/core'
import type { Command } from 'commander'
import type { Act } from './act.ts'
import { fine, negative, type ExitCode } from './exit-codes.ts'
import { repeated, verifierKeys } from './log-bundle.ts'
import { withStore } from './log-prove.ts'
import type { CliPorts } from './ports.ts'
import { storePlace, withStoreOptions, type StoreOptions } from './settings.ts'

interface ConsistencyOptions extends StoreOptions {
  readonly url?: string
  readonly key?: readonly string[]
  readonly json?: true
}

/** A log that can be read as tiles, and what it published last. */
interface TiledLog {
  readonly published: Checkpoint
  readonly keys: readonly string[]
  readonly read: TileReader
}

/** A size of the log, with the root that was signed for it where a checkpoint says so. */
interface Stage {
  readonly size: number
  readonly root?: Hash
}

interface Found {
  readonly from: number
  readonly to: number
  readonly fromRoot: string
  readonly toRoot: string
  readonly proof: readonly string[]
  readonly published: number
}

/** Adds `bailiwick log consistency`. */
export function addLogConsistency(log: Command, act: Act): void {
  withStoreOptions(log.command('consistency'))
    .description('Proves that the log has only grown from A to B, and from B to what is published now.')
    .argument('<a>', 'the earlier one: a file with a checkpoint, or a size')
    .argument('<b>', 'the later one')
    .option('--url <address>', 'read the tiles of a service, instead of the database; needs --key')
    .option('--key <vkey>', "the log's key, or a file of keys; with --data, the stored ones", repeated)
    .option(
      '--json',
      'print {consistent, from, to, fromRoot, toRoot, proof, published} or {consistent, problem, fix}',
    )
    .addHelpText('after', '\nExits with 0 where the log has only grown, 1 where it has not, 2 for bad input.')
    .action(act(consistency))
}

async function consistency(
  ports: CliPorts,
  a: string,
  b: string,
  options: ConsistencyOptions,
): Promise<ExitCode> {
  const given = options.key === undefined ? undefined : await verifierKeys(options.key)
  try {
    const found =
      options.url === undefined
        ? await withStore(storePlace(options, ports), ports, ({ tiles, note, verifierKeys: stored }) => {
            const keys = given ?? stored
            const read: TileReader = (tile) => tiles.read(tile)
            return grown({ published: openCheckpoint(note, keys), keys, read }, a, b)
          })
        : await grown(await servedLog(options.url, given), a, b)
    ports.out(options.json ? JSON.stringify({ consistent: true, ...found }) : grownText(found))
    return fine
  } catch (fault) {
    if (!(fault instanceof Fault) || fault.code !== 'log_broken') throw fault
    const { message: problem, fix } = fault
    ports.out(
      options.json ? JSON.stringify({ consistent: false, problem, fix }) : `Not proven: ${problem}\n${fix}`,
    )
    return negative
  }
}

function grownText({ from, to, proof, published }: Found): string {
  const lines = [
    `The log of ${to} records continues the log of ${from}${published > to ? `, and the published one of ${published} continues both` : ''}.`,
    ...proof,
  ]
  return lines.join('\n')
}

// Every step ends at a root that was signed: the last one is that of the published checkpoint.
async function grown(log: TiledLog, a: string, b: string): Promise<Found> {
  const [earlier, later] = await Promise.all([stageOf(a, log.keys), stageOf(b, log.keys)])
  const { published, read } = log
  for (const { size, root } of [earlier, later]) {
    if (size <= published.size) continue
    const message = `the published log has ${published.size} records, and not ${size}`
    const fix = 'Ask for a size up to that of the published checkpoint.'
    // A size that was signed once must be there.
    throw new Fault(root === undefined ? 'not_found' : 'log_broken', message, {
      fix:
        root === undefined ? fix : 'Keep both checkpoints: they show that the log was cut off or replaced.',
    })
  }
  refuseShrunk(earlier, later)
  const rootAt = async (size: number): Promise<Hash> => await treeRoot(nodesFromTiles(read, size), size)
  const fromRoot = earlier.root ?? (await rootAt(earlier.size))
  const toRoot = later.root ?? (await rootAt(later.size))
  const proof = await proven(read, { size: earlier.size, root: fromRoot }, { size: later.size, root: toRoot })
  await proven(read, { size: later.size, root: toRoot }, published)
  return {
    from: earlier.size,
    to: later.size,
    fromRoot: base64(fromRoot),
    toRoot: base64(toRoot),
    proof: proof.map(base64),
    published: published.size,
  }
}

// Of two that were signed, the caller says which came first: a log that has fewer records later has not only grown.
function refuseShrunk(earlier: Stage, later: Stage): void {
  if (earlier.root === undefined || later.root === undefined || later.size >= earlier.size) return
  const message = `the second checkpoint has fewer records than the first, ${later.size} and not ${earlier.size}`
  throw new Fault('log_broken', message, {
    fix: 'If it was fetched later, keep both: it is a stale copy, or the log was rewound. Otherwise give them the other way round.',
  })
}

async function proven(read: TileReader, from: Required<Stage>, to: Required<Stage>): Promise<Hash[]> {
  const proof = await proveConsistency(nodesFromTiles(read, to.size), from.size, to.size)
  const claim = { from: from.size, to: to.size, fromRoot: from.root, toRoot: to.root, proof }
  if (verifyConsistency(claim)) return proof
  throw new Fault('log_broken', `the log of ${to.size} records does not continue the log of ${from.size}`, {
    fix: 'Keep both checkpoints and the log as evidence: one of them has been changed, or they are of two logs.',
  })
}

async function stageOf(text: string, keys: readonly string[]): Promise<Stage> {
  if (/^[0-9]{1,15}$/.test(text)) return { size: Number(text) }
  const note = await readFile(text, 'utf8').catch((cause: unknown) => {
    throw new Fault('bad_input', `\`${text}\` is neither a size nor a file that can be read`, {
      fix: 'Give a number of records, or a file with a checkpoint, such as from /log/checkpoint.',
      cause,
    })
  })
  const { size, root } = openCheckpoint(note, keys)
  return { size, root }
}

async function servedLog(url: string, keys: readonly string[] | undefined): Promise<TiledLog> {
  if (keys === undefined) {
    throw new Fault('bad_input', "what a service says is believed only with the log's key", {
      fix: 'Give the key with --key, from somebody you trust.',
    })
  }
  const base = `${url.replace(/\/+$/, '')}/log/`
  const note = (await fetched(`${base}checkpoint`)).toString()
  return {
    published: openCheckpoint(note, keys),
    keys,
    read: async (tile) => await fetched(base + tilePath(tile)),
  }
}

const fetchTimeoutMs = 30_000

async function fetched(address: string): Promise<Buffer> {
  const fix = 'Check the address with --url; it is that of the service, without /log.'
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(fetchTimeoutMs), redirect: 'error' })
    if (response.ok) return Buffer.from(await response.arrayBuffer())
    throw new Fault('service_unreachable', `\`${address}\` was answered with ${response.status}`, { fix })
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw new Fault('service_unreachable', `no answer from \`${address}\``, { fix, cause })
  }
}

function base64(hash: Hash): string {
  return Buffer.from(hash).toString('base64')
}
