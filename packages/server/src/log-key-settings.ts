import { readFile } from 'node:fs/promises'
import { Fault } from '@bailiwick/core'
import type { LogKeySettings } from '@bailiwick/store'

type Env = Readonly<Record<string, string | undefined>>

/**
 * How checkpoints are signed, from the environment: `BAILIWICK_LOG_HOST`, `BAILIWICK_LOG_KEY` (files, separated by commas, the
 * current key first), and `BAILIWICK_LOG_KEY_PASSPHRASE` or a file that holds it, `BAILIWICK_LOG_KEY_PASSPHRASE_FILE`.
 *
 * @throws Fault `bad_input` where the file with the passphrase cannot be read
 */
export async function logKeySettings(env: Env): Promise<LogKeySettings> {
  const keyFiles = nonEmpty(env['BAILIWICK_LOG_KEY'])
    ?.split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '')
  return {
    host: nonEmpty(env['BAILIWICK_LOG_HOST'])?.toLowerCase(),
    keyFiles,
    passphrase: await passphraseOf(env),
  }
}

async function passphraseOf(env: Env): Promise<string | undefined> {
  const given = nonEmpty(env['BAILIWICK_LOG_KEY_PASSPHRASE'])
  const path = nonEmpty(env['BAILIWICK_LOG_KEY_PASSPHRASE_FILE'])
  if (given !== undefined || path === undefined) return given
  try {
    // Editors and secret stores end files with a line break.
    return nonEmpty((await readFile(path, 'utf8')).replace(/\r?\n$/, ''))
  } catch (cause) {
    throw new Fault('bad_input', `the passphrase file \`${path}\` cannot be read`, {
      fix: 'Correct BAILIWICK_LOG_KEY_PASSPHRASE_FILE.',
      cause,
    })
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
