/**
 * The pictures of the console in the documentation:
 *
 *     npm run build && node scripts/screenshots.mjs [FOLDER] [PAGE…]
 *
 * Starts the built service on an empty data directory and a free port, sends it the calls of a believable day at work,
 * votes on some of them, and photographs every page as a person then sees it, or only each PAGE: on a phone of 390 pixels
 * and on a screen of 1440, in light and in dark, into FOLDER, `docs/screenshots` unless given, as
 * `PAGE-WIDTH-THEME.png`. Run by hand whenever the console has changed its looks; it takes a minute, because real calls
 * are seconds apart and the pictures show their times.
 *
 * The browser is the one that BAILIWICK_CHROMIUM names, else /usr/bin/chromium.
 */
import { execFile, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'

const root = fileURLToPath(new URL('..', import.meta.url))
const main = path.join(root, 'packages/server/bundle/main.js')
const examplePolicies = path.join(root, 'examples/customer-support/policies')
const folder = path.resolve(process.argv[2] ?? path.join(root, 'docs/screenshots'))
const onlyPages = process.argv.slice(3)
const agent = 'customer-support-agent-v2'
const payer = 'invoice-agent'
const person = 'dana@example.com'
/** Pictures are read over slow connections, and every version of them stays in the repository. */
const bytesMax = 200_000
/** A page of which less is to be seen was photographed while it moved. */
const bytesMin = 25_000

/** A second agent, whose calls hold something sensitive. */
const payerPolicy = `# Who pays invoices, and up to what amount by itself.
agent_id: ${payer}
version: 4
domain: accounts_payable
allowed_actions: [pay_invoice, read_invoice]
facts:
  amount: {type: number, from: params.amount, for: [pay_invoice], unit: EUR}
  payee_is_new: {type: bool, from: context.payee_is_new, default: true}
actions:
  pay_invoice: {sensitive: [params.iban]}
rules:
  # Fraud comes with new accounts: somebody compares them with the contract.
  - id: new-payee
    on: pay_invoice
    condition: "payee_is_new && amount > 250"
    effect: escalate
    action: human_approval_required
    reason: First payment to this account
    link: https://wiki.example.com/payments/new-accounts
  - {id: too-large, on: pay_invoice, condition: "amount > 50000", effect: deny, reason: Above what agents may pay}
approvals:
  human_approval_required:
    approvers: ["role:approver"]
    deadline: 15m
    standing: {uses: 10, lasts: 8h, may_differ: {invoice: any, due: any, lines: any, note: any, amount: up_to}}
    break_glass: {approvers: ["role:administrator"]}
`

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
  {
    action: 'issue_refund',
    params: { order_id: 'A-20468', amount: 1249.9, reason: 'charged twice for one order' },
  },
  { action: 'apply_discount', params: { order_id: 'A-20470', percent: 5, code: 'WELCOME5' } },
  {
    agent: payer,
    action: 'pay_invoice',
    params: {
      invoice: 'R-2026-0402',
      payee: 'Kestrel Print',
      iban: 'NL91ABNA0417164300',
      amount: 480,
      due: '2026-12-02',
      lines: ['Leaflets'],
    },
    context: { payee_is_new: true },
    vote: { vote: 'approve', comment: 'Known from the spring fair.' },
    grants: { uses: 6, hours: 3 },
  },
  {
    agent: payer,
    action: 'pay_invoice',
    params: {
      invoice: 'R-2026-0411',
      payee: 'Nordwind Logistik GmbH',
      iban: 'DE89370400440532013000',
      amount: 1180.5,
      due: '2026-12-04',
      lines: ['Freight November', 'Customs clearance'],
    },
    context: { payee_is_new: false },
  },
  {
    agent: payer,
    action: 'pay_invoice',
    params: {
      invoice: 'R-2026-0398',
      payee: 'Meyer',
      iban: 'DE02120300000000202051',
      amount: 61000,
      due: '2026-12-01',
    },
    context: { payee_is_new: false },
  },
  {
    agent: payer,
    name: 'waiting',
    action: 'pay_invoice',
    params: {
      invoice: 'R-2026-0437',
      payee: 'Nordwind Logistik GmbH',
      iban: 'LT601010012345678901',
      amount: 11805,
      due: '2026-11-28',
      lines: ['Freight November', 'Customs clearance'],
      note: 'Please note that our bank account has changed. The former account is closed and payments to it are returned. As the vessel is waiting for customs clearance in port and every day costs demurrage, we kindly ask you to pay this invoice today and to confirm the payment to this address, not by telephone, since our office is moving.',
    },
    context: { payee_is_new: true, mailbox: 'invoices@example.com' },
  },
]

