import { bailiwick } from './bailiwick.mjs'
import { bufbuildCel } from './bufbuild-cel.mjs'
import { casbin } from './casbin.mjs'
import { cedarPreparsed, cedarSharded } from './cedar.mjs'
import { handWritten } from './hand-written.mjs'
import { jsonLogicJs } from './json-logic.mjs'

/**
 * Everything that is compared. Each has a `name`; `includes`, what its answers carry and its times so include;
 * `seed(workload)` and `rules(workload)`, which load a policy and give `(call) => ({effect, reasons})`.
 */
export const engines = [
  bailiwick,
  handWritten,
  bufbuildCel,
  jsonLogicJs,
  casbin,
  cedarPreparsed,
  cedarSharded,
]
