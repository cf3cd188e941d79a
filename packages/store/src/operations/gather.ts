import {
  canonicalJson,
  jsonProblem,
  needsOf,
  payloadDepthMax,
  subjectsOf,
  type CompiledPolicy,
  type CounterNeed,
  type DecisionNeeds,
  type LookupNeed,
  type LookupResult,
  type ParsedCall,
} from '@bailiwick/core'
import type { Digests } from '../log/digests.ts'

/** Looks facts up in other systems. */
export interface LookupGatherer {
  /**
   * What each lookup came to, by the name of the fact. It has its own time limits; what it leaves out, or throws,
   * counts as failed.
   */
  gather(needs: readonly LookupNeed[]): Promise<ReadonlyMap<string, LookupResult>>
}

/** Where a call is decided, beside its policy. */
export interface Surroundings {
  readonly env: string | undefined
  readonly lookups: LookupGatherer | undefined
  /** The ledger's. */
  readonly digests: Digests
}

/** A counter whose use has to be known, with the digest that it is stored under. */
export interface CounterWanted extends CounterNeed {
  readonly digest: string
}

/** What was gathered before a call takes its place in the log. */
export interface Gathered {
  /** The policy that all of it was gathered for, and that decides. */
  readonly policy: CompiledPolicy | undefined
  readonly env: string | undefined
  readonly lookups: ReadonlyMap<string, LookupResult> | undefined
  readonly counters: readonly CounterWanted[]
  /** Digests of whose data the call holds. */
  readonly subjects: readonly string[]
  readonly digests: Digests
  /** Whether it matters what the call's session has been through. */
  readonly session: boolean
  /** Whether a standing grant could let the call through. */
  readonly standing: boolean
}

/** How long one result of a lookup may be, as canonical JSON, in UTF-16 units: it goes into the payload. */
const lookupLengthMax = 16 * 1024

/**
 * Gathers what the decision needs and the log does not have: at once where there is nothing to look up, which is mostly.
 * Otherwise it waits for other systems, so it must not be waited for while anybody waits for the log. Never throws or
 * rejects: what could not be gathered is absent, and counts against the call.
 */
export function gather(
  policy: CompiledPolicy | undefined,
  parsed: ParsedCall,
  { env, lookups: gatherer, digests }: Surroundings,
): Gathered | Promise<Gathered> {
  if (policy === undefined || parsed.malformed !== undefined) {
    return {
      policy,
      env,
      lookups: undefined,
      counters: none,
      subjects: none,
      digests,
      session: false,
      standing: false,
    }
  }
  const subjects = subjectsIn(policy, parsed, digests)
  const { lookups: wanted, counters, session, standing } = needsOrNone(policy, parsed, { env })
  if (wanted.length === 0) {
    return {
      policy,
      env,
      lookups: undefined,
      counters: withDigests(counters, digests),
      subjects,
      digests,
      session,
      standing,
    }
  }
  return lookedUp(wanted, gatherer).then((lookups) => {
    const needs = needsOrNone(policy, parsed, { env, lookups })
    const counted = withDigests(needs.counters, digests)
    const asked = { session: needs.session, standing: needs.standing }
    return { policy, env, lookups, counters: counted, subjects, digests, ...asked }
  })
}

/** What another process has gathered for a call, with what follows from it under this policy. */
export function regather(
  policy: CompiledPolicy | undefined,
  parsed: ParsedCall,
  env: string | undefined,
  lookups: ReadonlyMap<string, LookupResult> | undefined,
  digests: Digests,
): Gathered {
  if (policy === undefined || parsed.malformed !== undefined) {
    const nothing = { session: false, standing: false }
    return { policy, env, lookups, counters: none, subjects: none, digests, ...nothing }
  }
  const { counters, session, standing } = needsOrNone(policy, parsed, { env, lookups })
  const subjects = subjectsIn(policy, parsed, digests)
  const counted = withDigests(counters, digests)
  return { policy, env, lookups, counters: counted, subjects, digests, session, standing }
}

// A policy that breaks here breaks when it decides, too, and there it denies.
function needsOrNone(policy: CompiledPolicy, { call }: ParsedCall, known: Parameters<typeof needsOf>[2]) {
  try {
    return needsOf(policy, call, known)
  } catch {
    return { session: false, standing: false, lookups: [], counters: [] }
  }
}

const none: readonly never[] = Object.freeze([])

// Most policies name none.
function subjectsIn(policy: CompiledPolicy, { call }: ParsedCall, digests: Digests): readonly string[] {
  const subjects = subjectsOf(policy, call)
  return subjects.length === 0 ? none : subjects.map((subject) => digests.subject(subject))
}

// A counter's key may hold personal data, and is stored as a digest.
function withDigests(counters: DecisionNeeds['counters'], digests: Digests): Gathered['counters'] {
  if (counters.length === 0) return none
  return counters.map((need) => ({ ...need, digest: digests.counter(need.key) }))
}

async function lookedUp(
  needs: readonly LookupNeed[],
  gatherer: LookupGatherer | undefined,
): Promise<ReadonlyMap<string, LookupResult>> {
  const { found, why } = await gathered(needs, gatherer)
  return new Map(needs.map(({ fact }) => [fact, found === undefined ? failed(why) : sound(found.get(fact))]))
}

interface Found {
  /** Undefined where nothing was found at all. */
  readonly found?: ReadonlyMap<string, LookupResult>
  readonly why: string
}

async function gathered(needs: readonly LookupNeed[], gatherer: LookupGatherer | undefined): Promise<Found> {
  if (gatherer === undefined) return { why: 'nothing is set up here to look facts up with' }
  try {
    return { found: new Map(await gatherer.gather(needs)), why: '' }
  } catch {
    return { why: 'looking it up failed' }
  }
}

// The results come from outside, and are recorded: what has no canonical form was not found.
function sound(result: LookupResult | undefined): LookupResult {
  if (result === undefined) return failed('it was not looked up')
  const json = result.kind === 'value' ? result.value : result.why
  const problem = jsonProblem(json, 'what was found', payloadDepthMax)
  if (problem !== undefined) return failed(problem)
  if (canonicalJson(json).length > lookupLengthMax) return failed('what was found is too large')
  return result.kind === 'value' ? { kind: 'value', value: result.value } : failed(result.why)
}

function failed(why: string): LookupResult {
  return { kind: 'failed', why }
}
