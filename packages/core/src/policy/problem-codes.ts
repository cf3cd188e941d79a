import type { SchemaProblemCode } from './params-schema/schema-problem.ts'

/** What keeps a policy from being loaded. */
export const errorCodes = {
  'too-large': 'The file, or a condition in it, is too large.',
  'invalid-yaml': 'The text is no YAML, or has something in it that no file may have.',
  'unknown-key': 'A key stands where no key of that name may stand.',
  'refused-key': 'A key is not enforced by this version, or cannot stand beside another.',
  'missing-key': 'A required key is absent.',
  'wrong-value': 'A value is not of the form that its key wants.',
  'missing-file': 'A file that the policy extends is not there.',
  'refused-file': 'A file that the policy extends may not be read, or cannot be.',
  'circular-extends': 'A file extends itself, through others.',
  'too-many-files': 'The policy extends too many files.',
  'inherited-mode': 'Shadow mode where a file of the policy does not allow it.',
  'redeclared-name': 'A name is declared again, and differently, in a file that extends another.',
  'fact-out-of-reach': 'A file uses a fact that only the policy that extends it declares.',
  'widened-environments': 'An environment that a file above does not have.',
  'widened-actions': 'An action is allowed that a file above does not allow.',
  'loosened-route': 'A route asks for less than a file above.',
  'condition-too-long': 'A condition is longer than it may be.',
  'invalid-condition': 'A condition has bad syntax, an unknown name or an ill-typed part.',
  'undeclared-fact-types': 'An undeclared name is used as two types.',
  'unknown-name': 'A budget or rate names something that is not declared.',
  'unknown-environment': 'An environment that the policy is not made for.',
  'unknown-window': 'A window that is not declared.',
  'unknown-role': 'A role that is not declared.',
  'misspelt-action': 'The name of an action is nearly a listed one.',
  'allowed-and-forbidden': 'An action stands in both lists.',
  'repeated-rule-id': 'Two rules have one id.',
  'reserved-name': 'A fact has a name that conditions already know.',
  'fact-default-type': 'A default is not of the type of its fact.',
  'lookup-default': 'A fact that is looked up has a default.',
  'lookup-address': 'The address of a lookup is not written as one.',
  'lookup-arguments': 'A query and its arguments do not fit each other.',
  'counter-sum-type': 'What a budget adds up is no number.',
  'unreachable-quorum': 'A route needs more approvals than the people it names.',
  'standing-without-consent': 'A route lets people grant more of what they only have to look at.',
  'unreachable-channel': 'A route takes signed votes, and none over the channel that gives them.',
  'fact-type-mismatch': 'A fact has another type than the parameter schema gives its parameter.',
  'params-schema-unknown-keyword': 'A parameter schema has a keyword that is not enforced.',
  'params-schema-unknown-name': 'A parameter schema requires or refers to a name that it does not have.',
  'params-schema-wrong-value': 'A keyword of a parameter schema has a value that it cannot have.',
  'params-schema-no-effect': 'A keyword of a parameter schema that would decide nothing.',
  'params-schema-unsatisfiable': 'A parameter schema that nothing fits.',
  'params-schema-reference': 'A reference in a parameter schema leads nowhere, or to itself.',
  'params-schema-too-large': 'A parameter schema is too large or nests too deep.',
} as const satisfies Readonly<Record<string, string>> & Readonly<Record<SchemaProblemCode, string>>

/** What is likely a mistake, and keeps nothing from working. */
export const warningCodes = {
  'undeclared-fact': 'A condition names a fact that nobody declared.',
  'unused-fact': 'Nothing uses a fact.',
  'fact-not-in-schema': 'A fact reads a parameter that the schema of an action does not have.',
  'default-for-params': 'A default lets the model leave out what a rule asks for.',
  'model-asserts-fact': "A rule takes the model's word for how things are.",
  'unknown-parameter': 'A condition reads a parameter that no schema of its actions has.',
  'no-params-schema': 'Other actions have a parameter schema, and this one has none.',
  'repeated-entry': 'An entry of a list stands twice.',
  'unlisted-action': 'A rule or fact names an action that is neither allowed nor forbidden.',
  'allowed-yet-forbidden': 'A forbidden pattern covers an allowed action.',
  'always-denied': 'An action is allowed, and a rule or its own `when` denies every call of it.',
  'unreachable-rule': 'A rule, flow, budget or rate is only on actions that are never allowed.',
  'silent-rule': 'The facts of a rule exist for none of its actions. An error where it names them.',
  'shadowed-rule': 'Another rule does the same, or denies, wherever this one matches.',
  'never-true': 'A condition, or a comparison in it, is never true.',
  'always-true': 'A condition is never false.',
  'threshold-gap': 'Rules on one number leave out a value, or a run of values, between them.',
  'threshold-boundary': 'Rules share a limit, and only one of them includes it.',
  'unanchored-pattern': '`matches` finds its pattern anywhere in a text.',
  'pattern-never-matches': 'A pattern matches no text.',
  'costly-condition': 'A condition may run out of steps.',
  'counter-always': 'Every call passes the `max` of a budget or rate.',
  'counter-never': 'No calls that get through reach the `max` of a budget.',
  'counter-key-from-params': 'The model chooses by what a budget or rate is kept apart.',
  'unknown-label': 'A flow asks for a label that no action leaves behind.',
  'unused-route': 'No rule asks for a route.',
  'standing-any-number': 'A standing grant lets a number be anything, and people are asked because of it.',
  'late-prompt': 'A route reminds people, or asks others, when its deadline has come.',
} as const satisfies Readonly<Record<string, string>>

/** What kind of problem there is with a policy, or with another file of ours. Stable. */
export type ProblemCode = keyof typeof errorCodes | keyof typeof warningCodes

const problemCodes: Readonly<Record<ProblemCode, string>> = { ...errorCodes, ...warningCodes }

/** One sentence for a code; undefined for one that is not ours. */
export function problemCodeText(code: string): string | undefined {
  return Object.hasOwn(problemCodes, code) ? problemCodes[code as ProblemCode] : undefined
}
