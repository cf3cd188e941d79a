import { join } from 'node:path'
import { permittedCall } from './permitted.ts'
import { loadPolicy, verdictOn } from './policies.ts'
import type { Verdict } from './policies.ts'
import { readRows, textOf } from './rows.ts'

/** Verdicts by the id of the call. */
export type Verdicts = ReadonlyMap<string, Verdict>

/** Decides each call of a file by one policy, each for itself. */
export function decideCalls(calls: string, policyFile: string): Verdicts {
  const policy = loadPolicy(policyFile)
  return new Map(readRows(calls).map((row) => [textOf(row, 'id'), verdictOn(policy, permittedCall(row))]))
}
