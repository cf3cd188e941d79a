import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { Fault } from '@bailiwick/core'
import { deliveryUrl, postJson } from '../../src/delivery/http-post.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function receiver(answer: RequestListener): Promise<URL> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/s3cret?token=s3cret`)
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const result = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(result instanceof Fault)) throw new Error(`no fault but ${String(result)}`)
  return result
}

const to = (url: URL) => ({ url, headers: {}, body: '{}', allowPrivate: true })

describe('posting', () => {
  test('sends the body, its length and the given headers, and returns the status', async () => {
    let seen: unknown
    const url = await receiver((request, response) => {
      const { 'content-type': type, 'content-length': length, 'webhook-id': id } = request.headers
      void textOf(request).then((text) => {
        seen = { method: request.method, type, length, id, text }
        response.writeHead(202).end('ok')
      })
    })
    const body = '{"text":"ä"}'
    const answer = await postJson({ ...to(url), headers: { 'webhook-id': 'msg_1' }, body })
    expect(answer).toEqual({ status: 202 })
    expect(seen).toEqual({
      method: 'POST',
      type: 'application/json',
      length: String(Buffer.byteLength(body)),
      id: 'msg_1',
      text: body,
    })
  })

  test('a redirect is an answer and not followed', async () => {
    let calls = 0
    const url = await receiver((_request, response) => {
      calls += 1
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    expect(await postJson(to(url))).toEqual({ status: 307 })
    expect(calls).toBe(1)
  })

  test('a receiver that answers without end is cut off; its status counts', async () => {
    const url = await receiver((_request, response) => {
      response.writeHead(200)
      const pour = () => {
        if (!response.destroyed) response.write(Buffer.alloc(64 * 1024), pour)
      }
      pour()
    })
    expect(await postJson({ ...to(url), responseBytesMax: 1024 })).toEqual({ status: 200 })
  })

  test('a receiver that answers but never finishes is left after the timeout; its status counts', async () => {
    const url = await receiver((_request, response) => {
      response.writeHead(200)
      response.write('x')
    })
    expect(await postJson({ ...to(url), timeoutMs: 50 })).toEqual({ status: 200 })
  })

  test('a receiver that never answers is a fault after the timeout, which shows only the origin', async () => {
    const url = await receiver(() => undefined)
    const fault = await faultOf(postJson({ ...to(url), timeoutMs: 50 }))
    expect(fault).toMatchObject({ code: 'service_unreachable' })
    expect(fault.message).toBe(`\`${url.origin}\` gave no answer within 50 ms`)
  })

  test('a name that never resolves is a fault after the timeout too', async () => {
    const url = new URL('https://slow.example/')
    const resolve = () => new Promise<never>(() => undefined)
    const fault = await faultOf(postJson({ ...to(url), timeoutMs: 50, resolve }))
    expect(fault.message).toContain('no answer within 50 ms')
  })

  test('a receiver that hangs up or is not there is a fault that holds nothing of the path', async () => {
    const hangingUp = await receiver((request) => request.socket.destroy())
    const absent = new URL('http://127.0.0.1:1/hooks/s3cret')
    for (const url of [hangingUp, absent]) {
      const fault = await faultOf(postJson(to(url)))
      expect(fault.code).toBe('service_unreachable')
      expect(`${fault.message} ${fault.fix} ${String(fault.cause)}`).not.toContain('s3cret')
    }
  })

  test('a receiver that wants to switch protocols is a fault', async () => {
    const url = await receiver(() => undefined)
    servers[0]?.on('request', (request: IncomingMessage) => {
      request.socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
    })
    expect((await faultOf(postJson(to(url)))).code).toBe('service_unreachable')
  })
})

describe('which receivers are called', () => {
  const resolvingTo = (...addresses: string[]) => ({
    resolve: () =>
      Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))),
  })

  test('a private one when that is allowed, and not otherwise', async () => {
    let calls = 0
    const url = await receiver((_request, response) => {
      calls += 1
      response.end()
    })
    expect(await postJson(to(url))).toEqual({ status: 200 })
    const named = new URL(`http://receiver.internal:${url.port}/`)
    expect(await postJson({ ...to(named), ...resolvingTo('127.0.0.1') })).toEqual({ status: 200 })
    expect(calls).toBe(2)

    expect((await faultOf(postJson({ ...to(url), allowPrivate: false }))).code).toBe('not_permitted')
    const secure = new URL(`https://receiver.internal:${url.port}/`)
    const refused = postJson({ ...to(secure), allowPrivate: false, ...resolvingTo('127.0.0.1') })
    expect((await faultOf(refused)).message).toContain('leads into a private network')
    expect(calls).toBe(2)
  })

  test('none of whose addresses one is private, even when another is public', async () => {
    const url = new URL('https://two-faced.example/')
    const mixed = resolvingTo('8.8.8.8', '::ffff:10.0.0.1')
    expect((await faultOf(postJson({ ...to(url), allowPrivate: false, ...mixed }))).code).toBe(
      'not_permitted',
    )
  })

  test('no metadata service, even when private ones are allowed', async () => {
    const literal = new URL('http://169.254.169.254/latest/meta-data')
    const named = new URL('http://metadata.example/')
    expect((await faultOf(postJson(to(literal)))).code).toBe('not_permitted')
    expect((await faultOf(postJson({ ...to(named), ...resolvingTo('169.254.169.254') }))).code).toBe(
      'not_permitted',
    )
  })

  test('a public one never without encryption, even when private ones are allowed', async () => {
    const url = new URL('http://public.example/')
    const fault = await faultOf(postJson({ ...to(url), ...resolvingTo('8.8.8.8') }))
    expect(fault.message).toBe('`http://public.example` is not encrypted')
  })

  test('a name without any address is a fault', async () => {
    const url = new URL('https://nowhere.example/')
    expect((await faultOf(postJson({ ...to(url), ...resolvingTo() }))).code).toBe('service_unreachable')
  })
})

describe('the address of a receiver', () => {
  const check = (text: string, allowPrivate = false) => deliveryUrl(text, { name: 'HOOK', allowPrivate })

  test('is an https URL; an http one only where private networks are allowed', () => {
    expect(check('https://example.com/hook').href).toBe('https://example.com/hook')
    expect(check('http://localhost:9000/hook', true).port).toBe('9000')
    expect(() => check('http://localhost:9000/hook')).toThrow('is not encrypted')
    expect(() => check('http://8.8.8.8/hook', true)).toThrow('is not encrypted')
  })

  test.each([
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://127.0.0.1./',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://10.1.2.3/',
    'https://①⑦②.16.0.1/',
    'https://[fd00::1]/',
  ])('%s is a private one in disguise', (text) => {
    expect(() => check(text)).toThrow('leads into a private network')
    expect(check(text, true).protocol).toBe('https:')
  })

  test.each(['https://0xa9fea9fe/', 'https://[::ffff:a9fe:a9fe]/', 'https://0/', 'https://[fe80::1]/'])(
    '%s is refused under any setting',
    (text) => expect(() => check(text, true)).toThrow('is no receiver'),
  )

  test.each(['s3cret', 'ftp://example.com/s3cret', 'https://s3cret:s3cret@example.com/', 'file:///s3cret'])(
    '%s is refused in words that do not repeat it',
    (text) => {
      expect(() => check(text, true)).toThrow(Fault)
      expect(() => check(text, true)).not.toThrow(/s3cret/)
    },
  )
})
