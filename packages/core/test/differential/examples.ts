import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import type { Json, JsonObject } from '../../src/index.ts'

const folder = fileURLToPath(new URL('../../../../examples', import.meta.url))

/** A fact as an example's file declares it. */
export interface WrittenFact {
  readonly type: string
  readonly from: string
  readonly default?: Json
}

/** A rule as an example's file has it, of either list. */
export interface WrittenRule {
  readonly id: string
  readonly effect: 'deny' | 'escalate'
  readonly condition: string
  readonly on?: string | readonly string[]
  readonly action?: string
}

/** A call of an example's policy test. */
export interface WrittenCall {
  readonly action: string
  readonly params: JsonObject
  readonly context: JsonObject
  readonly now: number
}

/** An example policy as it lies on disk, read without the product's help. */
export interface Example {
  readonly file: string
  readonly text: string
  readonly agent: string
  readonly allowed: readonly string[]
  readonly facts: Readonly<Record<string, WrittenFact>> | undefined
  readonly rules: readonly WrittenRule[]
  readonly calls: readonly WrittenCall[]
}

interface PolicyText {
  readonly agent_id: string
  readonly allowed_actions: readonly string[]
  readonly facts?: Readonly<Record<string, WrittenFact>>
  readonly rules?: readonly (Partial<WrittenRule> & Pick<WrittenRule, 'effect'>)[]
  readonly escalation_rules?: readonly Partial<WrittenRule>[]
}

interface TestText {
  readonly policy: string
  readonly cases: readonly (Partial<Omit<WrittenCall, 'now'>> & { now?: string | Date; action: string })[]
}

/** Every policy under `examples/`, with the calls of the policy tests that are written for it. */
export function examplePolicies(): Example[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.ya?ml$/.test(file),
  )
  const isTest = (file: string): boolean => /\.policy-test\.ya?ml$/.test(file)
  const tests = files.filter(isTest)
  return files
    .filter((file) => !isTest(file))
    .sort()
    .flatMap((file) => {
      const text = readFileSync(path.join(folder, file), 'utf8')
      const written = parse(text) as Partial<PolicyText> | null
      if (written?.agent_id === undefined || written.allowed_actions === undefined) return []
      const calls = tests.flatMap((test) => callsOf(test, file))
      const { agent_id: agent, allowed_actions: allowed, facts } = written
      return [{ file, text, agent, allowed, facts, rules: rulesOf(written), calls }]
    })
}

function rulesOf({ rules = [], escalation_rules: escalations = [] }: Partial<PolicyText>): WrittenRule[] {
  const all = [
    ...rules.map((rule, at) => ({ id: `rules[${at}]`, ...rule })),
    ...escalations.map((rule, at) => ({
      id: `escalation_rules[${at}]`,
      effect: 'escalate' as const,
      ...rule,
    })),
  ]
  return all.flatMap(({ condition, ...rule }) => (condition === undefined ? [] : [{ ...rule, condition }]))
}

function callsOf(test: string, policy: string): WrittenCall[] {
  const written = parse(readFileSync(path.join(folder, test), 'utf8')) as TestText
  if (path.join(path.dirname(test), written.policy) !== policy) return []
  return written.cases.map(({ action, params = {}, context = {}, now }) => ({
    action,
    params,
    context,
    now: now === undefined ? Date.UTC(2026, 0, 1) : new Date(now).getTime(),
  }))
}
