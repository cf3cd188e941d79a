// The load of `npm run bench -- http`, in a process of its own: keep-alive connections over plain sockets, each of which
// sends its next request when the answer to the last has come. It reads only what it must of an answer: the status, the
// length, and that every decision in it is an allow.
import { connect } from 'node:net'
import { refund } from './policy.mjs'
import { quantile } from './table.mjs'

process.on('message', (job) => {
  load(job).then(
    (result) => process.send({ result }),
    (/** @type {unknown} */ error) => process.send({ error: String(error) }),
  )
})

/** `connections` in a closed loop for `seconds`. @returns requests and decisions a second, and latencies in ms */
async function load({ port, path, method = 'POST', key, connections, seconds, calls, expects }) {
  const bare = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: `
  const latencies = []
  const start = performance.now()
  const end = start + seconds * 1000
  // A number that no run before has used: every call is another.
  let number = Math.floor(Math.random() * 1e9)
  const nextRequest = () => {
    if (method === 'GET') return bare
    const text =
      calls === undefined
        ? JSON.stringify(refund(number++))
        : JSON.stringify({ calls: Array.from({ length: calls }, () => refund(number++)) })
    return `${head}${text.length}\r\n\r\n${text}`
  }
  const expected = { text: expects, times: calls ?? 1 }
  const one = () => closedLoop(port, nextRequest, (ms) => latencies.push(ms), end, expected)
  await Promise.all(Array.from({ length: connections }, one))
  const requests = latencies.length / ((performance.now() - start) / 1000)
  return {
    requests,
    decisions: requests * (calls ?? 1),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    count: latencies.length,
  }
}

function closedLoop(port, nextRequest, took, end, expected) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let received = ''
    let asked = 0
    const ask = () => {
      received = ''
      asked = performance.now()
      socket.write(nextRequest(), 'latin1')
    }
    socket.once('connect', ask)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the service closed the connection')))
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      received += chunk
      const body = bodyOf(received)
      if (body === undefined) return
      const now = performance.now()
      took(now - asked)
      if (!received.startsWith('HTTP/1.1 200') || !standsIn(body, expected)) {
        return reject(new Error(`not the expected answer: ${received.slice(0, 2_000)}`))
      }
      if (now < end) return ask()
      socket.removeAllListeners('close')
      socket.destroy()
      resolve()
    })
  })
}

/** The body, once all of it has come. */
function bodyOf(received) {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [, digits] = /^content-length: (\d+)\r$/im.exec(received.slice(0, headEnd + 1)) ?? []
  if (digits === undefined) throw new Error(`an answer without a length: ${received.slice(0, 1_500)}`)
  const length = Number(digits)
  return received.length < headEnd + 4 + length
    ? undefined
    : received.slice(headEnd + 4, headEnd + 4 + length)
}

function standsIn(body, { text, times }) {
  let from = 0
  for (let found = 0; found < times; found++) {
    const at = body.indexOf(text, from)
    if (at < 0) return false
    from = at + text.length
  }
  return true
}
