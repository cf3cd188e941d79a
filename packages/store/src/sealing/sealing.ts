import { Fault } from '@bailiwick/core'
import type { Queryable } from '../log/batches.ts'
import type { Operation } from '../log/operation.ts'
import { readSealing } from '../log/sealing-state.ts'
import { firstSealingOperation, rewrapOperation, sealingOperation } from '../operations/sealing.ts'
import type { SealingAnswer } from '../operations/sealing.ts'
import type { PayloadKey } from './payload-key.ts'

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
  readonly submit: <Answer>(operation: Operation<Answer>) => Promise<Answer>
}

/** Sealing payloads that hold data of people: whether a ledger does, and under which master key. */
export class Sealing {
  readonly #ports: SealingPorts

  constructor(ports: SealingPorts) {
    this.#ports = ports
  }

  /** Switches sealing on, where this process has a master key and nothing was ever said of it. */
  async start(): Promise<SealingAnswer> {
    const { key, submit } = this.#ports
    return key === undefined ? { index: null } : await submit(firstSealingOperation(key, 'operator'))
  }

  /** Seals from here on under this process's master key. @throws Fault `bad_input` where it has none */
  async switchOn(by: string): Promise<SealingAnswer> {
    return await this.#ports.submit(sealingOperation(this.#own(), by))
  }

  /** Seals nothing from here on. What is sealed stays sealed. */
  async switchOff(by: string): Promise<SealingAnswer> {
    return await this.#ports.submit(sealingOperation(undefined, by))
  }

  /** Wraps the keys of people under another master key. @throws as `rewrapOperation` does; `bad_input` without a master key */
  async rotate(to: PayloadKey, by: string): Promise<SealingAnswer> {
    return await this.#ports.submit(rewrapOperation(this.#own(), to, by))
  }

  async status(): Promise<SealingStatus> {
    const { client, ledger, key: own } = this.#ports
    const key = await readSealing(client, ledger)
    const { rows } = await client.query<{ master: string; people: number }>(
      'select master, count(*)::int as people from subject_key where ledger = $1 group by master order by master',
      [ledger],
    )
    return {
      state: key === undefined ? 'never' : key === null ? 'off' : 'on',
      key: key ?? null,
      own: own?.id ?? null,
      people: Object.fromEntries(rows.map(({ master, people }) => [master, people])),
      refuses: typeof key === 'string' && key !== own?.id,
    }
  }

  #own(): PayloadKey {
    const { key } = this.#ports
    if (key !== undefined) return key
    throw new Fault('bad_input', 'there is no payload key here', {
      fix: 'Set BAILIWICK_PAYLOAD_KEY or BAILIWICK_PAYLOAD_KEY_FILE.',
    })
  }
}
