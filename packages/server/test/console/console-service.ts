import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  BailiwickClient,
  type DecisionAnswer,
  type DecisionRequest,
  type JsonObject,
  type VoteChoice,
} from '@bailiwick/core'
import { Access, Ledger, openDatabase, stopIfUnused, type PolicySet } from '@bailiwick/store'
import { makeDataDir } from '../../../store/test/harness/cluster-copy.ts'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { policiesOf } from '../../../store/test/harness/ledger.ts'
import { startService } from '../../src/service.ts'
import { cli } from '../cli/run-cli.ts'

/** The agents of the test policies; they differ only in what an approval of theirs takes. */
const agents = {
  support: 'approvers: ["role:approver"], deadline: 5m',
  hurried: 'approvers: ["role:approver"], deadline: 2s',
  careful: 'approvers: ["role:approver"], quorum: 2, deadline: 5m',
  finance: 'approvers: ["role:cfo"], deadline: 5m',
  sealed: 'approvers: ["role:approver"], signed: true, deadline: 5m',
  routine:
    'approvers: ["role:approver"], deadline: 5m, standing: {uses: 3, lasts: 8h, may_differ: {order: any, amount: up_to}}',
  notarised: 'approvers: ["role:approver"], signed: true, deadline: 5m, standing: {uses: 3, lasts: 8h}',
  patient:
    'approvers: ["role:approver"], deadline: 8h, escalate_to: [{after: 2h, approvers: ["role:cfo"]}], hours: {zone: Europe/Berlin, days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:00"}',
  fragile: 'approvers: ["role:cfo"], deadline: 5m, break_glass: {approvers: ["role:approver"]}',
} as const

/** Agents with policies of their own: one that says a lot about its calls, and one in shadow mode. */
const policyTexts = {
  guarded: `agent_id: guarded
allowed_actions: [issue_refund, read_page, send_mail, export]
facts:
  refund_amount: {type: number, from: params.amount, for: [issue_refund]}
  customer_is_vip: {type: bool, from: context.customer.is_vip}
  iban: {type: string, from: params.iban, for: [issue_refund]}
actions:
  issue_refund: {sensitive: [params.iban], when: "refund_amount < 10000"}
  read_page: {labels: [untrusted]}
  export: {obligations: [{redact: result.card_number}, {notify: finance}]}
rules:
  - {id: foreign, on: issue_refund, condition: "!iban.startsWith('DE') && refund_amount > 50", effect: deny, link: "https://wiki.example.com/foreign"}
escalation_rules:
  - {id: large, on: issue_refund, condition: "refund_amount > 500", action: human_approval_required}
  - {id: vip, on: issue_refund, condition: "customer_is_vip", action: human_approval_required}
budgets:
  - {id: daily, on: issue_refund, sum: refund_amount, per: params.purse, window: 24h, max: 2000, effect: deny}
flows:
  - {id: no-exfiltration, after: {label: untrusted}, on: send_mail, effect: deny}
`,
  payer: `agent_id: payer
allowed_actions: [pay]
facts:
  amount: {type: number, from: params.amount, for: [pay], unit: EUR}
actions:
  pay: {sensitive: [params.iban, params.payee.name]}
rules:
  # Above this, somebody looks at the account.
  - {id: large, on: pay, condition: "amount > 500", effect: escalate, action: human_approval_required, reason: Payments above 500 need a person, link: "https://wiki.example.com/payments"}
`,
  reviewed: `agent_id: reviewed
allowed_actions: [publish]
escalation_rules:
  - {condition: "params.audience > 1000", action: human_review_before_action}
`,
  pilot: `agent_id: pilot
mode: shadow
allowed_actions: [issue_refund]
rules:
  - {id: too-much, on: issue_refund, condition: "params.amount > 100", effect: deny, reason: Refunds above 100 are not for agents}
  - {id: huge, on: issue_refund, condition: "params.amount > 5000", effect: escalate, action: human_approval_required}
`,
} as const

type AgentName = keyof typeof agents | keyof typeof policyTexts

/** A call that waits for a person. */
export interface Refund {
  readonly callId: string
  readonly decision: string
  /** The approval's id. */
  readonly id: string
}

/** A session as a browser keeps it. */
export interface Session {
  readonly name: string
  readonly value: string
}

