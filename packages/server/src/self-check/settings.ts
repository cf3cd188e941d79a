import { Fault } from '@bailiwick/core'

/** How often the log is checked unless `BAILIWICK_SELF_CHECK` says otherwise. */
export const secondsDefault = 10
const secondsMax = 86_400

/**
 * Every how many seconds the service checks its own log, or undefined where it does not: `BAILIWICK_SELF_CHECK`.
 *
 * @throws Fault `bad_input` for what is neither `off` nor a number of seconds
 */
export function selfCheckSeconds(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const text = env['BAILIWICK_SELF_CHECK']
  if (text === undefined || text === '') return secondsDefault
  if (text === 'off') return undefined
  const seconds = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : Number.NaN
  if (seconds <= secondsMax) return seconds
  throw new Fault('bad_input', 'BAILIWICK_SELF_CHECK is neither `off` nor a number of seconds', {
    fix: `Give a whole number from 1 to ${secondsMax}, or off, or leave it out for ${secondsDefault}.`,
  })
}
