import { answers, body, createRoute, json } from './route.ts'
import * as schema from './schemas.ts'

export * from './channel-routes.ts'
export * from './grant-routes.ts'
export * from './review-routes.ts'

/** How many rows a list has unless the caller says otherwise. */
export const pageLengthDefault = 50

export const postDecision = createRoute({
  method: 'post',
  path: '/v1/decisions',
  'x-permission': 'calls:decide',
  summary: 'Decide a call and record the decision durably before answering',
  request: { body: body(schema.decisionRequest) },
  responses: answers(
    200,
    json(schema.decisionAnswer, 'The decision. A denial is an answer.'),
    400,
    401,
    403,
    409,
    413,
    503,
  ),
})

export const postDecisionBatch = createRoute({
  method: 'post',
  path: '/v1/decisions/batch',
  'x-permission': 'calls:decide',
  summary: 'Decide several calls, each by itself; what is wrong with one keeps no other from being decided',
  request: { body: body(schema.batchRequest) },
  responses: answers(
    200,
    json(schema.batchAnswer, 'A decision or a problem for each call, in the order of the calls'),
    400,
    401,
    403,
    413,
    503,
  ),
})

export const getDecisions = createRoute({
  method: 'get',
  path: '/v1/decisions',
  'x-permission': 'decisions:read',
  summary: 'Decisions, newest first; an agent sees its own',
  request: { query: schema.decisionQuery },
  responses: answers(200, json(schema.decisionList, 'A page of decisions'), 400, 401, 403, 503),
})

export const getDecision = createRoute({
  method: 'get',
  path: '/v1/decisions/{id}',
  'x-permission': 'decisions:read',
  summary: 'One decision',
  request: { params: schema.idParam },
  responses: answers(200, json(schema.decisionView, 'The decision'), 400, 401, 403, 404, 503),
})

export const getExplanation = createRoute({
  method: 'get',
  path: '/v1/decisions/{id}/explanation',
  'x-permission': 'decisions:read',
  summary: 'Why: the decision made again from what is recorded, rule by rule; an agent sees its own',
  request: { params: schema.idParam },
  responses: answers(200, json(schema.explanationView, 'The explanation'), 400, 401, 403, 404, 410, 422, 503),
})

export const postOutcome = createRoute({
  method: 'post',
  path: '/v1/decisions/{id}/outcome',
  'x-permission': 'outcomes:report',
  summary: 'Record what became of an allowed call',
  request: { params: schema.idParam, body: body(schema.outcomeRequest) },
  responses: answers(
    201,
    json(schema.outcomeAnswer, 'Recorded, or the same had been recorded before'),
    400,
    401,
    403,
    404,
    409,
    413,
    503,
  ),
})

export const getApprovals = createRoute({
  method: 'get',
  path: '/v1/approvals',
  'x-permission': 'approvals:read',
  summary: 'Approvals, newest first; an agent sees its own',
  request: { query: schema.approvalQuery },
  responses: answers(200, json(schema.approvalList, 'A page of approvals'), 400, 401, 403, 503),
})

export const getApproval = createRoute({
  method: 'get',
  path: '/v1/approvals/{id}',
  'x-permission': 'approvals:read',
  summary: 'One approval; with `wait`, once it is no longer pending or after so many seconds',
  request: { params: schema.idParam, query: schema.waitQuery },
  responses: answers(200, json(schema.approvalView, 'The approval'), 400, 401, 403, 404, 503),
})

export const getCall = createRoute({
  method: 'get',
  path: '/v1/calls/{call}',
  'x-permission': 'calls:read',
  summary:
    "What stands for one of the agent's call ids: the decision, and the approval where it waits for one",
  request: { params: schema.callParam },
  responses: answers(200, json(schema.callView, 'What stands'), 400, 401, 403, 404, 503),
})

export const postVote = createRoute({
  method: 'post',
  path: '/v1/approvals/{id}/votes',
  'x-permission': 'approvals:vote',
  summary: "Cast the signed-in person's vote",
  request: { params: schema.idParam, body: body(schema.voteRequest) },
  responses: answers(
    201,
    json(schema.approvalView, 'The approval after the vote'),
    400,
    401,
    403,
    404,
    409,
    410,
    413,
    503,
  ),
})

export const postVotes = createRoute({
  method: 'post',
  path: '/v1/votes',
  'x-permission': 'approvals:vote',
  summary: 'Cast several votes, each on its own digest; what is wrong with one keeps no other from counting',
  request: { body: body(schema.votesRequest) },
  responses: answers(
    200,
    json(schema.votesAnswer, 'A status or a problem for each vote, in the order of the votes'),
    400,
    401,
    403,
    413,
    503,
  ),
})

export const postCancellation = createRoute({
  method: 'post',
  path: '/v1/approvals/{id}/cancellation',
  'x-permission': 'approvals:cancel',
  summary:
    'Withdraw an approval that was not used: the agent that asked, or a person with the role operator or administrator',
  request: { params: schema.idParam, body: body(schema.cancellationRequest) },
  responses: answers(
    201,
    json(schema.approvalView, 'The approval after it'),
    400,
    401,
    403,
    404,
    409,
    413,
    503,
  ),
})

export const getDelegations = createRoute({
  method: 'get',
  path: '/v1/delegations',
  'x-permission': 'delegations:read',
  summary: "Who votes in whose stead, now or later: the caller's own; an administrator or auditor sees all",
  responses: answers(200, json(schema.delegationList, 'The delegations, the newest first'), 401, 403, 503),
})

