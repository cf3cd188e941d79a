import type { ClaimedMessage, Instant, LogRecord, NoticeFeed, Outbox, OutboxMessage } from '@bailiwick/core'

interface Row extends OutboxMessage {
  readonly id: string
  attempts: number
  dueAt: number
  leasedUntil: number
  deliveredAt?: Instant
  dead?: boolean
  error?: string
}

/** The ports of the outbox in memory, to test the worker alone; the store's own tests are on PostgreSQL. */
export function createMemoryOutbox(records: LogRecord[]) {
  const rows: Row[] = []
  let next = 0

  const feed: NoticeFeed = {
    async skip() {
      next = records.length
    },
    async advance(expand, limit) {
      const read = records.slice(next, next + limit)
      for (const message of read.flatMap(expand)) {
        const id = `msg_${message.index}-${message.target}`
        rows.push({ ...message, id, attempts: 0, dueAt: 0, leasedUntil: 0 })
      }
      next += read.length
      return read.length
    },
  }
  const outbox: Outbox = {
    async claim(target, limit, leaseMs, now) {
      const due = rows.filter(
        (row) =>
          row.target === target &&
          !row.deliveredAt &&
          !row.dead &&
          row.dueAt <= now &&
          row.leasedUntil <= now,
      )
      return due.slice(0, limit).map((row) => {
        row.attempts += 1
        row.leasedUntil = now + leaseMs
        return { ...row, recipient: row.recipient ?? '' }
      })
    },
    async delivered(message, at) {
      rowOf(message).deliveredAt = at
    },
    async failed(message, _at, error, retryAt) {
      const row = rowOf(message)
      row.error = error
      row.leasedUntil = 0
      if (retryAt === null) row.dead = true
      else row.dueAt = retryAt
    },
  }
  const rowOf = (message: ClaimedMessage) => {
    const row = rows.find(({ id }) => id === message.id)
    if (row === undefined) throw new Error(`no message ${message.id}`)
    return row
  }
  return { feed, outbox, rows }
}
