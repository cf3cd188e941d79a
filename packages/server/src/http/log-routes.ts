import { answers, createRoute, json, type DescribedAnswer } from './route.ts'
import * as schema from './schemas.ts'

/** Bytes, as C2SP tlog-tiles lays them out. */
function bytes(description: string): DescribedAnswer {
  return { description, content: { 'application/octet-stream': { schema: schema.tile } } }
}

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
  summary: 'The same under the prefix of the log (C2SP tlog-tiles)',
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

export const getTile = createRoute({
  method: 'get',
  path: '/log/tile/{level}/{path}',
  'x-permission': 'anyone',
  summary: 'A tile of hashes (C2SP tlog-tiles), full or partial; `path` has slashes where the log is long',
  request: { params: schema.tileParam },
  responses: answers(200, bytes('Hashes, 32 bytes each'), 400, 404, 503),
})

export const getEntries = createRoute({
  method: 'get',
  path: '/log/tile/entries/{path}',
  'x-permission': 'log:read',
  summary:
    'An entry bundle (C2SP tlog-tiles), full or partial: records, each after its length in two bytes. Also for whoever has the read key, and for anyone where the operator says so',
  request: { params: schema.entriesParam },
  responses: answers(200, bytes('Records; with gzip where it is accepted'), 400, 401, 403, 404, 503),
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
