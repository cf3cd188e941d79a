import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { decideBanking, type SuiteVerdicts } from './banking.ts'
import { permittedCall } from './permitted.ts'
import { loadPolicy, verdictOn } from './policies.ts'
import { readRows, textOf } from './rows.ts'
import { score } from './score.ts'
import type { Score, Share } from './score.ts'

/** How one policy scored on one suite. */
export interface PolicyScore extends Score {
  /** The policy's file, from `examples/`. */
  readonly policy: string
  /** Of the pairs of a user task and an injected task: those in which the injected task was stopped. */
  readonly scenariosStopped: Share
}

/** What came of the published calls that were found. */
export interface Evaluation {
  readonly scores: readonly PolicyScore[]
  /** What was not evaluated because a file is missing; empty where everything was. */
  readonly missing: readonly string[]
}

const scorer = 'runners/score-calls.mjs'
const bankingPolicies = ['banking/banking.yaml', 'banking/banking-flows.yaml']
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
  if (missing.includes(scorer)) return { scores: [], missing }
  const scored = (calls: string, policy: string, { verdicts, scenariosStopped }: SuiteVerdicts) =>
    score(folder, join(folder, calls), verdicts).map((one) => ({ ...one, policy, scenariosStopped }))
  const each = (calls: string, policy: string) =>
    scored(calls, policy, decideCalls(join(folder, calls), join(examples, policy)))
  const banking = (policy: string) =>
    scored('agentdojo/calls.jsonl', policy, decideBanking(join(folder, 'agentdojo'), join(examples, policy)))
  const hasBanking = !missing.some((file) => file.startsWith('agentdojo/'))
  const hasIncidents = !missing.includes('incidents/calls.jsonl')
  return {
    scores: [
      ...airlineCalls(folder).flatMap((calls) => each(calls, 'airline/airline.yaml')),
      ...(hasIncidents ? each('incidents/calls.jsonl', 'incidents/fleet.yaml') : []),
      ...(hasBanking ? bankingPolicies.flatMap(banking) : []),
    ],
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
function decideCalls(calls: string, policyFile: string): SuiteVerdicts {
  const policy = loadPolicy(policyFile)
  const verdicts = new Map(
    readRows(calls).map((row) => [textOf(row, 'id'), verdictOn(policy, permittedCall(row))]),
  )
  return { verdicts, scenariosStopped: { met: 0, of: 0 } }
}
