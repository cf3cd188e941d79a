import { answers, body, createRoute, json } from './route.ts'
import * as schema from './schemas.ts'

export * from './access-routes.ts'
export * from './account-routes.ts'
export * from './approval-routes.ts'
export * from './channel-routes.ts'
export * from './grant-routes.ts'
export * from './log-routes.ts'
export * from './passkey-routes.ts'
export * from './review-routes.ts'
export * from './session-routes.ts'

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

export const getCall = createRoute({
  method: 'get',
  path: '/v1/calls/{call}',
  'x-permission': 'calls:read',
  summary:
    "What stands for one of the agent's call ids: the decision, and the approval where it waits for one",
  request: { params: schema.callParam },
  responses: answers(200, json(schema.callView, 'What stands'), 400, 401, 403, 404, 503),
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
