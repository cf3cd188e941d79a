import { Fault } from '@bailiwick/core'
import type { PayloadKey } from './payload-key.ts'

/** Why what is sealed cannot be read here, or nothing be sealed. */
export function keyMissing(master: string, key: PayloadKey | undefined): Fault {
  const has = key === undefined ? 'has no payload key' : `has the payload key ${key.id}`
  return new Fault(
    'payload_key_missing',
    `payloads are sealed under the payload key ${master}, and this process ${has}`,
    {
      fix: `Give it the key with the id ${master} (BAILIWICK_PAYLOAD_KEY or BAILIWICK_PAYLOAD_KEY_FILE); docs/OPERATIONS.md says what to do where it is lost.`,
      recorded: 'no',
    },
  )
}
