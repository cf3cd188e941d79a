import { Fault } from '@bailiwick/core'
import type { Queryable } from '../log/batches.ts'
import type { Operation } from '../log/operation.ts'
import { readSealing } from '../log/sealing-state.ts'
import {
  firstSealingOperation,
  rewrapOperation,
  sealingOperation,
  type SealedUnder,
  type SealingAnswer,
} from '../operations/sealing.ts'
import type { PayloadKey } from './payload-key.ts'
import { subjectSecretProblem } from './subject-secret.ts'

/** Whether payloads of a ledger are sealed, and whether this process can. */
export interface SealingStatus {
  /** `never`: it was never switched on. */
  readonly state: 'never' | 'on' | 'off'
  /** The id of the master key that the ledger seals under; null where it seals nothing. */
  readonly key: string | null
  /** The id of the master key that this process has; null where it has none. */
  readonly own: string | null
  /** How many people have a key, by the id of the master key that it is wrapped under. */
  readonly people: Readonly<Record<string, number>>
  /** Whether calls that hold data of people are refused here, because they cannot be sealed. */
  readonly refuses: boolean
}

/** What sealing takes of a ledger. */
interface SealingPorts {
  readonly client: Queryable
  readonly ledger: string
  /** The master key of this process. */
  readonly key: PayloadKey | undefined
  /** The secret under which this process finds people. */
  readonly secret: Buffer
  readonly submit: <Answer>(operation: Operation<Answer>) => Promise<Answer>
}

/** Sealing payloads that hold data of people: whether a ledger does, and under which master key. */
export class Sealing {
  readonly #ports: SealingPorts

  constructor(ports: SealingPorts) {
    this.#ports = ports
  }

  /**
   * Switches sealing on, where this process has a master key and nothing was ever said of it.
   *
   * @throws as `checkSecret` does
   */
  async start(): Promise<SealingAnswer> {
    const { key, submit } = this.#ports
    if (key === undefined) return { index: null }
    await this.checkSecret()
    return await submit(firstSealingOperation(this.#under(key), 'operator'))
  }

  /**
   * Holds the secret under which people are found against the log, as far as this process can tell: it has the master key
   * that a record names with the secret's fingerprint.
   *
   * @throws Fault `log_broken` where it is another one
   */
  async checkSecret(): Promise<void> {
    const { client, ledger, key, secret } = this.#ports
    if (key === undefined) return
    const broken = await subjectSecretProblem(client, ledger, key, secret)
    if (broken !== undefined) throw new Fault('log_broken', broken.problem, { fix: broken.fix })
  }

  /**
   * Seals from here on under this process's master key.
   *
   * @throws Fault `bad_input` where it has none; as `checkSecret` does
   */
  async switchOn(by: string): Promise<SealingAnswer> {
    const key = this.#own()
    await this.checkSecret()
    return await this.#ports.submit(sealingOperation(this.#under(key), by))
  }

  /** Seals nothing from here on. What is sealed stays sealed. */
  async switchOff(by: string): Promise<SealingAnswer> {
    return await this.#ports.submit(sealingOperation(undefined, by))
  }

  /**
   * Wraps the keys of people under another master key.
   *
   * @throws as `rewrapOperation` and `checkSecret` do; `bad_input` without a master key
   */
  async rotate(to: PayloadKey, by: string): Promise<SealingAnswer> {
    const from = this.#own()
    await this.checkSecret()
    return await this.#ports.submit(rewrapOperation(from, to, this.#under(to).fingerprint, by))
  }

  /** Whether calls that hold data of people are refused here now, because this process has not the master key of the ledger. */
  async refuses(): Promise<boolean> {
    const { client, ledger, key: own } = this.#ports
    return isRefused((await readSealing(client, ledger))?.key, own)
  }

  async status(): Promise<SealingStatus> {
    const { client, ledger, key: own } = this.#ports
    const key = (await readSealing(client, ledger))?.key
    const { rows } = await client.query<{ master: string; people: number }>(
      'select master, count(*)::int as people from subject_key where ledger = $1 group by master order by master',
      [ledger],
    )
    return {
      state: key === undefined ? 'never' : key === null ? 'off' : 'on',
      key: key ?? null,
      own: own?.id ?? null,
      people: Object.fromEntries(rows.map(({ master, people }) => [master, people])),
      refuses: isRefused(key, own),
    }
  }

  #under(key: PayloadKey): SealedUnder {
    const { ledger, secret } = this.#ports
    return { id: key.id, fingerprint: key.fingerprintOf(secret, ledger) }
  }

  #own(): PayloadKey {
    const { key } = this.#ports
    if (key !== undefined) return key
    throw new Fault('bad_input', 'there is no payload key here', {
      fix: 'Set BAILIWICK_PAYLOAD_KEY or BAILIWICK_PAYLOAD_KEY_FILE.',
    })
  }
}

function isRefused(key: string | null | undefined, own: PayloadKey | undefined): boolean {
  return typeof key === 'string' && key !== own?.id
}
