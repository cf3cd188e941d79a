/**
 * The pictures of the console in the documentation:
 *
 *     npm run build && node scripts/screenshots.mjs [FOLDER]
 *
 * Starts the built service with the example's policies on an empty data directory and a free port, sends it
 * the calls of a believable day at work, votes on two of them, and photographs what a person then sees:
 * `decisions.png` and `inbox.png` (1440 pixels wide, light) and `inbox-phone.png` (390 pixels, dark), in
 * FOLDER, `docs/images` unless given. Run by hand whenever the console has changed its looks; it takes most
 * of a minute, because real calls are seconds apart and the pictures show their times.
 *
 * The browser is the one that BAILIWICK_CHROMIUM names, else /usr/bin/chromium.
 */
import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'

const root = fileURLToPath(new URL('..', import.meta.url))
const main = path.join(root, 'packages/server/dist/cli/main.js')
const policies = path.join(root, 'examples/customer-support/policies')
const folder = path.resolve(process.argv[2] ?? path.join(root, 'docs/images'))
const agent = 'customer-support-agent-v2'
const person = 'dana@example.com'
/** Pictures are read over slow connections, and every version of them stays in the repository. */
const bytesMax = 150_000

const calls = [
  { action: 'issue_refund', params: { order_id: 'A-20417', amount: 42.5, reason: 'parcel arrived damaged' } },
  { action: 'apply_discount', params: { order_id: 'A-20433', percent: 10, code: 'SORRY10' } },
  { action: 'access_payment_details', params: { customer_id: 'C-1187' } },
  {
    action: 'issue_refund',
    params: { order_id: 'A-20398', amount: 612, reason: 'delivery refused by the carrier' },
    vote: { vote: 'approve', comment: 'Carrier confirmed the return.' },
  },
  {
    action: 'modify_shipping_address',
    params: { order_id: 'A-20440', city: 'Rotterdam', postcode: '3011 AD' },
  },
  {
    action: 'issue_refund',
    params: { order_id: 'A-20102', amount: 1900, reason: 'customer says it never arrived' },
    vote: { vote: 'reject', comment: 'Signed for on Monday. Please ask the customer again.' },
  },
  {
    action: 'issue_refund',
    params: { order_id: 'A-20451', amount: 18.99, reason: 'wrong size' },
    fails: 'the payment provider timed out',
  },
  { action: 'send_marketing_email', params: { template: 'spring-sale', audience: 'all' } },
  {
    action: 'issue_refund',
    params: { order_id: 'A-20388', amount: 740, reason: 'laptop returned, box opened' },
  },
  {
    action: 'modify_shipping_address',
    params: { order_id: 'A-20462', city: 'Lyon', postcode: '69002', is_vip: true },
  },
  { action: 'delete_account', params: { customer_id: 'C-2043' } },
  {
    action: 'issue_refund',
    params: { order_id: 'A-20466', amount: 560, reason: 'charged twice for one order' },
  },
  { action: 'apply_discount', params: { order_id: 'A-20470', percent: 5, code: 'WELCOME5' } },
]

const pictures = [
  { file: 'decisions.png', page: '/', width: 1440, height: 880, colorScheme: 'light' },
  { file: 'inbox.png', page: '/approvals', width: 1440, height: 1010, colorScheme: 'light' },
  { file: 'inbox-phone.png', page: '/approvals', width: 390, height: 844, colorScheme: 'dark' },
]

/** Runs one command of the CLI on the data directory and returns what it printed as JSON. */
async function bailiwick(dataDir, ...args) {
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args, '--json', '--data', dataDir])
  return JSON.parse(stdout)
}

/** Starts the service; `stop` resolves when it has ended. */
async function startService(dataDir) {
  const args = [main, 'serve', '--json', '--policies', policies, '--data', dataDir, '--port', '0']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => {
    child.once('close', resolve)
  })
  const lines = createInterface({ input: child.stdout })
  const ready = new Promise((resolve) => {
    lines.once('line', resolve)
  })
  const first = await Promise.race([ready, ended.then(() => undefined)])
  if (first === undefined) throw new Error('the service did not start; run `npm run build` first')
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
  }
  return { url: JSON.parse(first).url, stop }
}

/** Sends one JSON request and returns the answer's body. */
async function post(url, headers, body) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`)
  return { body: JSON.parse(text), cookie: response.headers.get('set-cookie')?.split(';')[0] }
}

/** A session of the person, as the value of the cookie header. */
async function signIn(url, dataDir) {
  await bailiwick(dataDir, 'people', 'add', person, '--role', 'approver')
  const link = new URL((await bailiwick(dataDir, 'people', 'link', person)).url)
  const token = new URLSearchParams(link.hash.slice(1)).get('token')
  return (await post(`${url}/v1/session`, {}, { token })).cookie
}

/** What an agent, and the person who answers it, do about one call. */
async function act(url, key, cookie, { action, params, vote, fails }) {
  const authorization = { authorization: `Bearer ${key}` }
  const decide = async (request) => (await post(`${url}/v1/decisions`, authorization, request)).body
  let decision = await decide({ action, params })
  if (vote !== undefined) {
    await pause(2_000)
    const { id } = decision.approval
    const shown = await fetch(`${url}/v1/approvals/${id}`, { headers: { cookie } })
    const { digest } = await shown.json()
    await post(`${url}/v1/approvals/${id}/votes`, { cookie, origin: url }, { ...vote, digest })
    if (vote.vote === 'approve') decision = await decide({ action, params, approvalId: id })
  }
  if (decision.effect !== 'allow') return
  const outcome = fails === undefined ? { status: 'succeeded' } : { status: 'failed', detail: fails }
  await post(`${url}/v1/decisions/${decision.id}/outcome`, authorization, outcome)
}

/** Takes one picture and returns how large it became. */
async function photograph(browser, url, cookie, { file, page: address, width, height, colorScheme }) {
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: 1,
    colorScheme,
    locale: 'en-GB',
    timezoneId: 'Europe/Amsterdam',
    reducedMotion: 'reduce',
  })
  const [name, value] = cookie.split('=')
  await context.addCookies([{ name, value, url, httpOnly: true, sameSite: 'Strict' }])
  const page = await context.newPage()
  await page.goto(url + address)
  await page.getByText('Live', { exact: true }).waitFor()
  await page.locator('[data-row]').first().waitFor()
  const target = path.join(folder, file)
  await page.screenshot({ path: target })
  await context.close()
  const { size } = await stat(target)
  if (size > bytesMax) throw new Error(`${target} has ${size} bytes, more than ${bytesMax}`)
  console.log(`${path.relative(process.cwd(), target)}  ${Math.ceil(size / 1000)} kB`)
}

async function takePictures(service, dataDir) {
  const { key } = await bailiwick(dataDir, 'keys', 'create', '--agent', agent)
  const cookie = await signIn(service.url, dataDir)
  for (const [index, call] of calls.entries()) {
    await act(service.url, key, cookie, call)
    await pause(700 + (index % 4) * 600)
  }
  const browser = await chromium.launch({
    executablePath: process.env.BAILIWICK_CHROMIUM || '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
    ],
  })
  try {
    for (const picture of pictures) await photograph(browser, service.url, cookie, picture)
  } finally {
    await browser.close()
  }
}

await mkdir(folder, { recursive: true })
const dataDir = await mkdtemp(path.join(tmpdir(), 'bailiwick-screenshots-'))
try {
  const service = await startService(dataDir)
  try {
    await takePictures(service, dataDir)
  } finally {
    await service.stop()
  }
} finally {
  await rm(dataDir, { recursive: true, force: true })
}
