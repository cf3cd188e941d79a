/**
 * The later of an instant that a process gives and the database's clock, in SQL: what ends by either of the two has ended, so
 * that a process whose clock is behind lets nobody in for longer.
 *
 * @param at the parameter that has the instant
 * @param byDatabase whether the database's clock counts, which it does not for a ledger with a clock of its own
 */
export function laterInstant(at: string, byDatabase: string): string {
  return `greatest(${at}::timestamptz, case when ${byDatabase} then clock_timestamp() end)`
}
