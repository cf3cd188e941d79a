import type { CelTimestamp } from '../value.ts'
import type { LibraryFunction } from './entry.ts'
import { method } from './forms.ts'
import { timestampMs } from './timestamp.ts'
import { prepareZone, utc } from './zone.ts'
import type { Zone } from './zone.ts'

const dayMs = 24 * 60 * 60 * 1000

/** An argument that is a zone: to look up its name takes far longer than to ask it. */
export const zoneArgument = {
  prepare: prepareZone,
  prepareCost: () => 200,
  cost: () => 20,
}

/** A date whose UTC fields show what the zone's calendar and clocks show at that time. */
export function wallDate(time: CelTimestamp, zone: Zone): Date {
  const at = timestampMs(time)
  return new Date(at + zone.offsetMsAt(at))
}

function dayOfYear(date: Date): number {
  const newYear = new Date(0)
  newYear.setUTCFullYear(date.getUTCFullYear(), 0, 1)
  return Math.floor((date.getTime() - newYear.getTime()) / dayMs)
}

const getters: ReadonlyMap<string, (date: Date) => number> = new Map([
  ['getFullYear', (date) => date.getUTCFullYear()],
  ['getMonth', (date) => date.getUTCMonth()],
  ['getDate', (date) => date.getUTCDate()],
  ['getDayOfMonth', (date) => date.getUTCDate() - 1],
  ['getDayOfWeek', (date) => date.getUTCDay()],
  ['getDayOfYear', dayOfYear],
  ['getHours', (date) => date.getUTCHours()],
  ['getMinutes', (date) => date.getUTCMinutes()],
  ['getSeconds', (date) => date.getUTCSeconds()],
  ['getMilliseconds', (date) => date.getUTCMilliseconds()],
])

function getterForms(name: string, read: (date: Date) => number): readonly LibraryFunction[] {
  const get = (time: CelTimestamp, zone: Zone): bigint => BigInt(read(wallDate(time, zone)))
  return [
    method('timestamp', name, [], 'int', (time: CelTimestamp) => get(time, utc)),
    method('timestamp', name, ['string'], 'int', get, {
      literal: { arg: 0, use: 'checked' },
      ...zoneArgument,
      resultSize: () => 1,
    }),
  ]
}

/** What the calendar and the clock show at a time, in UTC or in a zone: `now.getHours('Europe/Berlin')`. */
export const calendarFunctions: readonly LibraryFunction[] = [...getters].flatMap(([name, read]) =>
  getterForms(name, read),
)
