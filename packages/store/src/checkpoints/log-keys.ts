import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createLogKey,
  Fault,
  isEncryptedKey,
  loadLogKey,
  reencryptLogKey,
  type NoteSigner,
} from '@bailiwick/core'
import { hasCode } from '../engine/errno.ts'
import { textIfThere, writeDurably } from './durable-file.ts'

/** How a ledger's checkpoints are signed. */
export interface LogKeySettings {
  /** What names the log, before the ledger's name: a host of yours. Default: what it was, or `bailiwick.local`. */
  readonly host?: string | undefined
  /**
   * Files of private keys in PEM: the current one, and behind it those that sign as well while it takes over.
   * Default: the one in the data directory, made at first use.
   */
  readonly keyFiles?: readonly string[] | undefined
  /** Of encrypted keys; a key that is made is encrypted under it. */
  readonly passphrase?: string | undefined
}

/** The keys of one ledger, as this process has them. */
export interface LogKeys {
  readonly origin: string
  /** The current one first; empty where this process does not sign. */
  readonly signers: readonly NoteSigner[]
  /** By which notes are accepted, the current one first; empty where none is known. */
  readonly verifierKeys: readonly string[]
}

const hostDefault = 'bailiwick.local'

/** The directory of a ledger's checkpoint and keys. */
export function checkpointDir(dataDir: string): string {
  return join(dataDir, 'checkpoints')
}

interface Paths {
  readonly key: string
  /** The one before, which signs as well until it is retired. */
  readonly previous: string
  readonly vkey: string
  /** The public halves of those that sign no more, the oldest first. */
  readonly retired: string
}

function pathsOf(dataDir: string, ledger: string): Paths {
  const base = join(checkpointDir(dataDir), ledger)
  return {
    key: `${base}.key`,
    previous: `${base}.key.previous`,
    vkey: `${base}.vkey`,
    retired: `${base}.vkey.retired`,
  }
}

/** The files that hold private keys of a ledger, whether or not they are there. */
export function logKeyFiles(
  dataDir: string,
  ledger: string,
  { keyFiles }: LogKeySettings,
): readonly string[] {
  const { key, previous } = pathsOf(dataDir, ledger)
  return keyFiles ?? [key, previous]
}

/**
 * The keys as they are; makes and changes nothing. Where the private keys are here, only they count; where they are
 * kept away from, or cannot be decrypted, the public ones that were written beside the checkpoint do.
 */
export async function readLogKeys(
  dataDir: string,
  ledger: string,
  settings: LogKeySettings = {},
): Promise<LogKeys> {
  const paths = pathsOf(dataDir, ledger)
  const published = linesOf(await textIfThere(paths.vkey))
  const origin = originOf(ledger, settings, published[0])
  const pems = await privateKeys(paths, settings)
  if (pems.length > 0 && (settings.passphrase !== undefined || !pems.some(isEncryptedKey))) {
    const keys = pems.map((pem) => loadLogKey(origin, pem, settings.passphrase))
    const verifierKeys = [...new Set(keys.map(({ verifierKey }) => verifierKey))]
    const signers = verifierKeys.flatMap(
      (own) => keys.find(({ verifierKey }) => verifierKey === own)?.signer ?? [],
    )
    return { origin, signers, verifierKeys }
  }
  return { origin, signers: [], verifierKeys: published }
}

/** Remembers the public half of a key that signs no more, though it is not in the data directory. */
export async function rememberRetiredKey(
  dataDir: string,
  ledger: string,
  verifierKey: string,
): Promise<void> {
  await keepRetired(pathsOf(dataDir, ledger).retired, [verifierKey])
}

/** By which checkpoints of before can be checked, though nothing is signed with them any more; the oldest first. */
export async function readRetiredKeys(dataDir: string, ledger: string): Promise<readonly string[]> {
  return linesOf(await textIfThere(pathsOf(dataDir, ledger).retired))
}

/**
 * The keys to sign with.
 *
 * @param make whether a key is made where there is none
 * @throws Fault `bad_input` where a key cannot be read, or the log has another origin than the settings say
 */
