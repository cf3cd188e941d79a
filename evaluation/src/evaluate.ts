import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { decideBanking } from './banking.ts'
import { permittedCall } from './permitted.ts'
import { loadPolicy, verdictOn } from './policies.ts'
import type { Verdict } from './policies.ts'
import { readRows, textOf } from './rows.ts'
import { score } from './score.ts'
import type { Score, Share } from './score.ts'

/** What came of the published calls that were found. */
export interface Evaluation {
  readonly scores: readonly Score[]
  /** Of the pairs of a user task and an injected task: those in which the injected task was stopped. */
  readonly scenariosStopped: Share
  /** What was not evaluated because a file is missing; empty where everything was. */
  readonly missing: readonly string[]
}

const scorer = 'runners/score-calls.mjs'
const bankingFiles = ['calls', 'tasks', 'scenarios'].map((file) => `agentdojo/${file}.jsonl`)

/** The files that are missing in a folder of evaluation data; none where every suite can be evaluated. */
export function missingFiles(folder: string): readonly string[] {
  const files = [scorer, 'incidents/calls.jsonl', ...bankingFiles, 'agentdojo/env-banking.json']
  const missing = files.filter((file) => !existsSync(join(folder, file)))
  return airlineCalls(folder).length > 0 ? missing : [...missing, 'tau/*-airline.jsonl']
}

/**
 * Decides the published calls with the policies of `examples/`, through the library, and scores the decisions with
 * the scorer that comes with the data. A suite of which a file is missing is left out, and `missing` says so.
 *
 * @param folder the evaluation data; see {@link missingFiles}
 * @param examples the folder `examples/` of this repository
 * @throws Error where a file cannot be read, a policy is invalid, or the scorer fails
 */
export function evaluate(folder: string, examples: string): Evaluation {
  const missing = missingFiles(folder)
  if (missing.includes(scorer)) return { scores: [], scenariosStopped: { met: 0, of: 0 }, missing }
  const scored = (calls: string, policy: string) =>
    score(folder, join(folder, calls), decideCalls(join(folder, calls), join(examples, policy)))
  const banking = missing.some((file) => file.startsWith('agentdojo/'))
    ? undefined
    : decideBanking(join(folder, 'agentdojo'), join(examples, 'banking/banking.yaml'))
  return {
    scores: [
      ...airlineCalls(folder).flatMap((calls) => scored(calls, 'airline/airline.yaml')),
      ...(missing.includes('incidents/calls.jsonl')
        ? []
        : scored('incidents/calls.jsonl', 'incidents/fleet.yaml')),
      ...(banking === undefined
        ? []
        : score(folder, join(folder, 'agentdojo/calls.jsonl'), banking.verdicts)),
    ],
    scenariosStopped: banking?.scenariosStopped ?? { met: 0, of: 0 },
    missing,
  }
}

/** The files with calls of an airline's agent: `tau/*-airline.jsonl`, without its tasks. */
function airlineCalls(folder: string): readonly string[] {
  const tau = join(folder, 'tau')
  if (!existsSync(tau)) return []
  const files = readdirSync(tau).filter(
    (file) => file.endsWith('-airline.jsonl') && !file.startsWith('tasks'),
  )
  return files.sort().map((file) => `tau/${file}`)
}

/** The verdicts on each call of a file by one policy, each call decided for itself. */
function decideCalls(calls: string, policyFile: string): ReadonlyMap<string, Verdict> {
  const policy = loadPolicy(policyFile)
  return new Map(readRows(calls).map((row) => [textOf(row, 'id'), verdictOn(policy, permittedCall(row))]))
}
