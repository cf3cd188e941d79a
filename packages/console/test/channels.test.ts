import { expect, test } from 'vitest'
import { approval } from '../src/answers.ts'
import { canBeSelected } from '../src/alike.ts'
import { mayAnswer } from '../src/consent.ts'

function waiting(channels?: readonly string[]) {
  const terms = { routes: ['ask'], approvers: [], quorum: 1, deadlineMs: 1000, asks: 'consent' }
  const answer = {
    id: 'apr_1',
    decision: 'dec_1',
    digest: null,
    agent: 'a',
    action: 'b',
    params: {},
    context: {},
    reasons: [],
    rules: [],
    policy: null,
    status: 'pending',
    openedAt: '2026-01-01T00:00:00.000Z',
    deadline: '2026-01-01T00:05:00.000Z',
    terms: { ...terms, ...(channels === undefined ? {} : { channels }) },
    votes: [],
    consumedBy: null,
    mayVote: true,
  }
  return approval(answer, '')
}

test.each([
  ['one that is answered anywhere', undefined, true],
  ['one that is answered in the console, too', ['console', 'slack'], true],
  ['one that is answered in Slack alone', ['slack'], false],
  ['one that is answered nowhere', [], false],
])('of %s the console offers an answer, alone or with others: %s', (_what, channels, offered) => {
  const asked = waiting(channels)
  expect([mayAnswer(asked), canBeSelected(asked)]).toEqual([offered, offered])
})
