import { readFile } from 'node:fs/promises'
import { Fault } from '@bailiwick/core'
import { PayloadKey, type Ledger, type SealingStatus } from '@bailiwick/store'
import { repeat, type Repetition } from './repeat.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * The master key that payloads are sealed under, from `BAILIWICK_PAYLOAD_KEY` or a file that holds it,
 * `BAILIWICK_PAYLOAD_KEY_FILE`; undefined where neither is set.
 *
 * @throws Fault `bad_input` where both are set, the file cannot be read, or what they hold is no key
 */
export async function payloadKeySettings(env: Env): Promise<PayloadKey | undefined> {
  const given = nonEmpty(env['BAILIWICK_PAYLOAD_KEY'])
  const path = nonEmpty(env['BAILIWICK_PAYLOAD_KEY_FILE'])
  if (given !== undefined && path !== undefined) {
    throw new Fault('bad_input', 'both BAILIWICK_PAYLOAD_KEY and BAILIWICK_PAYLOAD_KEY_FILE are set', {
      fix: 'Set one of them.',
    })
  }
  if (path !== undefined) return await payloadKeyIn(path, 'BAILIWICK_PAYLOAD_KEY_FILE')
  return given === undefined ? undefined : new PayloadKey(given)
}

/**
 * The master key in a file.
 *
 * @param named what names the file
 * @throws Fault `bad_input` where it cannot be read, or holds no key
 */
export async function payloadKeyIn(path: string, named: string): Promise<PayloadKey> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Fault('bad_input', `the payload key file \`${path}\` cannot be read`, {
      fix: `Correct ${named}.`,
      cause,
    })
  })
  return new PayloadKey(text)
}

/** How often a service looks whether it still has the key of the ledger: `payload-key rotate` may come from anywhere. */
const watchMs = 2_000

/**
 * Switches sealing on where the service has a key for it, and says what of it is not as it should be; then, while the
 * service runs, whenever it comes to refuse calls because the ledger is sealed under another key, and when it no longer does.
 *
 * @param every what repeats a step; default: a timer
 * @throws Fault `log_broken` where people are found under another secret than the one that was recorded with the key
 */
export async function startSealing(
  { sealing, halted }: Pick<Ledger, 'sealing' | 'halted'>,
  log: (line: string) => void,
  every: typeof repeat = repeat,
): Promise<Repetition> {
  if (halted === undefined) await sealing.start()
  const status = await sealing.status()
  const { state, key, own, people } = status
  if (status.refuses) log(refusedLine(status))
  if (state === 'off' && own !== null) {
    log(
      'payload key: sealing is switched off; new payloads are stored as they are. `bailiwick payload-key on` switches it on.',
    )
  }
  const others = Object.keys(people).filter((master) => master !== own && master !== key)
  if (others.length > 0) {
    log(`payload key: what was sealed under ${others.join(', ')} cannot be read any more`)
  }
  let said = status.refuses
  return every(
    watchMs,
    async () => {
      const refuses = await sealing.refuses()
      if (refuses === said) return
      log(
        refuses
          ? refusedLine(await sealing.status())
          : 'payload key: calls that hold data of people are refused no more',
      )
      said = refuses
    },
    (error) => log(`payload key: ${error instanceof Error ? error.message : String(error)}`),
  )
}

function refusedLine({ key, own }: SealingStatus): string {
  const has = own === null ? 'has none' : `has ${own}`
  return `PAYLOAD KEY: payloads are sealed under the payload key ${key ?? ''}, and this service ${has}. Calls that hold data of people are refused, unless another service that has it records them, and what is sealed cannot be read here. Set BAILIWICK_PAYLOAD_KEY or BAILIWICK_PAYLOAD_KEY_FILE and start again, or see docs/OPERATIONS.md where the key is lost.`
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
