import { z } from 'zod'
import type { LookupResult, SessionFact } from '../model/call.ts'
import type { Effect } from '../model/decision.ts'
import { parseInstant, type Instant } from '../model/ids.ts'
import type { JsonObject } from '../model/json.ts'
import { commentLengthMax, nameLengthMax, policyTestBytesMax } from '../model/limits.ts'
import type { Problem } from '../model/problem.ts'
import type { Position } from '../policy/positions.ts'
import { name, names } from '../policy/schema-values.ts'
import { shapeYaml, type YamlFormat } from '../policy/yaml-file.ts'

/** When a case happens that names no `now`: 2026-01-01T00:00:00Z, so that a run does not depend on the day. */
export const policyTestNowDefault = Date.UTC(2026, 0, 1) as Instant

/** What a case says the decision has to be. */
export interface Expectation {
  readonly effect: Effect
  /** Has to be one of the decision's reasons, word for word. */
  readonly reason?: string | undefined
  /** Ids of the rules that determine the decision: these and no others, in any order. */
  readonly rules?: readonly string[] | undefined
  /** What a policy in shadow mode would have done instead of allowing. `none`: nothing else. */
  readonly shadow?: 'deny' | 'escalate' | 'none' | undefined
}

/** One call, and what the policy should say to it. */
export interface PolicyTestCase {
  readonly name: string
  /** One-based line of the case in its file. */
  readonly line: number
  readonly action: string
  readonly params: JsonObject
  readonly context: JsonObject
  readonly now: Instant
  /** Absent: the policy's own, or the first of its agents. */
  readonly agent?: string | undefined
  readonly env?: string | undefined
  readonly session?: (SessionFact & { readonly id: string }) | undefined
  /** What has been used of budgets and rates before the call, by their ids; 0 of those that are not here. */
  readonly counters?: ReadonlyMap<string, number> | undefined
  /** What looking facts up came to, by their names. */
  readonly lookups?: ReadonlyMap<string, LookupResult> | undefined
  /** Absent: what `govern` carries out. */
  readonly supports?: readonly string[] | undefined
  readonly expect: Expectation
}

/** The content of a `*.policy-test.yaml` file. */
export interface PolicyTestSuite {
  /** The policy's path, relative to the test file. */
  readonly policy: string
  /** Where the path stands in the test file. */
  readonly policyPlace: Position
  readonly cases: readonly PolicyTestCase[]
}

/** What became of a policy test file's text. */
export type ParsedPolicyTest =
  | { readonly kind: 'valid'; readonly suite: PolicyTestSuite }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

const effectError = 'must be one of allow, deny, escalate'

// Any map: what is wrong with its values is for the decision to say, as it would be for a real call.
const payload = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  { error: 'must be a map' },
)

const expectation = z.strictObject(
  {
    effect: z.enum(['allow', 'deny', 'escalate'], { error: effectError }),
    reason: z.string({ error: 'must be a text' }).max(commentLengthMax, { error: 'is too long' }).optional(),
    rules: z.array(name, { error: 'must be a list of rule ids' }).optional(),
    shadow: z.enum(['deny', 'escalate', 'none'], { error: 'must be one of deny, escalate, none' }).optional(),
  },
  { error: `${effectError}, or a map with effect, reason, rules and shadow` },
)

const session = z.strictObject(
  { id: name.optional(), labels: names.optional(), actions: names.optional() },
  { error: 'must be a map with labels and actions' },
)

const failedLookup = z.strictObject({ failed: z.string({ error: 'must be a text that says why' }) })
const lookupError = 'must be the value that is found, or a map with `failed` that says why none is'
const lookup = z.union(
  [
    failedLookup,
    z.number(),
    z.boolean(),
    z.string(),
    z.array(z.union([z.number(), z.string()], { error: 'must be a text or a number' })),
  ],
  { error: lookupError },
)

const testCase = z.strictObject(
  {
    name: z
      .string({ error: 'must be a text' })
      .min(1, { error: 'must not be empty' })
      .max(nameLengthMax, { error: `must have at most ${nameLengthMax} characters` })
      .optional(),
    action: name,
    params: payload.optional(),
    context: payload.optional(),
    now: z
      .string({ error: 'must be a time such as 2026-01-31T12:00:00Z' })
      .refine((text) => parseInstant(text) !== undefined, {
        error: 'must be a time such as 2026-01-31T12:00:00Z',
      })
      .optional(),
    agent: name.optional(),
    env: name.optional(),
    session: session.optional(),
    counters: z
      .record(name, z.number({ error: 'must be a number' }).min(0, { error: 'must not be negative' }), {
        error: 'must be a map from the id of a budget or rate to what has been used',
      })
      .optional(),
    lookups: z
      .record(name, lookup, {
        error: 'must be a map from the name of a fact to what is found',
      })
      .optional(),
    supports: names.optional(),
    expect: z.preprocess((value) => (typeof value === 'string' ? { effect: value } : value), expectation),
  },
  { error: 'must be a map with action and expect' },
)

const policyTestSchema = z.strictObject(
  {
    policy: z
      .string({ error: "must be the policy's path, relative to this file" })
      .min(1, { error: 'must not be empty' }),
    cases: z.array(testCase, { error: 'must be a list of cases' }).min(1, {
      error: 'must have at least one case: a test of nothing would always pass',
    }),
  },
  { error: 'must be a map: a policy test has `policy` and `cases`' },
)

/** The policy test file of this version. */
export const policyTestFormat: YamlFormat<z.output<typeof policyTestSchema>> = {
  name: 'the policy test',
  schemaFor: () => policyTestSchema,
  bytesMax: policyTestBytesMax,
  tooLargeFix: 'split it into several files',
  refused: new Map(),
}

/** The session of a case that gives it no name. */
const sessionIdDefault = 'session'

function lookupOf(written: z.output<typeof lookup>): LookupResult {
  if (typeof written !== 'object' || Array.isArray(written)) return { kind: 'value', value: written }
  return { kind: 'failed', why: written.failed }
}

/**
 * Reads and checks the text of a policy test file. Every problem is reported at once, with line and
 * column; never throws for what a file may contain.
 */
export function parsePolicyTest(text: string): ParsedPolicyTest {
  const shaped = shapeYaml(text, policyTestFormat)
  if (shaped.kind === 'misshapen') return { kind: 'invalid', problems: shaped.problems }
  const { file, positions } = shaped
  const cases = file.cases.map((written, at): PolicyTestCase => ({
    name: written.name ?? `case ${at + 1}: ${written.action}`,
    line: positions.ofValue(['cases', at]).line,
    action: written.action,
    params: written.params ?? {},
    context: written.context ?? {},
    now: (written.now === undefined ? undefined : parseInstant(written.now)) ?? policyTestNowDefault,
    agent: written.agent,
    env: written.env,
    session: written.session && {
      id: written.session.id ?? sessionIdDefault,
      labels: written.session.labels ?? [],
      actions: written.session.actions ?? [],
    },
    counters: written.counters && new Map(Object.entries(written.counters)),
    lookups:
      written.lookups &&
      new Map(Object.entries(written.lookups).map(([fact, found]) => [fact, lookupOf(found)])),
    supports: written.supports,
    expect: written.expect,
  }))
  const policyPlace = positions.ofValue(['policy'])
  return { kind: 'valid', suite: { policy: file.policy, policyPlace, cases } }
}
