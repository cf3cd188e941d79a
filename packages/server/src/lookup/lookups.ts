import { systemPorts, unreachable, type Json, type LookupNeed, type LookupResult } from '@bailiwick/core'
import { questionFailed, sourceFailed, timedOut, type Asked, type Failed } from './asked.ts'
import { Circuit } from './circuit.ts'
import { getJson, systemResolve, type Resolve } from './http-get.ts'
import { recordable, selectValue } from './json-answer.ts'
import { isYoung, KeptAnswers } from './kept-answers.ts'
import {
  answerAgeMsMax,
  keptAnswersMax,
  keptBytesMax,
  lookupTimeoutMsMax,
  queriesAtOnceMax,
  requestsAtOnceMax,
  waitingMax,
} from './limits.ts'
import { sourceKey, type LookupSettings } from './settings.ts'
import { SqlDatabase } from './sql-query.ts'
import { targetOf } from './target.ts'
import { Turns } from './turns.ts'

/** Finds facts in other systems. */
export interface Lookups {
  /**
   * What each need came to, by the name of its fact; every need has an entry. Never rejects: what cannot be found is
   * `failed`, with a sentence that holds no value and no secret, and counts against the call.
   */
  gather(needs: readonly LookupNeed[]): Promise<ReadonlyMap<string, LookupResult>>
  /** Lets go of all connections. What is asked for afterwards fails. Can be called again. */
  close(): Promise<void>
}

/** What looking things up takes from the world. */
export interface LookupPorts {
  /** Milliseconds, for the age of answers and the pauses of sources. */
  readonly now: () => number
  /** Finds a name's addresses. */
  readonly resolve: Resolve
}

/** Looks facts up where `settings` allow it. Connects to nothing before it is asked to. */
export function createLookups(settings: LookupSettings, ports: Partial<LookupPorts> = {}): Lookups {
  return new AllowedLookups(settings, { now: () => systemPorts.now(), resolve: systemResolve, ...ports })
}

/** A need, and how it is answered. */
interface Question {
  /** The same for questions that have the same answer. */
  readonly key: string
  readonly source: Source
  readonly timeoutMs: number
  readonly ageMsMax: number
  ask(signal: AbortSignal): Promise<Asked<Json>>
  /** The fact's value in the answer. */
  valueIn(answer: Json): Asked<Json>
}

/** What all questions to one source share. */
interface Source {
  readonly name: string
  readonly circuit: Circuit
  readonly turns: Turns
}

interface UnderWay {
  readonly askedAt: number
  readonly answer: Promise<Asked<Json>>
}

class AllowedLookups implements Lookups {
  readonly #settings: LookupSettings
  readonly #ports: LookupPorts
  readonly #databases: ReadonlyMap<string, SqlDatabase>
  readonly #sources = new Map<string, Source>()
  readonly #kept = new KeptAnswers<Json>(keptAnswersMax, keptBytesMax)
  readonly #underWay = new Map<string, UnderWay>()
  #closing: Promise<unknown> | undefined

  constructor(settings: LookupSettings, ports: LookupPorts) {
    this.#settings = settings
    this.#ports = ports
    this.#databases = new Map([...settings.databases].map(([key, source]) => [key, new SqlDatabase(source)]))
  }

  async gather(needs: readonly LookupNeed[]): Promise<ReadonlyMap<string, LookupResult>> {
    // Facts of one call that come from one answer take it from the same one, also where it may not be kept.
    const ofThisCall = new Map<string, Promise<Asked<Json>>>()
    const found = await Promise.all(needs.map((need) => this.#lookUp(need, ofThisCall)))
    return new Map(needs.map(({ fact }, at) => [fact, resultOf(found[at])]))
  }

  async close(): Promise<void> {
    this.#closing ??= Promise.all([...this.#databases.values()].map((database) => database.close()))
    await this.#closing
  }

  async #lookUp(need: LookupNeed, ofThisCall: Map<string, Promise<Asked<Json>>>): Promise<Asked<Json>> {
    try {
      const question = this.#questionOf(need)
      if ('kind' in question) return question
      const answer = await this.#answerTo(question, ofThisCall)
      return answer.kind === 'failed' ? answer : question.valueIn(answer.value)
    } catch {
      // A mistake of ours. What it says could hold anything, and the call must be decided all the same.
      return sourceFailed('the lookup broke off inside the service')
    }
  }

  #answerTo(question: Question, ofThisCall: Map<string, Promise<Asked<Json>>>): Promise<Asked<Json>> {
    const { key, ageMsMax, timeoutMs } = question
    const now = this.#ports.now()
    const kept = this.#kept.find(key, now, ageMsMax)
    if (kept !== undefined) return Promise.resolve({ kind: 'got', value: kept.value, bytes: 0 })
    // Only with the same patience: nobody is made to wait longer than the policy says.
    const shared = JSON.stringify([key, timeoutMs])
    const sameCall = ofThisCall.get(shared)
    if (sameCall !== undefined) return sameCall
    const underWay = this.#underWay.get(shared)
    if (underWay !== undefined && isYoung(underWay.askedAt, now, ageMsMax)) return underWay.answer

    const answer = this.#ask(question, now)
    ofThisCall.set(shared, answer)
    if (ageMsMax > 0) this.#share(shared, { askedAt: now, answer })
    return answer
  }

