import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@bailiwick/core'
import { textIfThere, writeDurably } from '@bailiwick/store'
import { Sealing } from './sealing.ts'

/**
 * What seals the secrets of people's second factors: with the key that `BAILIWICK_IDENTITY_KEY` or
 * `BAILIWICK_IDENTITY_KEY_FILE` gives, else with one in the data directory, which is made where there is none. Services that
 * share a database need the same one.
 *
 * @throws Fault `bad_input` where what is given is no key
 */
export async function identitySealing(
  env: Readonly<Record<string, string | undefined>>,
  dataDir: string,
): Promise<Sealing> {
  const [given, file] = [env['BAILIWICK_IDENTITY_KEY'], env['BAILIWICK_IDENTITY_KEY_FILE']]
  if (given) return sealingWith(given, '`BAILIWICK_IDENTITY_KEY`')
  if (file) {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new Fault('bad_input', 'the file of `BAILIWICK_IDENTITY_KEY_FILE` cannot be read', {
        fix: 'Name a file that the service may read.',
        cause,
      })
    })
    return sealingWith(text, 'the file of `BAILIWICK_IDENTITY_KEY_FILE`')
  }
  const own = join(dataDir, 'identity.key')
  const text = (await textIfThere(own)) ?? (await made(own, dataDir))
  return sealingWith(text, `\`${own}\``)
}

/** The file that the key is read from, or made in; undefined where it is given otherwise. */
export function identityKeyFile(
  env: Readonly<Record<string, string | undefined>>,
  dataDir: string,
): string | undefined {
  if (env['BAILIWICK_IDENTITY_KEY']) return undefined
  return env['BAILIWICK_IDENTITY_KEY_FILE'] || join(dataDir, 'identity.key')
}

// Of two services that start at once, one makes it; the other reads what that one made, which is whole.
async function made(path: string, dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true })
  const beside = `${path}.${randomBytes(6).toString('hex')}.new`
  await writeDurably(beside, `${randomBytes(32).toString('hex')}\n`)
  try {
    await link(beside, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(beside, { force: true })
  }
  return await readFile(path, 'utf8')
}

function sealingWith(text: string, where: string): Sealing {
  const hex = text.trim()
  if (/^[0-9a-f]{64}$/i.test(hex)) return new Sealing(Buffer.from(hex, 'hex'))
  throw new Fault('bad_input', `${where} is no key`, {
    fix: 'Give 64 hexadecimal digits, such as from `openssl rand -hex 32`.',
  })
}
