import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLogKey, loadLogKey, openCheckpoint, signCheckpoint } from '@bailiwick/core'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { retireLogKey, rotateLogKey } from '../src/checkpoints/log-keys.ts'
import { isSignedBy } from '../src/checkpoints/checkpoint-file.ts'
import { Ledger } from '../src/ledger.ts'
import { verifyStoredLog, verifyWithoutDatabase } from '../src/verify.ts'
import {
  agent,
  faultOf,
  ledgerSite,
  policiesOf,
  refund,
  supportPolicy,
  type LedgerSite,
} from './harness/ledger.ts'
import { describeOnOnePostgres } from './harness/postgres.ts'
import { cutTail } from './harness/rewriting.ts'

const policies = policiesOf(supportPolicy())

describeOnOnePostgres('an old checkpoint that is put back', (postgres) => {
  let site: LedgerSite
  let elsewhere: string
  let count = 0
  let opened: Ledger[] = []
  beforeAll(async () => {
    site = await ledgerSite(postgres)
    elsewhere = join(site.dataDir, 'elsewhere')
  })
  afterEach(async () => {
    await Promise.allSettled(opened.splice(0).map((ledger) => ledger.close()))
    opened = []
    await rm(elsewhere, { recursive: true, force: true })
  })
  afterAll(() => site.remove())

  const open = async (name: string, checkpointCopies?: string) => {
    const { config: connection } = site.database
    const where = { connection, dataDir: site.dataDir, ledger: name, consoleUrl: 'http://console.test' }
    const ledger = await Ledger.open({ ...where, policies, now: site.clock.now, checkpointCopies })
    opened.push(ledger)
    return ledger
  }
  const file = (name: string, ending = 'checkpoint') => join(site.dataDir, 'checkpoints', `${name}.${ending}`)
  const newName = () => `copies-${(count += 1)}`
  async function grow(ledger: Ledger, records: number, amount = 1): Promise<string> {
    for (let at = 0; at < records; at++) await ledger.decide(agent, refund(amount))
    return await ledger.checkpoint()
  }
  /** Copies the published checkpoint as a service does. */
  async function copied(name: string): Promise<void> {
    const note = await readFile(file(name), 'utf8')
    await mkdir(join(elsewhere, name), { recursive: true })
    await writeFile(join(elsewhere, name, `${note.split('\n')[1]}.checkpoint`), note)
    await writeFile(join(elsewhere, `${name}.checkpoint`), note)
  }
  /** What is left when whoever owns database and data directory has put back how the log was at `from` records. */
  async function putBack(name: string, note: string, from: number): Promise<void> {
    await cutTail(site, name, from)
    await writeFile(file(name), note)
    await rm(file(name, 'frontier'), { force: true })
  }

  test('is found by the copies, whatever was cut off behind it and however much was filled in again', async () => {
    const sizes = fc.record({
      early: fc.integer({ min: 1, max: 6 }),
      lost: fc.integer({ min: 1, max: 9 }),
      kept: fc.nat(8),
      filled: fc.nat(14),
    })
    await fc.assert(
      fc.asyncProperty(sizes, async ({ early, lost, kept, filled }) => {
        const name = newName()
        const honest = await open(name)
        const old = await grow(honest, early)
        await grow(honest, lost)
        await copied(name)
        expect(await (await open(name, elsewhere)).verify()).toMatchObject({ kind: 'intact' })
        await honest.close()

        const end = 1 + early + Math.min(kept, lost - 1)
        await putBack(name, old, end)
        // Without the copies nothing is wrong: a service starts, records and signs.
        const fooled = await open(name)
        await grow(fooled, filled, 7)
        expect(await fooled.verify()).toMatchObject({ kind: 'intact', size: end + filled })
        await fooled.close()

        expect((await faultOf(open(name, elsewhere))).code).toBe('log_broken')
        const held = await verifyAgainst(name)
        expect(held.kind).toBe('broken')
      }),
      { numRuns: 8, examples: [[{ early: 3, lost: 2, kept: 0, filled: 2 }]] },
    )
  })

  const verifyAgainst = async (name: string) => {
    const { config: connection } = site.database
    return await verifyStoredLog({
      connection,
      dataDir: site.dataDir,
      ledger: name,
      checkpointCopies: elsewhere,
      now: site.clock.now(),
    })
  }

  test('and a log that goes on from every copy is opened, also where the published checkpoint itself is gone', async () => {
    const name = newName()
    const ledger = await open(name)
    for (let round = 0; round < 3; round++) {
      await grow(ledger, 3)
      await copied(name)
    }
    await grow(ledger, 2)
    await ledger.close()
    await expect(open(name, elsewhere)).resolves.toBeDefined()
    expect(await verifyAgainst(name)).toMatchObject({ kind: 'intact', size: 12 })
    // The service died before the copy was made, or its data directory was restored: the copy counts more.
    await rm(file(name))
    await expect(open(name, elsewhere)).resolves.toBeDefined()
  })

  test('by a service that runs is signed over by nobody: it goes on only from its own head', async () => {
    const name = newName()
    const ledger = await open(name)
    const old = await grow(ledger, 3)
    await grow(ledger, 4)
    await putBack(name, old, 5)
    expect((await faultOf(ledger.checkpoint())).code).toBe('log_broken')
    expect((await faultOf(ledger.decide(agent, refund(1)))).code).toBe('log_broken')
    expect(await readFile(file(name), 'utf8')).toBe(old)
  })

  test('a service that was fooled at its start finds it out once it sees the copies', async () => {
    const name = newName()
    const honest = await open(name)
    const old = await grow(honest, 3)
    await grow(honest, 4)
    await copied(name)
    await honest.close()
    await putBack(name, old, 5)
    await rename(elsewhere, `${elsewhere}-away`)
    const fooled = await open(name, elsewhere)
    await grow(fooled, 9, 7)
    await fooled.holdAgainstCopies()
    await rename(`${elsewhere}-away`, elsewhere)
    expect(await faultOf(fooled.holdAgainstCopies())).toMatchObject({
      code: 'log_broken',
      message: expect.stringContaining(`${name}.checkpoint\` is a checkpoint for 8 records`),
    })
  })

  test('is found by the cosigned note beside it where that was forgotten, and one that nobody knows any more holds nothing up', async () => {
    const name = newName()
    const honest = await open(name)
    const old = await grow(honest, 3)
    await grow(honest, 4)
    await copyFile(file(name), file(name, 'cosigned'))
    await honest.close()
    await putBack(name, old, 5)
    expect((await faultOf(open(name))).code).toBe('log_broken')
    await writeFile(file(name, 'cosigned'), 'of witnesses that were given up\n')
    await expect(open(name)).resolves.toBeDefined()
  })

  describe('copies', () => {
    async function withCopies(): Promise<{ name: string; ledger: Ledger }> {
      const name = newName()
      const ledger = await open(name)
      await grow(ledger, 3)
      await copied(name)
      return { name, ledger }
    }

    test('of another log, or under a key that nobody knows, are not passed over', async () => {
      const [{ name, ledger }, other] = [await withCopies(), await withCopies()]
      await copyFile(file(other.name), join(elsewhere, `${name}.checkpoint`))
      expect((await faultOf(open(name, elsewhere))).message).toContain('is none of this log')
      expect(await verifyAgainst(name)).toMatchObject({ kind: 'broken', index: null })
      const { origin } = ledger.checkpoints
      const { size, root } = openCheckpoint(await ledger.checkpoint(), ledger.checkpoints.verifierKeys)
      const { signer } = loadLogKey(origin, createLogKey(origin).privateKeyPem)
      await writeFile(join(elsewhere, `${name}.checkpoint`), signCheckpoint({ origin, size, root }, signer))
      expect((await faultOf(open(name, elsewhere))).message).toContain('is none of this log')
    })

    test('by a key that was retired since still count', async () => {
      const { name, ledger } = await withCopies()
      const old = await readFile(file(name), 'utf8')
      await rotateLogKey(site.dataDir, name, {})
      await grow(ledger, 2)
      const note = await readFile(file(name), 'utf8')
      await retireLogKey(site.dataDir, name, {}, (key) => isSignedBy(note, key))
      await grow(ledger, 1)
      await expect(open(name, elsewhere)).resolves.toBeDefined()
      expect(await verifyAgainst(name)).toMatchObject({ kind: 'intact' })
      // The key of before does not make a false one true.
      await writeFile(join(elsewhere, `${name}.checkpoint`), old.replace('\n4\n', '\n3\n'))
      expect((await faultOf(open(name, elsewhere))).code).toBe('log_broken')
    })

    test('count by the history, too, where the newest one was put back', async () => {
      const { name, ledger } = await withCopies()
      const old = await readFile(file(name), 'utf8')
      await grow(ledger, 3)
      await copied(name)
      await ledger.close()
      await writeFile(join(elsewhere, `${name}.checkpoint`), old)
      await putBack(name, old, 4)
      expect((await faultOf(open(name, elsewhere))).message).toContain('7.checkpoint')
    })

    test('that cannot be read keep a log from being opened, and are no verdict on it', async () => {
      const { name } = await withCopies()
      await rm(elsewhere, { recursive: true })
      await writeFile(elsewhere, 'no directory')
      expect((await faultOf(open(name, elsewhere))).code).toBe('store_unavailable')
      expect((await faultOf(verifyAgainst(name))).code).toBe('store_unavailable')
    })

    test('say that there was a log where its database and checkpoint are gone', async () => {
      const { name } = await withCopies()
      await rm(file(name))
      expect(await verifyWithoutDatabase(site.dataDir, name)).toBeUndefined()
      expect(await verifyWithoutDatabase(site.dataDir, name, elsewhere)).toMatchObject({ kind: 'broken' })
    })
  })
})
