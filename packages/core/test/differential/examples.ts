import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
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

interface PolicyText extends Lists, Maps {
  readonly extends?: string | readonly string[]
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

/** What a policy has, and all that it extends has beside it. */
interface Lists {
  readonly forbidden_actions?: readonly string[]
  readonly budgets?: readonly unknown[]
  readonly rates?: readonly unknown[]
  readonly flows?: readonly unknown[]
}

/** The same, by name: what the policy itself says of a name counts. */
interface Maps {
  readonly actions?: Readonly<Record<string, unknown>>
  readonly windows?: Readonly<Record<string, unknown>>
  readonly approvals?: Readonly<Record<string, unknown>>
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
      const own = readFileSync(path.join(folder, file), 'utf8')
      const written = withParents(file)
      if (written.agent_id === undefined || written.allowed_actions === undefined) return []
      const text = !/^extends:/m.test(own) ? own : stringify(written, { aliasDuplicateObjects: false })
      const calls = tests.flatMap((test) => callsOf(test, file))
      const { agent_id: agent, allowed_actions: allowed } = written
      return [
        {
          file,
          text,
          agent,
          allowed,
          facts: passedFacts(written),
          rules: ofPassed(rulesOf(written), written),
          calls,
        },
      ]
    })
}

/**
 * A policy with what it extends in one file. Its own lists of actions and environments are the narrower ones, so they
 * stand for all; everything else is added up, a file that two others extend once.
 */
function withParents(file: string, seen = new Set<string>()): Partial<PolicyText> {
  const { extends: parents = [], ...own } = (parse(readFileSync(path.join(folder, file), 'utf8')) ??
    {}) as Partial<PolicyText>
  return [parents].flat().reduce<Partial<PolicyText>>((policy, parent) => {
    const from = path.join(path.dirname(file), parent)
    if (seen.has(from)) return policy
    seen.add(from)
    return joined(policy, withParents(from, seen))
  }, own)
}

function joined(own: Partial<PolicyText>, parent: Partial<PolicyText>): Partial<PolicyText> {
  const lists = ['forbidden_actions', 'rules', 'escalation_rules', 'budgets', 'rates', 'flows'] as const
  const maps = ['facts', 'actions', 'windows', 'approvals'] as const
  return {
    ...parent,
    ...own,
    ...Object.fromEntries(lists.map((key) => [key, [...(own[key] ?? []), ...(parent[key] ?? [])]])),
    ...Object.fromEntries(maps.map((key) => [key, { ...parent[key], ...own[key] }])),
  }
}

/** The facts that a call passes. What is looked up is in no call. */
function passedFacts({ facts }: Partial<PolicyText>): Example['facts'] {
  if (facts === undefined) return undefined
  return Object.fromEntries(Object.entries(facts).filter(([, { from }]) => typeof from === 'string'))
}

/** The rules that need nothing looked up: calls alone can make them match, and not. */
function ofPassed(rules: readonly WrittenRule[], { facts = {} }: Partial<PolicyText>): WrittenRule[] {
  const lookedUp = Object.keys(facts).filter((name) => typeof facts[name]?.from !== 'string')
  return rules.filter(
    ({ condition }) => !lookedUp.some((name) => new RegExp(`\\b${name}\\b`).test(condition)),
  )
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
