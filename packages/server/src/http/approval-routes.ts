import { answers, body, createRoute, json } from './route.ts'
import * as schema from './schemas.ts'

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
