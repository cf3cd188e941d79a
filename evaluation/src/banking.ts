import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CompiledPolicy, Decision, Json, JsonObject, SessionFact } from '@bailiwick/core'
import { permittedCall, type PermittedCall } from './permitted.ts'
import { decisionOn, loadPolicy, newSession, sessionAfter, verdictOf, type Verdict } from './policies.ts'
import { readRows, textOf } from './rows.ts'
import type { Share } from './score.ts'

/** What became of the calls of a suite, and of each user task with injected text in its way. */
export interface SuiteVerdicts {
  readonly verdicts: ReadonlyMap<string, Verdict>
  /** Of all pairs of a user task and an injected task: those in which a call of the injected task was not allowed. */
  readonly scenariosStopped: Share
}

interface Pair {
  readonly userTask: string
  readonly injected: string
  /** The user task's last step before the injected text is in the agent's context. */
  readonly lastStep: number
}

interface Row {
  readonly id: string
  readonly task: string
  readonly step: number
  readonly call: PermittedCall
}

/**
 * Decides the banking suite. The host of the data knows two things besides the call: what the user wrote, and the
 * account as it was before the session; both become `context`. A user task is one session, its calls decided in turn.
 * The calls of an injected task are decided in the session of each user task that they are injected into, after the step
 * that brought the text in, and under that user's words, because the text of an injected task is the attacker's and no
 * user's. Such a call counts with the weakest of these verdicts.
 *
 * @param folder the folder with `calls.jsonl`, `tasks.jsonl`, `scenarios.jsonl` and `env-banking.json`
 */
export function decideBanking(folder: string, policyFile: string): SuiteVerdicts {
  const suite = new BankingSuite(folder, loadPolicy(policyFile))
  const verdicts = new Map<string, Verdict>()
  for (const task of suite.tasks) {
    const runs = suite.pairsOf(task).map((pair) => suite.runInjected(pair))
    const all = runs.length > 0 ? runs : [suite.run(task, task, newSession)]
    for (const id of suite.idsOf(task)) {
      verdicts.set(id, weakest(all.flatMap((run) => run.get(id) ?? []).map(verdictOf)))
    }
  }
  const stopped = suite.pairs.filter((pair) =>
    [...suite.runInjected(pair).values()].some(({ effect }) => effect !== 'allow'),
  )
  return { verdicts, scenariosStopped: { met: stopped.length, of: suite.pairs.length } }
}

class BankingSuite {
  readonly pairs: readonly Pair[]
  readonly #policy: CompiledPolicy
  readonly #rows: readonly Row[]
  readonly #prompts: ReadonlyMap<string, string>
  readonly #known: readonly string[]

  constructor(folder: string, policy: CompiledPolicy) {
    this.#policy = policy
    this.#rows = readRows(join(folder, 'calls.jsonl')).map((row) => ({
      id: textOf(row, 'id'),
      task: textOf(row, 'task'),
      step: numberOf(row, 'step'),
      call: permittedCall(row),
    }))
    this.pairs = readRows(join(folder, 'scenarios.jsonl')).map((row) => ({
      userTask: textOf(row, 'user_task'),
      injected: textOf(row, 'injection_task'),
      lastStep: numberOf(row, 'inject_after_step'),
    }))
    const tasks = readRows(join(folder, 'tasks.jsonl'))
    this.#prompts = new Map(tasks.map((row) => [textOf(row, 'task'), textOf(row, 'prompt')]))
    this.#known = textsIn(JSON.parse(readFileSync(join(folder, 'env-banking.json'), 'utf8')) as Json)
  }

  get tasks(): readonly string[] {
    return [...new Set(this.#rows.map(({ task }) => task))]
  }

  idsOf(task: string): readonly string[] {
    return this.#rows.filter((row) => row.task === task).map(({ id }) => id)
  }

  pairsOf(injected: string): readonly Pair[] {
    return this.pairs.filter((pair) => pair.injected === injected)
  }

  /** The decisions on a task's calls, one after the other, under the words of the user of `userTask`. */
  run(
    task: string,
    userTask: string,
    start: SessionFact,
    lastStep = Infinity,
  ): ReadonlyMap<string, Decision> {
    let session = start
    const decisions = new Map<string, Decision>()
    for (const row of this.#rows) {
      if (row.task !== task || row.step > lastStep) continue
      const decision = decisionOn(this.#policy, this.#underWordsOf(userTask, row.call), session)
      session = sessionAfter(session, decision)
      decisions.set(row.id, decision)
    }
    return decisions
  }

  /** The decisions on an injected task's calls, in the session that the user task has become by then. */
  runInjected({ userTask, injected, lastStep }: Pair): ReadonlyMap<string, Decision> {
    const before = this.run(userTask, userTask, newSession, lastStep)
    const session = [...before.values()].reduce(sessionAfter, newSession)
    return this.run(injected, userTask, session)
  }

  #underWordsOf(userTask: string, call: PermittedCall): PermittedCall {
    const prompt = this.#prompts.get(userTask)
    if (prompt === undefined) throw new Error(`there are no words of the user of ${userTask}`)
    return { ...call, context: { ...call.context, user_prompt: prompt, known_texts: this.#known } }
  }
}

function weakest(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('allow')) return 'allow'
  return verdicts.includes('require_approval') ? 'require_approval' : 'deny'
}

function numberOf(row: JsonObject, field: string): number {
  const value = row[field]
  if (typeof value !== 'number') throw new TypeError(`a row has no number \`${field}\``)
  return value
}

/** Every text in a JSON value, in its order. */
function textsIn(value: Json): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap((part) => textsIn(part))
}