export async function openLogKeys(
  dataDir: string,
  ledger: string,
  settings: LogKeySettings,
  make: boolean,
): Promise<LogKeys> {
  const paths = pathsOf(dataDir, ledger)
  await mkdir(checkpointDir(dataDir), { recursive: true, mode: 0o700 })
  const pems = await privateKeys(paths, settings)
  if (pems.length === 0 && make) await makeKey(paths.key, originOf(ledger, settings, undefined), settings)
  else if (pems.some(isEncryptedKey) && settings.passphrase === undefined) {
    // Says what is missing.
    for (const pem of pems) loadLogKey('x', pem)
  }
  const keys = await readLogKeys(dataDir, ledger, settings)
  if (keys.signers.length > 0) await publish(paths, keys)
  return keys
}

/**
 * Replaces the ledger's key in the data directory. Both sign until the old one is retired, so that whoever knows only
 * the old one, or only the new one, can check what is published meanwhile.
 *
 * @throws Fault `conflict` where a key is being replaced already, or the keys are not kept in the data directory
 */
export async function rotateLogKey(
  dataDir: string,
  ledger: string,
  settings: LogKeySettings,
): Promise<LogKeys> {
  const paths = pathsOf(dataDir, ledger)
  refuseKeptElsewhere(settings)
  const current = await textIfThere(paths.key)
  if (current === undefined) {
    throw new Fault('not_found', `this data directory has no key for the ledger \`${ledger}\``, {
      fix: 'Make one with `bailiwick log key create`.',
    })
  }
  const previous = await textIfThere(paths.previous)
  if (previous !== undefined && previous !== current) {
    throw new Fault('conflict', 'the key before this one signs as well still', {
      fix: 'Retire it first: `bailiwick log key retire`.',
    })
  }
  const { origin } = await openLogKeys(dataDir, ledger, settings, false)
  // The old key is kept before the new one takes its place. A crash in between leaves the old key twice, which counts
  // once; nothing has been signed with the new one.
  await writeDurably(paths.previous, current)
  await writeDurably(paths.key, createLogKey(origin, settings.passphrase).privateKeyPem)
  return await openLogKeys(dataDir, ledger, settings, false)
}

/**
 * Ends the overlap after `rotateLogKey`: the old key no longer signs, and notes that it alone signed are no longer accepted.
 *
 * @param isSignedBy whether the note as published is signed by this key: the new one must have signed it
 * @returns the verifier key that was retired
 */
export async function retireLogKey(
  dataDir: string,
  ledger: string,
  settings: LogKeySettings,
  isSignedBy: (verifierKey: string) => boolean,
): Promise<string> {
  const paths = pathsOf(dataDir, ledger)
  refuseKeptElsewhere(settings)
  const { verifierKeys } = await openLogKeys(dataDir, ledger, settings, false)
  const [current, old] = verifierKeys
  if (current === undefined || old === undefined) {
    throw new Fault('conflict', 'no key is being replaced', { fix: 'Begin with `bailiwick log key rotate`.' })
  }
  if (!isSignedBy(current)) {
    throw new Fault('conflict', 'the published checkpoint is not signed by the new key yet', {
      fix: 'Let the service run with the new key for a moment, then retire the old one.',
    })
  }
  await rm(paths.previous)
  await openLogKeys(dataDir, ledger, settings, false)
  return old
}

/** Encrypts the keys in the data directory under the passphrase of the settings. */
export async function encryptLogKeys(
  dataDir: string,
  ledger: string,
  settings: LogKeySettings,
): Promise<void> {
  const { passphrase } = settings
  refuseKeptElsewhere(settings)
  if (passphrase === undefined || passphrase === '') {
    throw new Fault('bad_input', 'there is no passphrase to encrypt the key under', {
      fix: 'Set BAILIWICK_LOG_KEY_PASSPHRASE, or BAILIWICK_LOG_KEY_PASSPHRASE_FILE to a file that holds it.',
    })
  }
  const { key, previous } = pathsOf(dataDir, ledger)
  for (const path of [key, previous]) {
    const pem = await textIfThere(path)
    if (pem !== undefined && !isEncryptedKey(pem)) {
      await writeDurably(path, reencryptLogKey(pem, undefined, passphrase))
    }
  }
}