/** The real service with the built console, on data of its own. */
export interface ConsoleService {
  readonly url: string
  /** The link that the service prints when it starts for the first time. */
  readonly firstLink: string
  /** The agent's own client. */
  clientOf(agent: AgentName): BailiwickClient
  /** The answer to a call of the agent, as the API takes it. */
  decide(agent: AgentName, request: DecisionRequest): Promise<DecisionAnswer>
  /** Has several calls decided with one request. */
  decideAll(agent: AgentName, calls: readonly DecisionRequest[]): Promise<void>
  /** A refund that the agent has asked for; `govern` with its call id then waits for the approval it opened. */
  refund(agent: AgentName, params: JsonObject): Promise<Refund>
  /** A refund that the agent asked for under an earlier policy than that of the service. */
  refundUnderEarlierPolicy(agent: keyof typeof agents, params: JsonObject): Promise<Refund>
  /** What the command line says of the log, beside the running service. */
  verify(): Promise<unknown>
  /** A fresh one-time link for an approver, or somebody with these roles, who is added where unknown. */
  linkFor(email: string, ...roles: readonly string[]): Promise<string>
  /** Lets another person vote in the stead of whoever is signed in, for a day. */
  delegate(session: Session, to: string): Promise<void>
  /** Votes without a browser. */
  vote(session: Session, approval: string, choice: VoteChoice): Promise<void>
  /** The votes that the approval has, as whoever is signed in sees them. */
  votesOn(session: Session, approval: string): Promise<readonly string[]>
  /** The hash of the policy that binds the agent. */
  policyOf(session: Session, agent: AgentName): Promise<string>
  /** Signs somebody in without a browser: an approver, unless other roles are given. */
  sessionOf(email: string, ...roles: readonly string[]): Promise<Session>
  /** Ends a session, without the page that is signed in with it. */
  signOut(session: Session): Promise<void>
  /** The status with which the service answers whoever brings this session. */
  statusFor(session: Session): Promise<number>
  stop(): Promise<void>
}

/**
 * Starts the service.
 *
 * @throws where the console has not been built
 */
