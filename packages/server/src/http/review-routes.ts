import { answers, body, createRoute, json } from './route.ts'
import * as schema from './schemas.ts'

export const getApprovalContext = createRoute({
  method: 'get',
  path: '/v1/approvals/{id}/context',
  'x-permission': 'approvals:vote',
  summary:
    'What helps a person to answer: rules, who may vote, the history of this agent, its last similar call',
  request: { params: schema.idParam },
  responses: answers(200, json(schema.approvalContext, 'The context'), 400, 401, 403, 404, 503),
})

export const postReveal = createRoute({
  method: 'post',
  path: '/v1/decisions/{id}/reveal',
  'x-permission': 'payloads:reveal',
  summary: 'Show one masked value to a person who is asked about the call, or to an auditor; it is recorded',
  request: { params: schema.idParam, body: body(schema.revealRequest) },
  responses: answers(
    201,
    json(schema.revealAnswer, 'The value, after the record of its showing was written'),
    400,
    401,
    403,
    404,
    410,
    413,
    503,
  ),
})

export const getActivity = createRoute({
  method: 'get',
  path: '/v1/agents/{agent}/activity',
  'x-permission': 'agents:read',
  summary: 'What an agent did lately, without params',
  request: { params: schema.agentParam },
  responses: answers(
    200,
    json(schema.activityView, 'Its last 100 decisions, counted'),
    400,
    401,
    403,
    404,
    503,
  ),
})

export const getPolicies = createRoute({
  method: 'get',
  path: '/v1/policies',
  'x-permission': 'policies:read',
  summary: 'The policies in force, since when, and what was in force before',
  responses: answers(200, json(schema.policyList, 'The policies, by id'), 401, 403, 503),
})

export const getPolicy = createRoute({
  method: 'get',
  path: '/v1/policies/{policy}',
  'x-permission': 'policies:read',
  summary: 'The source of a policy, in force or recorded earlier',
  request: { params: schema.policyParam },
  responses: answers(200, json(schema.policyView, 'The policy'), 400, 401, 403, 404, 410, 422, 503),
})
