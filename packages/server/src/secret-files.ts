import { stat } from 'node:fs/promises'
import { logKeyFiles, type LogKeySettings } from '@bailiwick/store'
import { identityKeyFile } from './identity/identity-key.ts'

type Env = Readonly<Record<string, string | undefined>>

/** The files with secrets that a service with this environment reads or makes, whether or not they are there. */
export function secretFiles(
  env: Env,
  dataDir: string,
  ledger: string,
  logKey: LogKeySettings,
): readonly string[] {
  const named = ['BAILIWICK_LOG_KEY_PASSPHRASE_FILE', 'BAILIWICK_PAYLOAD_KEY_FILE'].map((name) => env[name])
  const files = [...logKeyFiles(dataDir, ledger, logKey), identityKeyFile(env, dataDir), ...named]
  return files.flatMap((file) => file || [])
}

/**
 * A line for each of these files that others than its owner may read or change. Files that are not there, or cannot be
 * looked at, are passed over: whoever needs one says what is wrong with it.
 *
 * They are told and not refused, the log key neither, though ssh refuses such keys: a secret that is mounted into a
 * container is often readable by a group, or by everybody in there, nobody can change its mode, and it is the container
 * that keeps others away. Refusing it would keep such services from starting, or teach people to turn the check off.
 */
export async function openSecretLines(files: readonly string[]): Promise<readonly string[]> {
  const lines = await Promise.all(
    files.map(async (file) => {
      // Where it is a link, what counts is the file that it leads to.
      const mode = await stat(file).then(
        (found) => found.mode & 0o777,
        () => 0,
      )
      if ((mode & othersMask) === 0) return []
      const text = mode.toString(8).padStart(4, '0')
      return [
        `SECRET FILE: \`${file}\` is open to others than its owner (mode ${text}). Run \`chmod 600 ${file}\`; where it is mounted, mount it with mode 0400.`,
      ]
    }),
  )
  return lines.flat()
}

/** What group and everybody else may do. */
const othersMask = 0o077
