import { answers, body, createRoute, json } from './route.ts'
import * as schema from './session-schemas.ts'

export const getSignInWays = createRoute({
  method: 'get',
  path: '/v1/sign-in',
  'x-permission': 'anyone',
  summary: 'How people can sign in here, beside the one-time links that always work',
  responses: answers(200, json(schema.signInWays, 'The ways'), 503),
})

export const postSession = createRoute({
  method: 'post',
  path: '/v1/session',
  'x-permission': 'anyone',
  summary: 'Sign in with a one-time token',
  request: { body: body(schema.sessionRequest) },
  responses: answers(200, json(schema.signInAnswer, 'Signed in, or on the way'), 400, 401, 403, 413, 503),
})

export const postPasswordSession = createRoute({
  method: 'post',
  path: '/v1/session/password',
  'x-permission': 'anyone',
  summary: 'Sign in with a password',
  request: { body: body(schema.passwordSignIn) },
  responses: answers(
    200,
    json(schema.signInAnswer, 'Signed in, or on the way'),
    400,
    401,
    403,
    413,
    429,
    503,
  ),
})

export const postSecondFactor = createRoute({
  method: 'post',
  path: '/v1/session/second-factor',
  'x-permission': 'anyone',
  summary: 'Prove a second factor: the code of an authenticator app, or a recovery code',
  request: { body: body(schema.secondFactorProof) },
  responses: answers(200, json(schema.signInAnswer, 'Signed in'), 400, 401, 403, 413, 429, 503),
})

export const getSession = createRoute({
  method: 'get',
  path: '/v1/session',
  'x-permission': 'account',
  summary: 'Who is signed in, and may do what',
  responses: answers(200, json(schema.sessionView, 'The person'), 401, 403, 503),
})

export const deleteSession = createRoute({
  method: 'delete',
  path: '/v1/session',
  'x-permission': 'account',
  summary: 'Sign out',
  responses: answers(204, { description: 'Signed out' }, 401, 403, 503),
})

export const postProviderSession = createRoute({
  method: 'post',
  path: '/v1/session/provider',
  'x-permission': 'anyone',
  summary: 'Begin to sign in by the identity provider: says where the browser goes next',
  request: { body: body(schema.nothing) },
  responses: answers(200, json(schema.providerStart, 'The address'), 400, 403, 404, 413, 503),
})

export const getProviderCallback = createRoute({
  method: 'get',
  path: '/v1/session/provider/callback',
  'x-permission': 'anyone',
  summary:
    'Where the identity provider sends the browser back to; goes on at the sign-in page, whatever came of it',
  responses: answers(303, { description: 'To the sign-in page' }),
})
