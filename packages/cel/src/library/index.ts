import { bytesFunctions } from './bytes.ts'
import { calendarFunctions } from './calendar.ts'
import { dateFunctions } from './dates.ts'
import { durationFunctions } from './duration.ts'
import { emailFunctions } from './email.ts'
import type { LibraryFunction } from './entry.ts'
import { ipFunctions } from './ip.ts'
import { mathFunctions } from './math.ts'
import { semverFunctions } from './semver.ts'
import { setFunctions } from './sets.ts'
import { stringFunctions } from './strings.ts'
import { timestampFunctions } from './timestamp.ts'
import { urlFunctions } from './url.ts'

export { mixedExtremes as standardOnly } from './extremes.ts'

/**
 * The functions of the library, form by form. Where several forms fit, the first one tells most. The standard dialect
 * has those of `standardOnly` besides.
 */
export const library: readonly LibraryFunction[] = [
  ...stringFunctions,
  ...bytesFunctions,
  ...timestampFunctions,
  ...durationFunctions,
  ...calendarFunctions,
  ...dateFunctions,
  ...mathFunctions,
  ...setFunctions,
  ...ipFunctions,
  ...urlFunctions,
  ...emailFunctions,
  ...semverFunctions,
]
