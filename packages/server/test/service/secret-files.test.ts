import { randomBytes } from 'node:crypto'
import { chmod, copyFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ServicePlace } from '../harness/service.ts'

let place: ServicePlace
beforeEach(async () => {
  place = await ServicePlace.onServer()
})
afterEach(() => place.remove())

const told = () => place.lines.filter((line) => line.startsWith('SECRET FILE: '))
const inDataDir = (name: string) => join(place.dataDir, name)
const restarted = async (env: Readonly<Record<string, string>> = {}) => {
  const service = await place.start({ env })
  await service.stop()
}

describe('A file with a secret', () => {
  test('that the service made itself is its owner’s alone, and nothing is said', async () => {
    await restarted()
    await restarted()
    expect(told()).toEqual([])
  })

  test.each(['checkpoints/main.key', 'checkpoints/main.key.previous', 'identity.key'])(
    '%s that others can read is told at each start with its name and what to do, and the service starts',
    async (name) => {
      await restarted()
      const file = inDataDir(name)
      // While a key is being replaced, both are there.
      if (name.endsWith('.previous')) await copyFile(inDataDir('checkpoints/main.key'), file)
      for (const mode of [0o644, 0o640, 0o604]) {
        await chmod(file, mode)
        await restarted()
        expect(told().at(-1)).toBe(
          `SECRET FILE: \`${file}\` is open to others than its owner (mode 0${mode.toString(8)}). Run \`chmod 600 ${file}\`; where it is mounted, mount it with mode 0400.`,
        )
      }
      expect(told()).toHaveLength(3)
      await chmod(file, 0o600)
      await restarted()
      expect(told()).toHaveLength(3)
    },
  )

  test('that a setting names is told as well, also behind a link, and not where its owner alone can read it', async () => {
    const contents = {
      BAILIWICK_PAYLOAD_KEY_FILE: randomBytes(32).toString('hex'),
      BAILIWICK_IDENTITY_KEY_FILE: randomBytes(32).toString('hex'),
      BAILIWICK_LOG_KEY_PASSPHRASE_FILE: 'a long passphrase',
    }
    const env: Record<string, string> = {}
    for (const [name, text] of Object.entries(contents)) {
      const file = join(place.dir, name)
      await writeFile(file, text)
      await chmod(file, 0o400)
      env[name] = join(place.dir, `${name}.mounted`)
      await symlink(file, env[name])
    }
    await restarted(env)
    expect(told()).toEqual([])
    for (const name of Object.keys(contents)) await chmod(join(place.dir, name), 0o440)
    await restarted(env)
    expect(told()).toHaveLength(3)
    for (const path of Object.values(env)) {
      expect(told()).toContainEqual(expect.stringContaining(`\`${path}\` is open to others`))
    }
  })

  test('that BAILIWICK_LOG_KEY names is told in the place of those in the data directory', async () => {
    await restarted()
    const file = join(place.dir, 'log.key')
    await rename(inDataDir('checkpoints/main.key'), file)
    await chmod(file, 0o444)
    await restarted({ BAILIWICK_LOG_KEY: file })
    expect(told()).toEqual([expect.stringContaining(`\`${file}\` is open to others`)])
  })
})