export const postDelegation = createRoute({
  method: 'post',
  path: '/v1/delegations',
  'x-permission': 'delegations:change',
  summary: "Let somebody vote in the caller's stead for a time; an administrator may do so for others",
  request: { body: body(schema.delegationRequest) },
  responses: answers(201, json(schema.delegationAnswer, 'Recorded'), 400, 401, 403, 404, 413, 503),
})

export const postDelegationRevocation = createRoute({
  method: 'post',
  path: '/v1/delegations/{id}/revocation',
  'x-permission': 'delegations:change',
  summary: 'End a delegation before its time: either of the two people, or an administrator',
  request: { params: schema.idParam, body: body(schema.revocationRequest) },
  responses: answers(201, json(schema.delegationAnswer, 'Recorded'), 400, 401, 403, 404, 409, 413, 503),
})

export const postErasure = createRoute({
  method: 'post',
  path: '/v1/erasures',
  'x-permission': 'payloads:erase',
  summary: 'Erase what the log keeps of one call or of one person; for administrators',
  request: { body: body(schema.erasureRequest) },
  responses: answers(
    201,
    json(schema.erasureAnswer, 'What was erased, or with `dryRun` would be'),
    400,
    401,
    403,
    404,
    409,
    413,
    503,
  ),
})

export const getAgents = createRoute({
  method: 'get',
  path: '/v1/agents',
  'x-permission': 'agents:read',
  summary: 'Agents that policies name, that have keys or that are suspended',
  responses: answers(200, json(schema.agentList, 'The agents, by name'), 401, 403, 503),
})

export const postSuspension = createRoute({
  method: 'post',
  path: '/v1/agents/{agent}/suspension',
  'x-permission': 'agents:suspend',
  summary: 'Suspend an agent, or let it decide again; takes the role operator or administrator',
  request: { params: schema.agentParam, body: body(schema.suspensionRequest) },
  responses: answers(
    201,
    json(schema.suspensionAnswer, 'Recorded, or it was so already'),
    400,
    401,
    403,
    413,
    503,
  ),
})

export const getCheckpoint = createRoute({
  method: 'get',
  path: '/v1/log/checkpoint',
  'x-permission': 'anyone',
  summary: "The log's signed checkpoint (C2SP tlog-checkpoint)",
  responses: answers(
    200,
    { description: 'A signed note', content: { 'text/plain': { schema: schema.signedNote } } },
    503,
  ),
})

export const getPublishedCheckpoint = createRoute({
  method: 'get',
  path: '/log/checkpoint',
  'x-permission': 'anyone',
  summary:
    'The same under the prefix of the log (C2SP tlog-tiles), beside `/log/tile/…` and `/log/tile/entries/…`',
  responses: answers(
    200,
    { description: 'A signed note', content: { 'text/plain': { schema: schema.signedNote } } },
    503,
  ),
})

export const getCosigned = createRoute({
  method: 'get',
  path: '/log/checkpoint.cosigned',
  'x-permission': 'anyone',
  summary: 'The checkpoint that witnesses cosigned last (C2SP tlog-cosignature), older than the newest one',
  responses: answers(
    200,
    { description: 'A signed note', content: { 'text/plain': { schema: schema.signedNote } } },
    404,
    503,
  ),
})

export const getVerifyPage = createRoute({
  method: 'get',
  path: '/log/verify.html',
  'x-permission': 'anyone',
  summary: 'A page that checks proof bundles in the browser, without a network',
  responses: answers(200, {
    description: 'One file',
    content: { 'text/html': { schema: schema.htmlPage } },
  }),
})

export const getVerifier = createRoute({
  method: 'get',
  path: '/log/verify.js',
  'x-permission': 'anyone',
  summary: 'What checks proof bundles in that page, as a module',
  responses: answers(200, {
    description: 'JavaScript',
    content: { 'text/javascript': { schema: schema.script } },
  }),
})

export const getProof = createRoute({
  method: 'get',
  path: '/v1/log/proof/{id}',
  'x-permission': 'log:prove',
  summary:
    'A record with the proof that it is in the log, by its index or the id of its decision; an agent proves its own',
  request: { params: schema.idParam, query: schema.proofQuery },
  responses: answers(200, json(schema.proofBundle, 'A proof bundle'), 400, 401, 403, 404, 503),
})

export const getConsistency = createRoute({
  method: 'get',
  path: '/v1/log/consistency',
  'x-permission': 'log:prove',
  summary: 'Proof that the log of `to` records, or the published one, continues the log of `from`',
  request: { query: schema.consistencyQuery },
  responses: answers(
    200,
    json(schema.consistencyProof, 'A consistency proof (RFC 9162)'),
    400,
    401,
    403,

    404,
    503,
  ),
})

export const getEvents = createRoute({
  method: 'get',
  path: '/v1/events',
  'x-permission': 'log:read',
  summary:
    'Server-sent events: `log` with `{"size": n}` on connecting and whenever the log has grown, and `approval` for each one that is opened',
  responses: answers(
    200,
    { description: 'A stream', content: { 'text/event-stream': { schema: schema.eventStream } } },
    401,
    403,
    503,
  ),
})

export const getHealth = createRoute({
  method: 'get',
  path: '/healthz',
  'x-permission': 'anyone',
  summary: 'Whether the process lives',
  responses: answers(200, json(schema.health, 'It does')),
})

export const getReadiness = createRoute({
  method: 'get',
  path: '/readyz',
  'x-permission': 'anyone',
  summary: 'Whether the service can decide: its database answers',
  responses: answers(200, json(schema.readiness, 'It can'), 503),
})

export * from './access-routes.ts'
export * from './account-routes.ts'
export * from './passkey-routes.ts'
export * from './session-routes.ts'
