import { allDone, deliverDue, stepText, type DeliveryParts, type Sender } from './deliver.ts'
import { startLane, type Lane } from './lane.ts'

/** How many records one transaction of the feed reads. */
const recordsMax = 500
/**
 * How long the feed rests once it has caught up: under load every commit would else cost a transaction of its own, and
 * nobody minds a notice a tenth of a second later.
 */
const restMs = 100
const idleMs = 1000
const faultPauseMs = 2000

/** Turns records into messages and delivers them. Any number of workers may share one outbox. */
export interface OutboxWorker {
  /** One step of everything: read the log on, then claim and deliver once per target. Returns how much was done. */
  runOnce(): Promise<number>
  /** Repeats steps until stopped, every target in a lane of its own, so that a slow one delays no other. */
  start(): void
  /** Ends after the deliveries under way, each of which is bounded by its timeout. */
  stop(): Promise<void>
  /** The log has grown. */
  poke(): void
}

/**
 * A worker that reads the log on and sends what waits. Nothing happens until it is started or stepped.
 *
 * @param senders by the name of their target
 * @param readOn reads up to so many records, enqueues what comes of them, and returns how many there were
 */
export function createWorker(
  senders: ReadonlyMap<string, Sender>,
  parts: DeliveryParts,
  readOn: (recordsMax: number) => Promise<number>,
): OutboxWorker {
  let lanes: readonly Lane[] = []
  let stopping = false
  const deliverTo = (name: string, sender: Sender) => deliverDue(name, sender, parts, () => stopping)

  return {
    async runOnce() {
      const read = await readOn(recordsMax)
      const sent = await allDone([...senders].map(([name, sender]) => deliverTo(name, sender)))
      return sent.reduce((sum, count) => sum + count, read)
    },
    start() {
      if (lanes.length > 0) return
      stopping = false
      const onFault = (error: unknown) => parts.log?.(stepText(error))
      const pauses = { idleMs, faultPauseMs, onFault }
      const sending = [...senders].map(([name, sender]) =>
        startLane({ step: () => deliverTo(name, sender), ...pauses }),
      )
      const reader = startLane({
        step: async () => {
          const read = await readOn(recordsMax)
          if (read > 0) for (const lane of sending) lane.poke()
          return read
        },
        restMs: (read) => (read < recordsMax ? restMs : 0),
        ...pauses,
      })
      lanes = [reader, ...sending]
    },
    async stop() {
      stopping = true
      await Promise.all(lanes.map((lane) => lane.stop()))
      lanes = []
    },
    poke() {
      lanes[0]?.poke()
    },
  }
}
