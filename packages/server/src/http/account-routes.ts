import { answers, body, createRoute, json } from './route.ts'
import * as schema from './session-schemas.ts'

export const getAccount = createRoute({
  method: 'get',
  path: '/v1/account',
  'x-permission': 'account',
  summary: 'What one has set up to sign in with',
  responses: answers(200, json(schema.accountView, 'The account'), 401, 403, 503),
})

export const postPassword = createRoute({
  method: 'post',
  path: '/v1/account/password',
  'x-permission': 'account',
  summary: 'Set one’s own password; every other session ends',
  request: { body: body(schema.passwordRequest) },
  responses: answers(204, { description: 'Set' }, 400, 401, 403, 413, 429, 503),
})

export const postTotp = createRoute({
  method: 'post',
  path: '/v1/account/totp',
  'x-permission': 'account',
  summary: 'Begin to set up an authenticator app',
  request: { body: body(schema.nothing) },
  responses: answers(201, json(schema.totpOffer, 'Its secret'), 400, 401, 403, 409, 413, 503),
})

export const postTotpConfirmation = createRoute({
  method: 'post',
  path: '/v1/account/totp/confirmation',
  'x-permission': 'account',
  summary: 'Confirm the app by its first code; from then on it is asked for, and every other session ends',
  request: { body: body(schema.codeRequest) },
  responses: answers(201, json(schema.recoveryCodes, 'Recovery codes'), 400, 401, 403, 409, 413, 429, 503),
})

export const deleteTotp = createRoute({
  method: 'delete',
  path: '/v1/account/totp',
  'x-permission': 'account',
  summary: 'Remove the authenticator app with its recovery codes; every other session ends',
  responses: answers(204, { description: 'Removed' }, 401, 403, 503),
})

export const postRecoveryCodes = createRoute({
  method: 'post',
  path: '/v1/account/recovery-codes',
  'x-permission': 'account',
  summary: 'Make new recovery codes in the place of all that there are',
  request: { body: body(schema.nothing) },
  responses: answers(201, json(schema.recoveryCodes, 'Recovery codes'), 400, 401, 403, 409, 413, 503),
})
