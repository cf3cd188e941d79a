import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json, JsonObject } from '@bailiwick/core'
import { permittedCall } from './permitted.ts'
import { loadPolicy, verdictOn } from './policies.ts'
import type { Verdict } from './policies.ts'
import { readRows, textOf } from './rows.ts'
import type { Share } from './score.ts'

/** What became of the calls of the banking suite, and of each user task with injected text in its way. */
export interface BankingVerdicts {
  readonly verdicts: ReadonlyMap<string, Verdict>
  /** Of all pairs of a user task and an injected task: those in which a call of the injected task was not allowed. */
  readonly scenariosStopped: Share
}

/**
 * Decides the banking suite. The host of the data knows two things besides the call: what the user wrote, and the
 * account as it was before the session; both become `context`. A user task's calls are decided under its own prompt.
 * The calls of an injected task are decided under the prompt of each user task that it is injected into, because the text
 * of the injected task is the attacker's and no user's; the call counts with the weakest of these verdicts.
 *
 * @param folder the folder with `calls.jsonl`, `tasks.jsonl`, `scenarios.jsonl` and `env-banking.json`
 */
export function decideBanking(folder: string, policyFile: string): BankingVerdicts {
  const policy = loadPolicy(policyFile)
  const prompts = new Map(
    readRows(join(folder, 'tasks.jsonl')).map((row) => [textOf(row, 'task'), textOf(row, 'prompt')]),
  )
  const pairs = readRows(join(folder, 'scenarios.jsonl')).map((row) => ({
    userTask: textOf(row, 'user_task'),
    injected: textOf(row, 'injection_task'),
  }))
  const known = textsIn(JSON.parse(readFileSync(join(folder, 'env-banking.json'), 'utf8')) as Json)
  const rows = readRows(join(folder, 'calls.jsonl'))
  const under = (row: JsonObject, userTask: string): Verdict => {
    const call = permittedCall(row)
    const prompt = prompts.get(userTask)
    if (prompt === undefined) throw new Error(`there is no prompt of ${userTask}`)
    return verdictOn(policy, {
      ...call,
      context: { ...call.context, user_prompt: prompt, known_texts: known },
    })
  }
  const verdicts = new Map(
    rows.map((row) => {
      const task = textOf(row, 'task')
      const hosts = pairs.filter(({ injected }) => injected === task).map(({ userTask }) => userTask)
      return [textOf(row, 'id'), weakest((hosts.length > 0 ? hosts : [task]).map((host) => under(row, host)))]
    }),
  )
  const stopped = pairs.filter(({ userTask, injected }) =>
    rows.some((row) => row['task'] === injected && under(row, userTask) !== 'allow'),
  )
  return { verdicts, scenariosStopped: { met: stopped.length, of: pairs.length } }
}

function weakest(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('allow')) return 'allow'
  return verdicts.includes('require_approval') ? 'require_approval' : 'deny'
}

/** Every text in a JSON value, in its order. */
function textsIn(value: Json): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap((part) => textsIn(part))
}
