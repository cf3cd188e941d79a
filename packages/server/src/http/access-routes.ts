import * as schema from './access-schemas.ts'
import { answers, body, createRoute, json } from './route.ts'

export const getPeople = createRoute({
  method: 'get',
  path: '/v1/people',
  'x-permission': 'access:read',
  summary: 'People who may sign in, by address',
  responses: answers(200, json(schema.peopleList, 'The people'), 401, 403, 503),
})

export const postPerson = createRoute({
  method: 'post',
  path: '/v1/people',
  'x-permission': 'access:change',
  summary: 'Add a person, or replace the roles of one; where these change, all sessions of the person end',
  request: { body: body(schema.personRequest) },
  responses: answers(201, json(schema.personSet, 'The person'), 400, 401, 403, 409, 413, 503),
})

export const deletePerson = createRoute({
  method: 'delete',
  path: '/v1/people/{person}',
  'x-permission': 'access:change',
  summary:
    'Remove a person with all that lets them in and all that rests on their vote; what the person did stays in the log',
  request: { params: schema.personParam },
  responses: answers(204, { description: 'Removed' }, 400, 401, 403, 404, 409, 503),
})

export const postSignInLink = createRoute({
  method: 'post',
  path: '/v1/people/{person}/link',
  'x-permission': 'access:change',
  summary:
    'Make a link that signs a person in, once, within a day: an invitation, or for who forgot the password',
  request: { params: schema.personParam },
  responses: answers(201, json(schema.signInLink, 'The link'), 400, 401, 403, 404, 413, 503),
})

export const postReset = createRoute({
  method: 'post',
  path: '/v1/people/{person}/reset',
  'x-permission': 'access:change',
  summary: 'Remove a person’s password, authenticator app, recovery codes and passkeys, and end all sessions',
  request: { params: schema.personParam },
  responses: answers(204, { description: 'Removed' }, 400, 401, 403, 404, 413, 503),
})

export const deletePersonSessions = createRoute({
  method: 'delete',
  path: '/v1/people/{person}/sessions',
  'x-permission': 'access:change',
  summary: 'End every session of a person, and every sign-in link',
  request: { params: schema.personParam },
  responses: answers(204, { description: 'Ended' }, 400, 401, 403, 404, 503),
})

export const getKeys = createRoute({
  method: 'get',
  path: '/v1/keys',
  'x-permission': 'access:read',
  summary: 'API keys of agents, oldest first, without their secrets',
  responses: answers(200, json(schema.keyList, 'The keys'), 401, 403, 503),
})

export const postKey = createRoute({
  method: 'post',
  path: '/v1/keys',
  'x-permission': 'access:change',
  summary: 'Make an API key bound to an agent',
  request: { body: body(schema.keyRequest) },
  responses: answers(201, json(schema.newKey, 'The key'), 400, 401, 403, 413, 503),
})

export const postKeyRotation = createRoute({
  method: 'post',
  path: '/v1/keys/{key}/rotation',
  'x-permission': 'access:change',
  summary: 'Make a key that takes the place of another, which stays good for a while',
  request: { params: schema.keyParam, body: body(schema.rotationRequest) },
  responses: answers(201, json(schema.rotatedKey, 'The new key'), 400, 401, 403, 404, 409, 413, 503),
})

export const deleteKey = createRoute({
  method: 'delete',
  path: '/v1/keys/{key}',
  'x-permission': 'access:change',
  summary: 'Make a key useless from the next request on',
  request: { params: schema.keyParam },
  responses: answers(204, { description: 'Revoked' }, 400, 401, 403, 404, 503),
})

export const getSessions = createRoute({
  method: 'get',
  path: '/v1/sessions',
  'x-permission': 'account',
  summary:
    'Sessions that go on, newest first: one’s own; with access:read those of a `person`, or with `*` all',
  request: { query: schema.sessionQuery },
  responses: answers(200, json(schema.sessionList, 'The sessions'), 400, 401, 403, 503),
})

export const deleteOneSession = createRoute({
  method: 'delete',
  path: '/v1/sessions/{session}',
  'x-permission': 'account',
  summary: 'End a session: one’s own; with access:change anybody’s',
  request: { params: schema.sessionParam },
  responses: answers(204, { description: 'Ended' }, 400, 401, 403, 404, 503),
})
