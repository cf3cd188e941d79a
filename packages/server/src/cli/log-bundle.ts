import { readFile } from 'node:fs/promises'
import {
  Fault,
  isTlogProof,
  onOneLine,
  parseProofBundle,
  parseTlogProof,
  proofBundleLengthMax,
  verifyProofBundle,
  type LogRecord,
  type ProofVerdict,
} from '@bailiwick/core'
import type { Command } from 'commander'
import { verifyPage } from '../verify-page.ts'
import type { Act } from './act.ts'
import { fine, negative, type ExitCode } from './exit-codes.ts'
import type { CliPorts } from './ports.ts'

/** Options of `bailiwick log verify` that make it look at a bundle. */
export interface BundleOptions {
  readonly bundle: string
  readonly key?: readonly string[]
  readonly json?: true
}

type Proven = Extract<ProofVerdict, { kind: 'proven' }>

/** Gathers an option that can be given several times. */
export function repeated(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** Adds `bailiwick log verify-page`. */
export function addVerifyPage(log: Command, act: Act): void {
  log
    .command('verify-page')
    .description('Prints a page that checks proof bundles in a browser: one file, without a network.')
    .action(
      act(async (ports) => {
        ports.out((await verifyPage()).html.trimEnd())
        return fine
      }),
    )
}

/** `bailiwick log verify --bundle FILE`: checks one record offline, without service or database. */
export async function verifyBundleFile(ports: CliPorts, options: BundleOptions): Promise<ExitCode> {
  const keys = options.key === undefined ? undefined : await verifierKeys(options.key)
  const text = await bundleText(ports, options.bundle)
  const bundle = isTlogProof(text) ? parseTlogProof(text) : parseProofBundle(text)
  if (keys === undefined && bundle.verifierKeys.length === 0) {
    throw new Fault('bad_input', 'this proof brings no key of the log', {
      fix: 'Give the key with --key, from somebody you trust.',
    })
  }
  const verdict = verifyProofBundle(bundle, keys)
  if (verdict.kind === 'proven') {
    ports.out(options.json ? JSON.stringify(provenJson(verdict)) : provenText(verdict))
    // Whoever made the bundle may have made its key: scripts that look at nothing else must not take that for a proof.
    return verdict.keys === 'bundled' ? negative : fine
  }
  const { problem, fix } = verdict
  ports.out(options.json ? JSON.stringify({ proven: false, problem, fix }) : `Not proven: ${problem}\n${fix}`)
  return negative
}

async function bundleText(ports: CliPorts, file: string): Promise<string> {
  const text =
    file === '-'
      ? await ports.readInput?.(proofBundleLengthMax)
      : await readFile(file, 'utf8').catch(unreadable(file))
  if (text !== undefined) return text
  throw new Fault('bad_input', 'standard input is too long to be a proof bundle', { fix: 'Give one bundle.' })
}

function unreadable(file: string): (cause: unknown) => never {
  return (cause) => {
    throw new Fault('bad_input', `\`${file}\` cannot be read`, { fix: 'Name a file that can.', cause })
  }
}

/** Keys as they are, or from files that have one on each line. @throws Fault `bad_input` for a file that cannot be read */
export async function verifierKeys(given: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(
    given.map(async (value) => {
      if (/^[^+\s]+\+[0-9a-f]{8}\+/.test(value)) return [value]
      const text = await readFile(value, 'utf8').catch(unreadable(value))
      return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]))
    }),
  )
  return lists.flat()
}

function provenJson({ record, checkpoint, signedBy, keys, payload }: Proven): object {
  const { origin, size, root } = checkpoint
  return {
    proven: keys !== 'bundled',
    index: record.index,
    origin,
    size,
    root: Buffer.from(root).toString('hex'),
    signedBy,
    keys,
    payload,
    record,
  }
}

const payloadTexts = {
  committed: 'the payload in the bundle is the one that the record commits to',
  sealed:
    'the payload in the bundle is the one that the record commits to; it is sealed, and what opens it is not in the bundle',
  withheld: 'the payload was left out of the bundle',
  erased: 'the payload has been erased, by the word of whoever made the bundle',
  none: 'the record has no payload',
} as const

function provenText({ record, checkpoint, signedBy, keys, payload }: Proven): string {
  const place = `record ${record.index} is in the log ${checkpoint.origin}, as it was signed at ${checkpoint.size} records`
  const lines = [
    keys === 'bundled'
      ? `Not proven by the log: the key in the bundle itself says that ${place}.`
      : `Proven: ${place}.`,
    `  ${record.at} ${summary(record)}`,
    `  ${payloadTexts[payload]}`,
    ...signedBy.map((key) => `  signed by ${key}`),
  ]
  if (keys === 'bundled') {
    lines.push(
      'Whoever made the bundle may have made the key. Give the one that the operator of the log publishes with --key.',
    )
  }
  return lines.map(onOneLine).join('\n')
}

/** What says most of a record, whatever its kind, in the order in which people ask. */
const telling = [
  'kind',
  'id',
  'decision',
  'approval',
  'agent',
  'person',
  'event',
  'subject',
  'action',
  'effect',
  'vote',
  'status',
  'reasons',
]

function summary(record: LogRecord): string {
  const values = new Map<string, unknown>(Object.entries(record))
  const texts = telling.flatMap((name) => values.get(name) ?? [])
  return texts.filter((text) => typeof text === 'string').join(', ')
}
