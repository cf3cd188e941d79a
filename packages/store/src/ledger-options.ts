import type { Frontier, Instant, LogRecord } from '@bailiwick/core'
import type pg from 'pg'
import type { ArchiveOptions } from './archive/run.ts'
import type { ArchiveStore } from './archive/store.ts'
import type { LogKeySettings } from './checkpoints/log-keys.ts'
import type { LookupGatherer } from './operations/gather.ts'
import type { PolicySet } from './policies.ts'
import type { PayloadKey } from './sealing/payload-key.ts'
import type { PeerOptions } from './replicas/replicated-writer.ts'

/** What a ledger is opened with. */
export interface LedgerOptions {
  readonly connection: pg.ClientConfig
  readonly policies: PolicySet
  /** Where the checkpoint and its key are kept: outside the database. */
  readonly dataDir: string
  readonly ledger?: string | undefined
  /** How checkpoints are signed. */
  readonly logKey?: LogKeySettings | undefined
  /**
   * Whether this process has to sign checkpoints. One that does not have to makes no key where the ledger has one
   * already, and then signs nothing.
   */
  readonly mustSign?: boolean | undefined
  /**
   * A directory in which copies of checkpoints are kept, best on another machine: a log that does not contain the newest
   * of them is not opened. What is put there is not the ledger's business.
   */
  readonly checkpointCopies?: string | undefined
  /** The console's address, for links to approvals. */
  readonly consoleUrl: string
  readonly now?: (() => Instant) | undefined
  /**
   * Whether a vote, or the use of an approval, has to come before the deadline by the database's clock, too, and sessions,
   * sign-in links and keys end by it as well, so that a process whose clock is behind lets nothing and nobody through. Default: yes, unless `now` is given.
   */
  readonly databaseClock?: boolean | undefined
  /** The environment that calls are made in, such as `prod`: conditions and policies may ask for it. */
  readonly env?: string | undefined
  /** What looks facts up; without it, every lookup counts as failed. */
  readonly lookups?: LookupGatherer | undefined
  /** How to work together with other processes on this ledger; without it, this one writes by itself. */
  readonly peers?: PeerOptions | undefined
  /** Whether an agent may have itself told at a URL; without it, no agent may. */
  readonly allowsCallback?: ((url: string) => boolean) | undefined
  /**
   * The master key under which the keys of people are kept: payloads that hold data of people are sealed from the first
   * opening with one on. Without it, nothing is sealed, and what is sealed cannot be read.
   */
  readonly payloadKey?: PayloadKey | undefined
  /**
   * Whether a batch takes all who wait, however many, and gathers them. For services: the requests that come in while a batch is being
   * committed keep the process busy, and few large batches cost it least. Callers in this very process have nothing to do
   * meanwhile; of them, a batch takes half where many wait. Default: no.
   */
  readonly wholeBatches?: boolean | undefined
  /** Where archived records are read from; without it, reading them is a Fault. */
  readonly archive?: ArchiveStore | undefined
}

/** What is said of a run that archives, beside what the ledger knows itself. */
export type ArchiveRequest = Omit<
  ArchiveOptions,
  'connection' | 'ledger' | 'dataDir' | 'now' | 'publish' | 'submit' | 'keepStanding'
>

/** What other parts hear after each commit. */
export type CommitListener = (head: Frontier, records: readonly LogRecord[]) => void
