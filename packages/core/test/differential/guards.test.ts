import { expect, test } from 'vitest'
import * as core from '../../src/index.ts'
import { compareGuarded } from './guards.ts'

/** What has to have happened, so that the run was not about nothing. */
const kinds = [
  'allow',
  'deny',
  'escalate',
  'role_missing',
  'wrong_environment',
  'outside_window',
  'params_invalid',
  'when_false',
  'requirement_missing',
  'denied_by_rule',
  'approval_refused',
  'obligation_unsupported',
  'rule in shadow',
  'shadow deny',
  'shadow escalate',
  'redact',
  'notify',
]

test('random calls under constraints, guards of rules and shadow mode are decided as a second reading of the manual decides them', () => {
  const result = compareGuarded(core, { seed: 60_001, policies: 200, callsEach: 100 })
  expect(result).toHaveProperty('seen')
  const seen = 'seen' in result ? result.seen : {}
  expect(kinds.filter((kind) => (seen[kind] ?? 0) < 50)).toEqual([])
}, 120_000)
