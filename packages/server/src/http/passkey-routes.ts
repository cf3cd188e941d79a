import * as schema from './passkey-schemas.ts'
import { answers, body, createRoute, json, type DescribedAnswer } from './route.ts'
import { signInAnswer } from './session-schemas.ts'

const boundByCookie = 'a cookie binds the answer to this browser'
const signedIn = json(signInAnswer, 'Signed in; the cookie carries the session')

/** What a browser hands to an authenticator. */
function asked(options: Parameters<typeof json>[0]): DescribedAnswer {
  return json(options, 'What the authenticator is asked for; good for three minutes, once')
}

export const getPasskeys = createRoute({
  method: 'get',
  path: '/v1/passkeys',
  'x-permission': 'account',
  summary: "The signed-in person's passkeys",
  responses: answers(200, json(schema.passkeyList, 'The passkeys, the oldest first'), 401, 403, 409, 503),
})

export const postPasskeyOptions = createRoute({
  method: 'post',
  path: '/v1/passkeys/options',
  'x-permission': 'account',
  summary: `Begin to register a passkey; ${boundByCookie}`,
  request: { body: body(schema.nothingRequest) },
  responses: answers(200, asked(schema.creationOptions), 400, 401, 403, 409, 413, 503),
})

export const postPasskey = createRoute({
  method: 'post',
  path: '/v1/passkeys',
  'x-permission': 'account',
  summary: 'Register the passkey that the authenticator has made',
  request: { body: body(schema.passkeyRequest) },
  responses: answers(
    201,
    json(schema.passkeyAnswer, 'Registered and recorded'),
    400,
    401,
    403,
    404,
    409,
    413,
    503,
  ),
})

export const deletePasskey = createRoute({
  method: 'delete',
  path: '/v1/passkeys/{id}',
  'x-permission': 'account',
  summary:
    'Remove a passkey of the signed-in person: it signs nothing any more, every session of the person ends, and this one goes on under a new cookie',
  request: { params: schema.passkeyParam },
  responses: answers(
    200,
    json(schema.passkeyAnswer, 'Removed; the record that says so'),
    400,
    401,
    403,
    404,
    503,
  ),
})

export const postSignInOptions = createRoute({
  method: 'post',
  path: '/v1/session/passkey/options',
  'x-permission': 'anyone',
  summary: `Begin to sign in with a passkey; ${boundByCookie}`,
  request: { body: body(schema.nothingRequest) },
  responses: answers(200, asked(schema.requestOptions), 400, 403, 409, 413, 503),
})

export const postPasskeySession = createRoute({
  method: 'post',
  path: '/v1/session/passkey',
  'x-permission': 'anyone',
  summary: 'Sign in with a passkey, which says whose it is',
  request: { body: body(schema.passkeySignInRequest) },
  responses: answers(200, signedIn, 400, 401, 403, 409, 413, 503),
})

export const postSecondFactorOptions = createRoute({
  method: 'post',
  path: '/v1/session/second-factor/passkey/options',
  'x-permission': 'anyone',
  summary: `Begin to prove a passkey as the second factor; ${boundByCookie}`,
  request: { body: body(schema.stepRequest) },
  responses: answers(200, asked(schema.secondFactorOptions), 400, 401, 403, 409, 413, 503),
})

export const postPasskeyProof = createRoute({
  method: 'post',
  path: '/v1/session/second-factor/passkey',
  'x-permission': 'anyone',
  summary: 'Prove a passkey as the second factor',
  request: { body: body(schema.passkeyProof) },
  responses: answers(200, signedIn, 400, 401, 403, 409, 413, 503),
})
