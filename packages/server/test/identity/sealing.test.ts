import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { identitySealing } from '../../src/identity/identity-key.ts'
import { Sealing } from '../../src/identity/sealing.ts'

const secret = Buffer.from('the secret of an app')

describe('what is sealed', () => {
  const sealing = new Sealing(Buffer.alloc(32, 1))

  test('opens for its purpose, and for no other', () => {
    const sealed = sealing.seal('totp ann@example.com', secret)
    expect(sealing.open('totp ann@example.com', sealed)).toEqual(secret)
    expect(sealing.open('totp bob@example.com', sealed)).toBeUndefined()
    expect(sealed).not.toContain(secret.toString('base64url'))
  })

  test('opens with no other key, and not where a byte of it was changed', () => {
    const sealed = sealing.seal('x', secret)
    expect(new Sealing(Buffer.alloc(32, 2)).open('x', sealed)).toBeUndefined()
    const bytes = Buffer.from(sealed, 'base64url')
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      expect(sealing.open('x', changed.toString('base64url'))).toBeUndefined()
    }
    for (const text of ['', 'AAAA', sealed.slice(0, 20)]) expect(sealing.open('x', text)).toBeUndefined()
  })

  test('looks different each time', () => {
    expect(sealing.seal('x', secret)).not.toBe(sealing.seal('x', secret))
  })
})

describe('the identity key', () => {
  let dir: string
  beforeAll(async () => {
    dir = await makeTestDir()
  })
  afterAll(() => removeTestDir(dir))

  test('is made once, for its owner alone, also where several ask at once', async () => {
    const place = join(dir, 'made')
    const sealings = await Promise.all(Array.from({ length: 8 }, () => identitySealing({}, place)))
    const sealed = sealings[0]?.seal('x', secret) ?? ''
    for (const sealing of [...sealings, await identitySealing({}, place)]) {
      expect(sealing.open('x', sealed)).toEqual(secret)
    }
    expect((await stat(join(place, 'identity.key'))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(place, 'identity.key'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
  })

  test('comes from the environment where it is given there', async () => {
    const key = 'ab'.repeat(32)
    const file = join(dir, 'given.key')
    await writeFile(file, `${key}\n`)
    await chmod(file, 0o600)
    const sealed = (await identitySealing({ BAILIWICK_IDENTITY_KEY: key }, dir)).seal('x', secret)
    const fromFile = await identitySealing({ BAILIWICK_IDENTITY_KEY_FILE: file }, dir)
    expect(fromFile.open('x', sealed)).toEqual(secret)
  })

  test.each([
    { BAILIWICK_IDENTITY_KEY: 'short' },
    { BAILIWICK_IDENTITY_KEY: 'g'.repeat(64) },
    { BAILIWICK_IDENTITY_KEY_FILE: '/nowhere/at/all' },
  ])('that is none is refused: %j', async (env) => {
    await expect(identitySealing(env, dir)).rejects.toMatchObject({ code: 'bad_input' })
  })
})
