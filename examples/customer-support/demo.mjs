/**
 * `npm run demo`: sends a running service the calls of a customer support agent, so that the console has life.
 *
 *   npm run demo                about 40 calls in about a minute, then waits for the approvals that are open
 *   npm run demo -- --once      12 calls, and no waiting for people
 *   npm run demo -- --seed 7    other calls
 *
 * Finds the service as the command line does: BAILIWICK_URL or BAILIWICK_PORT, and BAILIWICK_DATA or DATABASE_URL
 * for its key. Uses the key in BAILIWICK_KEY where there is one.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = path.join(root, 'packages/server/bundle/main.js')
const agent = 'customer-support-agent-v2'
const url = process.env['BAILIWICK_URL'] || `http://127.0.0.1:${process.env['BAILIWICK_PORT'] || '7420'}`

/** A shift begins with one of everything, so that the first dozen calls show all that can happen. */
const opening = [
  'refund',
  'address',
  'discount',
  'refund',
  'large',
  'forbidden',
  'refund',
  'vip',
  'textAmount',
].concat(['marketing', 'discount', 'large'])
const callsInAShift = 40
const pauseMs = 1_400

/** How often each kind of call comes, by its number here. */
const kinds = {
  refund: 12,
  address: 6,
  discount: 6,
  large: 4,
  vip: 2,
  forbidden: 2,
  marketing: 1,
  textAmount: 1,
}

const usage = `Usage: npm run demo -- [--once] [--seed NUMBER]

Sends a running service the calls of a customer support agent.

  --once         12 calls, and no waiting for people; otherwise about 40 in about a minute
  --seed NUMBER  other calls; equal numbers give equal calls (default 1)
  --help         this text

BAILIWICK_URL or BAILIWICK_PORT says where the service is, BAILIWICK_DATA or DATABASE_URL where its log is.
With an agent's key in BAILIWICK_KEY, none is made.`

const values = givenOptions()
const random = randomFrom(Number(values.seed))

