import type { RuleId } from '../model/ids.ts'
import type { Obligation } from '../model/decision.ts'
import type { ActionConstraints, ParamsSchema, SubjectPaths } from '../model/policy.ts'
import { compileParamsSchema } from './params-schema/compile.ts'
import { namePattern } from './pattern.ts'
import type { RuleContext } from './rules.ts'
import type { PolicyFile } from './schema.ts'
import type { PolicySource } from './sources.ts'

type WrittenAction = NonNullable<PolicyFile['actions']>[string]

/** Compiles the `actions` of one file. */
export function compileActions(source: PolicySource, context: RuleContext): readonly ActionConstraints[] {
  return Object.entries(source.content.actions ?? {}).map(([pattern, written]) =>
    compileAction(pattern, written, source, context),
  )
}

function compileAction(
  pattern: string,
  written: WrittenAction,
  source: PolicySource,
  { conditions, references }: RuleContext,
): ActionConstraints {
  const path = ['actions', pattern]
  const obligations = written.obligations ?? []
  references.roles(source, [...path, 'roles'], written.roles)
  references.environments(source, [...path, 'environments'], written.environments)
  const when = conditions.compile(source, [...path, 'when'], written.when)
  const own = `actions.${pattern}`
  return {
    id: (source.file === undefined ? own : `${source.file}:${own}`) as RuleId,
    pattern: namePattern(pattern),
    params: paramsSchema(written.params, source, pattern, references.findings),
    roles: written.roles,
    when,
    facts: conditions.factsOf(when),
    window: references.window(source, [...path, 'window'], written.window),
    environments: written.environments,
    sensitive: (written.sensitive ?? []).map((text) => text.split('.')),
    subject: written.subject === undefined ? undefined : pathsOf(written.subject),
    labels: written.labels ?? [],
    obligations: obligations.flatMap(obligationOf),
    requires: obligations.flatMap(({ require }) => (require === undefined ? [] : [require.split('.')])),
    line: source.positions.ofKey(path).line,
    file: source.file,
  }
}

/** Paths that are written as one or as a list. */
function pathsOf(written: string | readonly string[]): readonly (readonly string[])[] {
  return [written].flat().map((text) => text.split('.'))
}

/** Where the calls of a policy say whose data they hold, by all of its files. */
export function compileSubjects(
  sources: readonly PolicySource[],
  actions: readonly ActionConstraints[],
): SubjectPaths {
  const otherwise = sources.flatMap(({ content }) =>
    content.subject === undefined ? [] : pathsOf(content.subject),
  )
  return { named: otherwise.length > 0 || actions.some(({ subject }) => subject !== undefined), otherwise }
}

type WrittenObligation = NonNullable<WrittenAction['obligations']>[number]

function obligationOf({ redact, notify }: WrittenObligation): readonly Obligation[] {
  if (redact !== undefined) return [{ kind: 'redact', path: redact }]
  return notify === undefined ? [] : [{ kind: 'notify', channel: notify }]
}

function paramsSchema(
  written: WrittenAction['params'],
  source: PolicySource,
  pattern: string,
  findings: RuleContext['references']['findings'],
): ParamsSchema | undefined {
  if (written === undefined) return undefined
  const compiled = compileParamsSchema(written)
  if (compiled.kind === 'compiled') return compiled.schema
  for (const { path, message, fix, code } of compiled.problems) {
    const place = source.positions.ofKey(['actions', pattern, 'params', ...path])
    findings.error(source, place, message, fix, { code })
  }
  return undefined
}