export async function startConsoleService(env: NodeJS.ProcessEnv = {}): Promise<ConsoleService> {
  if (!existsSync(fileURLToPath(new URL('../../console/index.html', import.meta.url)))) {
    throw new Error('the console has not been built: run `npm run build` first')
  }
  const dir = await makeTestDir()
  const dataDir = path.join(dir, 'data')
  await makeDataDir(dataDir)
  const service = await startService({
    policies: await writePolicies(dir),
    dataDir,
    port: 0,
    host: '127.0.0.1',
    env,
    log: (line) => console.error(`service: ${line}`),
  })
  // Browsers bind passkeys to names, and to no address.
  const named = (address: string) => address.replace('//127.0.0.1:', '//localhost:')
  const url = named(service.url)
  const signInUrl = named(service.signInUrl ?? '')
  const { access, close } = await openBeside(dataDir, url)
  const linkFor = async (email: string, ...roles: readonly string[]): Promise<string> => {
    await access.setPerson(email, roles.length === 0 ? ['approver'] : roles, { by: 'operator' })
    return `${url}/sign-in#token=${await access.createSignInToken(email, { by: 'operator' })}`
  }
  const keys = new Map<string, string>()
  for (const agent of [...Object.keys(agents), ...Object.keys(policyTexts)]) {
    keys.set(agent, (await access.createKey(agent)).key)
  }
  const keyOf = (agent: AgentName): string => keys.get(agent) ?? ''

  return {
    url,
    firstLink: signInUrl,
    verify: async () => (await cli(['log', 'verify', '--json', '--data', dataDir], {})).json,
    clientOf: (agent) => new BailiwickClient({ url, key: keyOf(agent) }),
    decide: (agent, request) => decide(url, keyOf(agent), request),
    decideAll: async (agent, calls) => {
      const response = await fetch(`${url}/v1/decisions/batch`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${keyOf(agent)}` },
        body: JSON.stringify({ calls }),
      })
      if (!response.ok) throw new Error(`the calls were answered with ${response.status}`)
      await response.body?.cancel()
    },
    refund: (agent, params) => refund(url, keyOf(agent), params),
    refundUnderEarlierPolicy: async (agent, params) => {
      const earlier = policiesOf(`version: 0\n${policyText(agent, agents[agent])}`)
      const beside = await openBeside(dataDir, url, earlier)
      const callId = randomUUID()
      const { id, approval } = await beside.ledger.decide(agent, { action: 'issue_refund', params, callId })
      await beside.close()
      return { callId, decision: id, id: approval?.id ?? '' }
    },
    delegate: (session, to) => delegate(url, session, to),
    vote: (session, approval, choice) => vote(url, session, approval, choice),
    linkFor,
    votesOn: async (session, approval) => {
      const { votes } = await approvalOf(url, session, approval)
      return votes.map((each) => each.vote)
    },
    policyOf: async ({ name, value }, agent) => {
      const response = await fetch(`${url}/v1/agents`, { headers: { cookie: `${name}=${value}` } })
      const { agents: known } = (await response.json()) as {
        agents: readonly { agent: string; policy: { sha256: string } | null }[]
      }
      return known.find((each) => each.agent === agent)?.policy?.sha256 ?? ''
    },
    sessionOf: async (email, ...roles) => signIn(url, await linkFor(email, ...roles)),
    signOut: async ({ name, value }) => {
      const headers = { cookie: `${name}=${value}`, origin: url }
      const response = await fetch(`${url}/v1/session`, { method: 'DELETE', headers })
      if (!response.ok) throw new Error(`signing out was answered with ${response.status}`)
    },
    statusFor: async ({ name, value }) => {
      const response = await fetch(`${url}/v1/session`, { headers: { cookie: `${name}=${value}` } })
      return response.status
    },
    stop: async () => {
      await service.stop()
      await close()
      await removeTestDir(dir)
    },
  }
}

async function writePolicies(dir: string): Promise<string> {
  const policies = path.join(dir, 'policies')
  await mkdir(policies)
  for (const [agent, terms] of Object.entries(agents)) {
    await writeFile(path.join(policies, `${agent}.yaml`), policyText(agent, terms))
  }
  for (const [agent, text] of Object.entries(policyTexts)) {
    await writeFile(path.join(policies, `${agent}.yaml`), text)
  }
  return policies
}

function policyText(agent: string, terms: string): string {
  return `agent_id: ${agent}
allowed_actions: [issue_refund, apply_discount]
forbidden_actions: [delete_account]
escalation_rules:
  - {condition: "refund_amount > 500", action: human_approval_required}
facts:
  refund_amount: {type: number, from: params.amount, for: [issue_refund], unit: USD}
approvals:
  human_approval_required: {${terms}}
`
}

/** What an operator's command line does with people and keys beside the running service, without starting it each time. */
async function openBeside(
  dataDir: string,
  consoleUrl: string,
  policies: PolicySet = { for: () => undefined, all: [], warnings: [] },
): Promise<{ readonly access: Access; readonly ledger: Ledger; readonly close: () => Promise<void> }> {
  const database = await openDatabase({ dataDir })
  const ledger = await Ledger.open({ connection: database.connection, policies, dataDir, consoleUrl })
  return {
    access: new Access(ledger),
    ledger,
    close: async () => {
      await ledger.close()
      await stopIfUnused(database)
    },
  }
}

async function refund(url: string, key: string, params: JsonObject): Promise<Refund> {
  const callId = randomUUID()
  const { id, approval } = await decide(url, key, { action: 'issue_refund', params, callId })
  if (approval === undefined) throw new Error('the refund waits for nobody')
  return { callId, decision: id, id: approval.id }
}

async function decide(url: string, key: string, request: DecisionRequest): Promise<DecisionAnswer> {
  const response = await fetch(`${url}/v1/decisions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(request),
  })
  if (!response.ok) throw new Error(`the call was answered with ${response.status}`)
  return (await response.json()) as DecisionAnswer
}

async function vote(
  url: string,
  { name, value }: Session,
  approval: string,
  choice: VoteChoice,
): Promise<void> {
  const headers = { cookie: `${name}=${value}`, origin: url }
  const shown = await fetch(`${url}/v1/approvals/${approval}`, { headers })
  const { digest } = (await shown.json()) as { digest: string }
  const response = await fetch(`${url}/v1/approvals/${approval}/votes`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ vote: choice, digest }),
  })
  if (!response.ok) throw new Error(`voting was answered with ${response.status}`)
}

async function delegate(url: string, { name, value }: Session, to: string): Promise<void> {
  const ends = new Date(Date.now() + 86_400_000).toISOString()
  const response = await fetch(`${url}/v1/delegations`, {
    method: 'POST',
    headers: { cookie: `${name}=${value}`, origin: url, 'content-type': 'application/json' },
    body: JSON.stringify({ to, ends, reason: 'on leave' }),
  })
  if (!response.ok) throw new Error(`delegating was answered with ${response.status}`)
}

async function approvalOf(
  url: string,
  { name, value }: Session,
  approval: string,
): Promise<{ readonly digest?: string; readonly votes: readonly { readonly vote: string }[] }> {
  const response = await fetch(`${url}/v1/approvals/${approval}`, {
    headers: { cookie: `${name}=${value}` },
  })
  if (!response.ok) throw new Error(`the approval was answered with ${response.status}`)
  return (await response.json()) as Awaited<ReturnType<typeof approvalOf>>
}

async function signIn(url: string, link: string): Promise<Session> {
  const response = await fetch(`${url}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: new URLSearchParams(new URL(link).hash.slice(1)).get('token') }),
  })
  const [name = '', value = ''] = (response.headers.get('set-cookie') ?? '').split(';')[0]?.split('=') ?? []
  if (!response.ok || value === '') throw new Error(`signing in was answered with ${response.status}`)
  return { name, value }
}