/** The options of the command line; where they mean nothing, says how to use them and ends. */
function givenOptions() {
  try {
    const { values: given } = parseArgs({
      options: {
        once: { type: 'boolean' },
        seed: { type: 'string', default: '1' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (!/^[0-9]{1,9}$/.test(given.seed)) throw new Error(`\`${given.seed}\` is no seed`)
    if (!given.help) return given
    console.log(usage)
    process.exit(0)
  } catch (error) {
    console.error(`${error.message.split('. ')[0]}\n\n${usage}`)
    process.exit(2)
  }
}

/** Equal seeds give equal calls (mulberry32). */
function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function between(low, high) {
  return low + Math.floor(random() * (high - low + 1))
}

function oneOf(list) {
  return list[between(0, list.length - 1)]
}

function nextKind() {
  const weights = Object.entries(kinds)
  let left = random() * weights.reduce((sum, [, weight]) => sum + weight, 0)
  return weights.find(([, weight]) => (left -= weight) < 0)?.[0] ?? 'refund'
}

/** What the agent wants to do. `params` are what a model would have written. */
function callOf(kind) {
  const order_id = `A-${between(1000, 9999)}`
  const amount = between(500, 19_900) / 100
  const reason = oneOf([
    'damaged in transit',
    'arrived late',
    'wrong size',
    'charged twice',
    'changed their mind',
  ])
  switch (kind) {
    case 'large':
      return { action: 'issue_refund', params: { order_id, amount: between(501, 1500), reason } }
    case 'vip':
      return { action: 'issue_refund', params: { order_id, amount, reason, is_vip: true } }
    case 'textAmount':
      return { action: 'issue_refund', params: { order_id, amount: `${amount} USD`, reason } }
    case 'address': {
      const street = oneOf(['Lindenallee 4', '12 Mill Lane', '8 Rue des Lilas', 'Via Roma 31'])
      return { action: 'modify_shipping_address', params: { order_id, street } }
    }
    case 'discount':
      return { action: 'apply_discount', params: { order_id, percent: oneOf([5, 10, 15]) } }
    case 'forbidden':
      return {
        action: oneOf(['delete_account', 'access_payment_details', 'change_pricing_tiers']),
        params: { order_id },
      }
    case 'marketing':
      return { action: 'send_marketing_email', params: { order_id, template: 'winter-sale' } }
    default:
      return { action: 'issue_refund', params: { order_id, amount, reason } }
  }
}

/** Stands for the shop's own systems. Now and then they fail, as such systems do. */
async function perform() {
  const takesMs = between(20, 200)
  const fails = random() < 0.04
  await pause(takesMs)
  if (fails) throw new Error('the payment provider did not answer')
}

function say(text) {
  const time = new Date().toTimeString().slice(0, 8)
  console.log(`${time}  ${text}`)
}

function textOf({ action, params }) {
  const { amount, percent } = params
  const detail = amount ?? (percent === undefined ? undefined : `${percent}%`)
  return `${action}${detail === undefined ? '' : ` ${detail}`} (${params.order_id})`
}

const tally = {}

/** One governed call, from the wish to its outcome. */
async function work(client, call) {
  const text = textOf(call)
  const waiting = setTimeout(() => say(`${text}: waits for a person, at ${url}/approvals`), 1_000)
  try {
    const context = { channel: oneOf(['chat', 'e-mail', 'phone']), ticket: `T-${between(10_000, 99_999)}` }
    const governed = await client.govern(call.action, call.params, perform, { context })
    count(governed.kind)
    say(`${text}: ${endOf(governed)}`)
  } catch (error) {
    count(error.code ?? 'failed')
    say(`${text}: ${error.code === undefined ? 'allowed, but failed: ' : ''}${error.message}`)
  } finally {
    clearTimeout(waiting)
  }
}

function count(what) {
  tally[what] = (tally[what] ?? 0) + 1
}

function endOf({ kind, decision, approval }) {
  if (kind === 'ran') return 'ran'
  return `${kind}: ${approval ?? decision.reasons[0]}`
}

function commandLine(...args) {
  const data = process.env['BAILIWICK_DATA'] ? [] : ['--data', path.join(root, '.bailiwick')]
  const { status, stdout } = spawnSync(process.execPath, [main, ...args, ...data, '--json'], {
    encoding: 'utf8',
  })
  const answer = stdout ? JSON.parse(stdout) : {}
  if (status === 0) return answer
  throw new Error(
    answer.error === undefined
      ? 'the command line did not answer'
      : `${answer.error.message}; ${answer.error.fix}`,
  )
}

async function isReady() {
  const answered = await fetch(`${url}/readyz`).catch(() => undefined)
  return answered?.ok === true
}

async function shift(client, stopped) {
  const open = new Set()
  const calls = values.once ? opening.length : callsInAShift
  for (let at = 0; at < calls && !stopped.aborted; at++) {
    const done = work(client, callOf(opening[at] ?? nextKind())).finally(() => open.delete(done))
    open.add(done)
    const ms = values.once ? 150 : pauseMs
    await pause(ms, undefined, { signal: stopped }).catch(() => undefined)
  }
  // What needs no person is done by then.
  if (open.size > 0) await Promise.race([Promise.all(open), pause(1_500)])
  if (values.once || open.size === 0 || stopped.aborted) return open.size
  say(`${open.size} calls wait for a person. Ctrl+C leaves them waiting.`)
  const interrupted = new Promise((resolve) => stopped.addEventListener('abort', resolve, { once: true }))
  await Promise.race([Promise.all(open), interrupted])
  return open.size
}

async function run() {
  if (!existsSync(main) || !(await isReady())) {
    console.error(`No service answers at ${url}.\nStart one with \`npm start\`, in another terminal.`)
    return 2
  }
  const { BailiwickClient } = await import('bailiwick')
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  const made = process.env['BAILIWICK_KEY'] ? undefined : commandLine('keys', 'create', '--agent', agent)
  try {
    const client = new BailiwickClient({ url, key: process.env['BAILIWICK_KEY'] ?? made.key })
    const left = await shift(client, stop.signal)
    const parts = Object.entries(tally).map(([what, number]) => `${number} ${what}`)
    if (left > 0) parts.push(`${left} still waiting`)
    say(`Done: ${parts.join(', ')}.`)
    return 0
  } finally {
    // A key that nobody uses is one that somebody can steal.
    if (made !== undefined) commandLine('keys', 'revoke', made.id)
  }
}

try {
  process.exit(await run())
} catch (error) {
  console.error(`The demo ended: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(2)
}
