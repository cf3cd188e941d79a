import { Fault } from '@bailiwick/core'
import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { problem } from './problems.ts'
import { bodyEndedEarly } from './whole-body.ts'

/** The largest request body; a call's own limit is lower, and says so better. */
export const bodyBytesMax = 256 * 1024

// Reads and counts, for bodies whose length nobody has told. It takes a web stream to do so, which is dear.
const counted = bodyLimit({ maxSize: bodyBytesMax, onError: (context) => problem(context, bodyTooLarge()) })

/** Refuses bodies that are too large: by the length that their head tells, which the parser of HTTP holds them to. */
export const limitedBody: MiddlewareHandler = async (context, next) => {
  const { method } = context.req
  if (method === 'GET' || method === 'HEAD') return await next()
  const length = context.req.header('content-length')
  if (length === undefined || context.req.header('transfer-encoding') !== undefined) {
    return await countedWhole(context, next)
  }
  return Number(length) <= bodyBytesMax ? await next() : problem(context, bodyTooLarge())
}

// What fails before the rest of the app has begun failed in reading.
const countedWhole: MiddlewareHandler = async (context, next) => {
  let isRead = false
  const thenNext = () => {
    isRead = true
    return next()
  }
  try {
    return await counted(context, thenNext)
  } catch (error) {
    throw isRead ? error : bodyEndedEarly(error)
  }
}

function bodyTooLarge(): Fault {
  return new Fault('too_large', `the request body is larger than ${bodyBytesMax / 1024} KiB`, {
    fix: 'Pass a reference, such as an order id, instead of the content.',
  })
}
