import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listen, type Listener } from '../../src/http/listener.ts'
import { rawAnswer, rawRequest } from './raw-request.ts'

let listener: Listener
let port: number
let requests: number

beforeEach(async () => {
  // So impatient that no test has to wait; the real times are in the defaults.
  const patience = { headMs: 100, requestMs: 200, idleMs: 300, silenceMs: 500, lookMs: 20 }
  listener = await listen({ host: '127.0.0.1', port: 0, patience })
  port = Number(new URL(listener.url).port)
  requests = 0
  listener.answerWith((incoming, outgoing) => {
    requests += 1
    incoming.resume()
    incoming.once('end', () => outgoing.end('{}'))
  })
})
afterEach(() => listener.close())

describe('a client that keeps the service waiting is answered 408 and cut off', () => {
  test('in the head of its request', async () => {
    const answer = await rawRequest(port, ['POST /v1/decisions HTTP/1.1\r\nHost: a\r\nX-Slow: '])
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n/)
    expect(requests).toBe(0)
  })

  test('in its body', async () => {
    const answer = await rawRequest(port, [
      'POST /v1/decisions HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"act',
    ])
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n/)
    expect(requests).toBe(1)
  })

  test('and one that has nothing more to ask is cut off without a word', async () => {
    const answer = await rawRequest(port, ['GET / HTTP/1.1\r\nHost: a\r\n\r\n'])
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  })
})

test('a client that reads no answer is cut off, and what it would have read is let go', async () => {
  const cut = new Promise<void>((resolve) => {
    listener.answerWith((_incoming, outgoing) => {
      outgoing.once('close', () => resolve())
      outgoing.end(Buffer.alloc(64 * 1024 * 1024))
    })
  })
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await cut
  socket.destroy()
})

test('a client that waits for an answer that takes longer is not cut off', async () => {
  listener.answerWith((incoming, outgoing) => {
    incoming.socket.once('timeout', () => outgoing.end('{}'))
  })
  expect(await rawAnswer(port, ['GET / HTTP/1.1', 'Host: a'])).toMatchObject({ status: 200, body: '{}' })
})

test('a head of more than 16 KiB is refused', async () => {
  const line = (size: number) => ['GET / HTTP/1.1', 'Host: a', `X-Large: ${'a'.repeat(size)}`]
  expect(await rawAnswer(port, line(17_000))).toMatchObject({ status: 431 })
  expect(requests).toBe(0)
  expect(await rawAnswer(port, line(15_000))).toMatchObject({ status: 200 })
})

test('a service that is not ready says so, that it lives, and that nothing was recorded', async () => {
  const fresh = await listen({ host: '127.0.0.1', port: 0 })
  const freshPort = Number(new URL(fresh.url).port)
  const refused = await rawAnswer(freshPort, ['POST /v1/decisions HTTP/1.1', 'Host: a'])
  expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
  expect(JSON.parse(refused.body)).toMatchObject({
    type: 'urn:bailiwick:problem:store_unavailable',
    recorded: 'no',
  })
  const lives = await rawAnswer(freshPort, ['GET /healthz?a=1 HTTP/1.1', 'Host: a'])
  expect(lives).toMatchObject({ status: 200, body: '{"status":"ok"}' })
  await fresh.close()
})

test('a port that is taken is refused', async () => {
  await expect(listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'bad_input',
    message: `port ${port} is taken`,
  })
  await expect(listen({ host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
    message: 'cannot listen on 192.0.2.1:0',
  })
})
