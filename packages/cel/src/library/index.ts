import { calendarFunctions } from './calendar.ts'
import { durationFunctions } from './duration.ts'
import type { LibraryFunction } from './entry.ts'
import { stringFunctions } from './strings.ts'
import { timestampFunctions } from './timestamp.ts'

/** Every function of the library, form by form. */
export const library: readonly LibraryFunction[] = [
  ...stringFunctions,
  ...timestampFunctions,
  ...durationFunctions,
  ...calendarFunctions,
]
