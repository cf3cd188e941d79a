import { answers, body, createRoute, json, type DescribedAnswer } from './route.ts'
import * as schema from './schemas.ts'

/** A page for a browser. */
function html(description: string): DescribedAnswer {
  return { description, content: { 'text/html': { schema: schema.htmlPage } } }
}

export const getApprovalEvents = createRoute({
  method: 'get',
  path: '/v1/approvals/{id}/events',
  'x-permission': 'approvals:read',
  summary:
    'Server-sent events for whoever waits: `approval` with its status, now and once it is no longer pending; then the stream ends',
  request: { params: schema.idParam },
  responses: {
    ...answers(
      200,
      { description: 'A stream', content: { 'text/event-stream': { schema: schema.approvalStream } } },
      400,
      401,
      403,
      404,
      503,
    ),
    204: { description: '`Last-Event-ID` is a final status already: nothing more comes' },
  },
})

export const getDeliveries = createRoute({
  method: 'get',
  path: '/v1/deliveries',
  'x-permission': 'deliveries:read',
  summary: 'Messages to the outside and how they went, newest first',
  request: { query: schema.deliveryQuery },
  responses: answers(
    200,
    json(schema.deliveryList, 'The messages, without what they say'),
    400,
    401,
    403,
    503,
  ),
})

export const postDeliveryRetry = createRoute({
  method: 'post',
  path: '/v1/deliveries/{id}/retry',
  'x-permission': 'deliveries:retry',
  summary: 'Send a message again that was given up',
  request: { params: schema.deliveryParam, body: body(schema.nothing) },
  responses: answers(200, json(schema.retryAnswer, 'It is due'), 400, 401, 403, 404, 409, 413, 503),
})

export const postSlackInteraction = createRoute({
  method: 'post',
  path: '/v1/channels/slack/interactions',
  'x-permission': 'anyone',
  summary: 'Where Slack tells of pressed buttons; signed by Slack, each request taken once',
  responses: answers(
    200,
    { description: 'Recorded, or refused for a reason that whoever pressed is told in Slack' },
    400,
    401,
    403,
    404,
    409,
    413,
    503,
  ),
})

export const getSlackAccount = createRoute({
  method: 'get',
  path: '/v1/channels/slack/accounts/{account}',
  'x-permission': 'anyone',
  summary:
    'The page on which a person confirms a Slack account. Looking changes nothing, and says nothing of it',
  request: { params: schema.slackAccountParam },
  responses: answers(200, html('A page'), 400, 404, 503),
})

export const postSlackAccount = createRoute({
  method: 'post',
  path: '/v1/channels/slack/accounts/{account}',
  'x-permission': 'anyone',
  summary: 'Confirm from that page, signed in, that the account is one’s own: from then on it answers',
  request: { params: schema.slackAccountParam },
  responses: answers(200, html('Recorded'), 400, 401, 403, 404, 413, 503),
})

export const getMailPage = createRoute({
  method: 'get',
  path: '/v1/channels/email/{token}',
  'x-permission': 'anyone',
  summary:
    'The page that a link in an e-mail opens: what is asked, and forms to choose an answer (`?choice=`) and to confirm it. Looking votes nothing, and is recorded',
  request: { params: schema.tokenParam },
  responses: answers(200, html('A page'), 400, 404, 503),
})

export const postMailVote = createRoute({
  method: 'post',
  path: '/v1/channels/email/{token}',
  'x-permission': 'anyone',
  summary: "Cast a person's vote from that page: a form with `vote`, `digest` and `comment`",
  request: { params: schema.tokenParam },
  responses: answers(200, html('Recorded'), 400, 401, 403, 404, 409, 410, 413, 503),
})
