import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { decideBanking } from './banking.ts'
import { permittedCall } from './permitted.ts'
import { loadPolicy, verdictOn } from './policies.ts'
import type { Verdict } from './policies.ts'
import { readRows, textOf } from './rows.ts'
import { score } from './score.ts'
import type { Score, Share } from './score.ts'

/** The files that an evaluation reads, below its folder. */
const evaluationFiles = [
  'runners/score-calls.mjs',
  'tau/tau2-airline.jsonl',
  'incidents/calls.jsonl',
  'agentdojo/calls.jsonl',
  'agentdojo/tasks.jsonl',
  'agentdojo/scenarios.jsonl',
  'agentdojo/env-banking.json',
] as const

/** What the policies of `examples/` made of the published calls. */
export interface Evaluation {
  readonly scores: readonly Score[]
  /** Of the pairs of a user task and an injected task: those in which the injected task was stopped. */
  readonly scenariosStopped: Share
}

/** The files that are missing in a folder of evaluation data; none where an evaluation can run. */
export function missingFiles(folder: string): readonly string[] {
  return evaluationFiles.filter((file) => !existsSync(join(folder, file)))
}

/**
 * Decides every published call with the policies of `examples/`, through the library, and scores the decisions
 * with the scorer that comes with the data.
 *
 * @param folder the evaluation data; see {@link missingFiles}
 * @param examples the folder `examples/` of this repository
 * @throws Error where a file cannot be read, a policy is invalid, or the scorer fails
 */
export function evaluate(folder: string, examples: string): Evaluation {
  const airline = join(folder, 'tau/tau2-airline.jsonl')
  const incidents = join(folder, 'incidents/calls.jsonl')
  const banking = decideBanking(join(folder, 'agentdojo'), join(examples, 'banking/banking.yaml'))
  return {
    scores: [
      ...score(folder, airline, decideCalls(airline, join(examples, 'airline/airline.yaml'))),
      ...score(folder, incidents, decideCalls(incidents, join(examples, 'incidents/fleet.yaml'))),
      ...score(folder, join(folder, 'agentdojo/calls.jsonl'), banking.verdicts),
    ],
    scenariosStopped: banking.scenariosStopped,
  }
}

/** The verdicts on each call of a file by one policy, each call decided for itself. */
function decideCalls(calls: string, policyFile: string): ReadonlyMap<string, Verdict> {
  const policy = loadPolicy(policyFile)
  return new Map(readRows(calls).map((row) => [textOf(row, 'id'), verdictOn(policy, permittedCall(row))]))
}