/** Makes a key in the data directory, though the ledger is signed elsewhere already. @throws Fault `conflict` where it has one */
export async function createLogKeyHere(
  dataDir: string,
  ledger: string,
  settings: LogKeySettings,
): Promise<LogKeys> {
  refuseKeptElsewhere(settings)
  const before = await textIfThere(pathsOf(dataDir, ledger).key)
  if (before !== undefined) {
    throw new Fault('conflict', `this data directory has a key for the ledger \`${ledger}\` already`, {
      fix: 'Replace it with `bailiwick log key rotate`.',
    })
  }
  return await openLogKeys(dataDir, ledger, settings, true)
}

/** Changes whenever a file with a private key of the ledger does. */
export async function keyFilesStamp(
  dataDir: string,
  ledger: string,
  settings: LogKeySettings,
): Promise<string> {
  const stamps = logKeyFiles(dataDir, ledger, settings).map(async (path) => {
    try {
      const { ino, size, mtimeMs } = await stat(path)
      return `${ino} ${size} ${mtimeMs}`
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return 'none'
      throw error
    }
  })
  return (await Promise.all(stamps)).join('\n')
}

function refuseKeptElsewhere({ keyFiles }: LogKeySettings): void {
  if (keyFiles === undefined) return
  throw new Fault(
    'conflict',
    'the keys are kept where BAILIWICK_LOG_KEY says, and not in the data directory',
    {
      fix: 'Change the files there: name the new key first and the old one behind it, then only the new one.',
    },
  )
}

async function privateKeys({ key, previous }: Paths, { keyFiles }: LogKeySettings): Promise<string[]> {
  if (keyFiles !== undefined) return await Promise.all(keyFiles.map(readKeyFile))
  const pems = await Promise.all([key, previous].map(textIfThere))
  // Without the current key, the one before it is not enough: somebody has taken the key away.
  return pems[0] === undefined ? [] : pems.flatMap((pem) => pem ?? [])
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new Fault('bad_input', `the log key \`${path}\` cannot be read`, {
      fix: 'Correct BAILIWICK_LOG_KEY, or make the file readable for the service.',
      cause,
    })
  }
}

async function makeKey(
  path: string,
  origin: string,
  { keyFiles, passphrase }: LogKeySettings,
): Promise<void> {
  if (keyFiles !== undefined) return
  try {
    await writeFile(path, createLogKey(origin, passphrase).privateKeyPem, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    // Another process made it first: there is one key for a data directory.
    if (hasCode(cause, 'EEXIST')) return
    throw new Fault('internal', `the log's key \`${path}\` cannot be written`, {
      fix: 'Make the data directory writable for the service.',
      cause,
    })
  }
}

async function publish({ vkey, retired }: Paths, { verifierKeys }: LogKeys): Promise<void> {
  const text = `${verifierKeys.join('\n')}\n`
  const before = await textIfThere(vkey)
  if (before === text) return
  // What they signed, copies of checkpoints above all, has to be checked for as long as it is kept.
  const ended = linesOf(before).filter((key) => !verifierKeys.includes(key))
  await keepRetired(retired, ended)
  await writeDurably(vkey, text)
}

async function keepRetired(path: string, keys: readonly string[]): Promise<void> {
  const known = linesOf(await textIfThere(path))
  const added = keys.filter((key) => !known.includes(key))
  if (added.length > 0) await writeDurably(path, `${[...known, ...added].join('\n')}\n`)
}

function linesOf(text: string | undefined): string[] {
  return (text ?? '').split('\n').filter((line) => line !== '')
}

// A log keeps its name: notes that were signed under it are checked by it.
function originOf(ledger: string, { host }: LogKeySettings, published: string | undefined): string {
  const known = published?.split('+')[0]
  const wanted = host === undefined ? undefined : `${host}/${ledger}`
  if (known !== undefined && wanted !== undefined && known !== wanted) {
    throw new Fault('bad_input', `this log is \`${known}\`, and not \`${wanted}\``, {
      fix: 'Keep BAILIWICK_LOG_HOST as it was; a log under another name is another log.',
    })
  }
  if (host !== undefined && !/^[a-z0-9.-]+(?::[0-9]+)?$/.test(host)) {
    throw new Fault('bad_input', `\`${host}\` cannot name a log`, {
      fix: 'Set BAILIWICK_LOG_HOST to a host name, such as log.example.com.',
    })
  }
  return wanted ?? known ?? `${hostDefault}/${ledger}`
}
