import { answers, body, createRoute, json } from './route.ts'
import * as schema from './schemas.ts'

export const getGrants = createRoute({
  method: 'get',
  path: '/v1/grants',
  'x-permission': 'grants:read',
  summary: 'The standing grants that are live: which calls are let through without asking people again',
  responses: answers(200, json(schema.grantList, 'The grants, the newest first'), 401, 403, 503),
})

export const postGrantRevocation = createRoute({
  method: 'post',
  path: '/v1/grants/{id}/revoke',
  'x-permission': 'grants:revoke',
  summary:
    'End a standing grant before its time: who could answer its approval or has voted for it, an operator or an administrator',
  request: { params: schema.idParam, body: body(schema.revocationRequest) },
  responses: answers(201, json(schema.grantAnswer, 'Recorded'), 400, 401, 403, 404, 409, 413, 503),
})