/** From the inbox to the page that answers the refunds together, with the answer opened. */
async function selectRefunds(page) {
  for (const box of await page.getByRole('checkbox', { name: /issue_refund/ }).all()) await box.check()
  await page.getByRole('link', { name: 'Review together' }).click()
  await page.locator('.together').waitFor()
  await page.keyboard.press('a')
  await page.locator('.confirmation').waitFor()
}

/** Says how many more, and until when. */
async function grantMore(page) {
  await page.getByRole('checkbox', { name: 'Also let more' }).check()
  await page.getByLabel(/^How many/).fill('5')
  await page.getByLabel('Until').selectOption({ index: 2 })
  // Opening the fields moves the page, and on a phone they may be left below its edge.
  await page.locator('.more-like-it').evaluate((fields) => fields.scrollIntoView({ block: 'center' }))
}

async function openGlass(page) {
  await page.locator('.glass-button').click()
  await page.getByRole('dialog').waitFor()
}

/** The pages, each with what shows that it has arrived. */
const pages = (ids) => [
  { name: 'inbox', address: '/', shows: '[data-row]' },
  { name: 'approval', address: `/approvals/${ids.waiting}`, shows: '.difference' },
  { name: 'answer', address: `/approvals/${ids.waiting}?answer=yes`, shows: '.confirmation' },
  { name: 'together', address: '/', shows: '[data-row]', before: selectRefunds },
  {
    name: 'more-like-it',
    address: `/approvals/${ids.waiting}?answer=yes`,
    shows: '.confirmation',
    before: grantMore,
  },
  { name: 'break-glass', address: `/approvals/${ids.waiting}`, shows: '.glass-button', before: openGlass },
  { name: 'grants', address: '/grants', shows: '.list-row' },
  { name: 'delegations', address: '/delegations', shows: '.list-row' },
  { name: 'decisions', address: '/decisions', shows: '[data-row]' },
  { name: 'decision', address: `/decisions/${ids.decision}`, shows: '.proof' },
  { name: 'agents', address: '/agents', shows: '.effect-bar' },
  { name: 'policies', address: '/policies', shows: '.policy-card' },
  { name: 'policy', address: `/policies/${ids.policy}`, shows: '.source' },
  { name: 'people', address: '/people', shows: '.list-row' },
  { name: 'account', address: '/account', shows: '.list-row' },
  { name: 'sign-in', address: '/sign-in', shows: 'h1', signedOut: true },
]

const views = ['light', 'dark'].flatMap((colorScheme) => [
  { width: 390, height: 844, colorScheme },
  { width: 1440, height: 900, colorScheme },
])

/** Runs one command of the CLI on the data directory and returns what it printed as JSON. */
async function bailiwick(dataDir, ...args) {
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args, '--json', '--data', dataDir])
  return JSON.parse(stdout)
}

