import { Fault, type Instant } from '@bailiwick/core'

/** What is known of a file that is to be put into a store. */
export interface PutFile {
  readonly path: string
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
  /** It must not be changed or deleted before; undefined: it may be replaced. */
  readonly keepUntil: Instant | undefined
}

/** A place for archived records. Keys are paths of letters, digits and `-._%/`. */
export interface ArchiveStore {
  /** How the log names it: no secrets. */
  readonly address: string
  /** @throws Fault `store_unavailable` where it cannot keep what is put into it as it has to */
  check(): Promise<void>
  /** Puts a file there, durably; putting the same again changes nothing. Returns the version's name, if it has one. */
  put(key: string, file: PutFile): Promise<string | null>
  /**
   * A part of an object, or all of it.
   *
   * @throws Fault `log_broken` where it is not there or shorter; `store_unavailable` where it cannot be asked
   */
  read(key: string, part: ReadPart): Promise<Buffer>
  /** Removes every version of an object; one that is not there is fine. @throws Fault `store_unavailable` */
  remove(key: string): Promise<void>
}

export interface ReadPart {
  readonly version: string | null
  readonly offset: number
  readonly bytes: number
}

/** The fault for an object that is not there, or not whole. */
export function missingObject(key: string, why: string): Fault {
  return new Fault('log_broken', `the archived object \`${key}\` ${why}`, {
    fix: 'Keep the archive as evidence, and put the object back from a copy of it.',
  })
}

/** The store that is open, where it is the one at this address. @throws Fault `store_unavailable` where it is not */
export function openedStore(open: ArchiveStore | undefined, address: string): ArchiveStore {
  if (open?.address === address) return open
  throw notOpen('records', open, address)
}

/** The fault for records of a store that is not the one that is open. */
export function notOpen(records: string, open: ArchiveStore | undefined, address: string): Fault {
  const why = open === undefined ? 'no archive is configured here' : `the archive here is \`${open.address}\``
  return new Fault('store_unavailable', `${records} are archived in \`${address}\`, and ${why}`, {
    fix: 'Set BAILIWICK_ARCHIVE to that address, with its credentials, and try again.',
  })
}