  #share(shared: string, underWay: UnderWay): void {
    this.#underWay.set(shared, underWay)
    const end = (): void => {
      if (this.#underWay.get(shared) === underWay) this.#underWay.delete(shared)
    }
    underWay.answer.then(end, end)
  }

  async #ask(question: Question, askedAt: number): Promise<Asked<Json>> {
    const { key, source, timeoutMs, ageMsMax } = question
    if (this.#closing !== undefined) return sourceFailed('the service is stopping')
    if (source.circuit.isOpen()) return leftAlone(source)
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), timeoutMs)
    try {
      const turn = await source.turns.take(late.signal)
      if (turn === 'too_many') return questionFailed(`${source.name} has too many lookups waiting`)
      if (turn === 'given_up') return questionFailed(`${source.name} had no turn free within ${timeoutMs} ms`)
      if (!source.circuit.admits()) {
        source.turns.leave()
        return leftAlone(source)
      }
      const answer = await inTime(question, late.signal)
      if (answer.kind === 'got' || answer.blame === 'question') source.circuit.answered()
      // Who has waited for a turn may have too little time left for a source that is only busy.
      else if (turn === 'taken_at_once') source.circuit.failed()
      if (answer.kind === 'got' && ageMsMax > 0) {
        this.#kept.keep(key, answer.value, { askedAt, bytes: answer.bytes })
      }
      return answer
    } finally {
      clearTimeout(timer)
    }
  }

  #questionOf(need: LookupNeed): Question | Failed {
    const timeoutMs = Math.max(1, Math.min(Math.ceil(need.timeoutMs), lookupTimeoutMsMax))
    const ageMsMax = Math.min(need.cacheMs, answerAgeMsMax)
    switch (need.kind) {
      case 'http': {
        const target = targetOf(need.url, this.#settings.origins)
        if (target.kind === 'failed') return target
        const { name } = target.source
        return {
          key: JSON.stringify(['http', need.url]),
          source: this.#sourceOf(target.url.origin, name, requestsAtOnceMax),
          timeoutMs,
          ageMsMax,
          ask: (signal) => getJson(target, signal, this.#ports.resolve),
          valueIn: (answer) => selectValue(answer, need.select, name),
        }
      }
      case 'sql': {
        const key = sourceKey(need.source)
        const database = key === undefined ? undefined : this.#databases.get(key)
        if (key === undefined || database === undefined) {
          return questionFailed(`${need.source} is not a data source of this service`)
        }
        return {
          key: JSON.stringify(['sql', key, need.text, need.args]),
          source: this.#sourceOf(`sql ${key}`, need.source, queriesAtOnceMax),
          timeoutMs,
          ageMsMax,
          ask: (signal) => database.ask(need, timeoutMs, signal),
          valueIn: (answer) => recordable(answer, need.source),
        }
      }
      default:
        return unreachable(need)
    }
  }

  // As many as the operator configured, and no more: only sources of the settings get here.
  #sourceOf(key: string, name: string, atOnceMax: number): Source {
    const known = this.#sources.get(key)
    if (known !== undefined) return known
    const source = { name, circuit: new Circuit(this.#ports.now), turns: new Turns(atOnceMax, waitingMax) }
    this.#sources.set(key, source)
    return source
  }
}

/** The answer, or that there was none in time. The turn is given back once nothing goes on any more. */
async function inTime(question: Question, late: AbortSignal): Promise<Asked<Json>> {
  const { source, timeoutMs } = question
  const tooLate = new Promise<Failed>((resolve) => {
    const give = (): void => resolve(timedOut(source.name, timeoutMs))
    if (late.aborted) give()
    else late.addEventListener('abort', give, { once: true })
  })
  const asked = question.ask(late)
  const leave = (): void => source.turns.leave()
  asked.then(leave, leave)
  return await Promise.race([tooLate, asked])
}

function leftAlone({ name }: Source): Failed {
  return questionFailed(`${name} is not asked for a moment, because it failed several times in a row`)
}

function resultOf(found: Asked<Json> | undefined): LookupResult {
  if (found?.kind === 'got') return { kind: 'value', value: found.value }
  return { kind: 'failed', why: found?.why ?? 'it was not looked up' }
}