/** Starts the service; `stop` resolves when it has ended. */
async function startService(dataDir, policies) {
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

/** What a signed-in person is answered. */
async function get(url, cookie) {
  const response = await fetch(url, { headers: { cookie } })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return await response.json()
}

/** A session of the person, as the value of the cookie header. */
async function signIn(url, dataDir) {
  await bailiwick(dataDir, 'people', 'add', person, '--role', 'approver', '--role', 'administrator')
  await bailiwick(dataDir, 'people', 'add', 'ravi@example.com', '--role', 'approver')
  await bailiwick(dataDir, 'people', 'add', 'olga@example.com', '--role', 'operator', '--role', 'auditor')
  const link = new URL((await bailiwick(dataDir, 'people', 'link', person)).url)
  const token = new URLSearchParams(link.hash.slice(1)).get('token')
  return (await post(`${url}/v1/session`, {}, { token })).cookie
}

/** What an agent, and the person who answers it, do about one call. */
async function act(url, key, cookie, { action, params, context, vote, grants, fails }) {
  const authorization = { authorization: `Bearer ${key}` }
  const decide = async (request) => (await post(`${url}/v1/decisions`, authorization, request)).body
  let decision = await decide({ action, params, context })
  if (vote !== undefined) {
    await pause(2_000)
    const { id } = decision.approval
    const { digest } = await get(`${url}/v1/approvals/${id}`, cookie)
    const until = grants && new Date(Date.now() + grants.hours * 3_600_000).toISOString()
    const standing = grants && { uses: grants.uses, until }
    await post(`${url}/v1/approvals/${id}/votes`, { cookie, origin: url }, { ...vote, digest, standing })
    if (vote.vote === 'approve') decision = await decide({ action, params, context, approvalId: id })
  }
  if (decision.effect !== 'allow') return decision
  const outcome = fails === undefined ? { status: 'succeeded' } : { status: 'failed', detail: fails }
  await post(`${url}/v1/decisions/${decision.id}/outcome`, authorization, outcome)
  return decision
}

/** Takes the pictures of one kind of screen. */
async function photograph(browser, url, cookie, ids, { width, height, colorScheme }) {
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: 1,
    colorScheme,
    locale: 'en-GB',
    timezoneId: 'Europe/Amsterdam',
    reducedMotion: 'reduce',
    ...(width < 600 ? { isMobile: true, hasTouch: true } : {}),
  })
  const [name, value] = cookie.split('=')
  for (const each of pages(ids).filter(
    ({ name: page }) => onlyPages.length === 0 || onlyPages.includes(page),
  )) {
    await context.clearCookies()
    if (!each.signedOut) await context.addCookies([{ name, value, url, httpOnly: true, sameSite: 'Strict' }])
    const page = await context.newPage()
    await page.goto(url + each.address)
    if (!each.signedOut) await page.getByText('Live', { exact: true }).waitFor()
    await page.locator(each.shows).first().waitFor()
    await each.before?.(page)
    const target = path.join(folder, `${each.name}-${width}-${colorScheme}.png`)
    const size = await picture(page, target)
    await page.close()
    if (size > bytesMax) throw new Error(`${target} has ${size} bytes, more than ${bytesMax}`)
    console.log(`${path.relative(process.cwd(), target)}  ${Math.ceil(size / 1000)} kB`)
  }
  await context.close()
}

/** Photographs a page once it rests. Returns how large the picture is. */
async function picture(page, target) {
  for (let attempt = 0; attempt < 5; attempt++) {
    await page.evaluate(() => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next))))
    await page.screenshot({ path: target })
    const { size } = await stat(target)
    if (size >= bytesMin) return size
  }
  throw new Error(`${target} shows next to nothing`)
}

async function takePictures({ url }, dataDir) {
  const keys = new Map()
  for (const each of [agent, payer]) {
    keys.set(each, (await bailiwick(dataDir, 'keys', 'create', '--agent', each)).key)
  }
  const cookie = await signIn(url, dataDir)
  const ids = {}
  for (const [index, call] of calls.entries()) {
    const decision = await act(url, keys.get(call.agent ?? agent), cookie, call)
    if (call.name !== undefined)
      Object.assign(ids, {
        [call.name]: decision.approval.id,
        decision: decision.id,
        policy: decision.policy.sha256,
      })
    await pause(500 + (index % 4) * 400)
  }
  const day = 86_400_000
  const leave = { reason: 'On leave', ends: new Date(Date.now() + 9 * day).toISOString() }
  const headers = { cookie, origin: url }
  await post(`${url}/v1/delegations`, headers, { ...leave, from: 'olga@example.com', to: person })
  const starts = new Date(Date.now() + 5 * day).toISOString()
  await post(`${url}/v1/delegations`, headers, { ...leave, starts, to: 'ravi@example.com' })
  const reason = 'Sends coupons to customers who did not ask'
  await bailiwick(dataDir, 'agents', 'suspend', 'coupon-agent', '--reason', reason).catch(() => undefined)
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
    for (const view of views) await photograph(browser, url, cookie, ids, view)
  } finally {
    await browser.close()
  }
}

await mkdir(folder, { recursive: true })
const dataDir = await mkdtemp(path.join(tmpdir(), 'bailiwick-screenshots-'))
try {
  const policies = path.join(dataDir, 'policies')
  await cp(examplePolicies, policies, { recursive: true })
  await writeFile(path.join(policies, 'invoice-agent.yaml'), payerPolicy)
  const service = await startService(path.join(dataDir, 'data'), policies)
  try {
    await takePictures(service, path.join(dataDir, 'data'))
  } finally {
    await service.stop()
  }
} finally {
  await rm(dataDir, { recursive: true, force: true })
}
