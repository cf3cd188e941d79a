import { indexOfId, openCheckpoint, tileWidth, type Instant } from '@bailiwick/core'
import { ChannelStore } from '@bailiwick/store'
import { describedRoutes, type DescribedRoute } from './contract.ts'
import { base, type Caller, type HttpService } from './http-service.ts'

/** What a service is told of channels that are set up, and of which nobody is on the other side. */
export const unansweredChannels = {
  BAILIWICK_SMTP_URL: 'smtp://127.0.0.1:9',
  BAILIWICK_MAIL_FROM: 'bailiwick@example.com',
  BAILIWICK_SLACK_BOT_TOKEN: 'xoxb-token',
  BAILIWICK_SLACK_SIGNING_SECRET: 'a signing secret',
  BAILIWICK_SLACK_CHANNEL: 'C0123',
  BAILIWICK_SLACK_TEAM: 'T0123',
  BAILIWICK_SLACK_API_URL: 'http://127.0.0.1:9/api',
  BAILIWICK_ALLOW_PRIVATE_WEBHOOKS: '1',
}

/** What is there to look at. */
export interface Sights {
  readonly agent: string
  readonly decision: string
  /** One that waits. */
  readonly approval: string
}

/** A request that an endpoint answers with something to see. */
export interface Sighting {
  readonly route: DescribedRoute
  readonly path: string
}

/** A GET to every described endpoint, each with an address that names what is there. */
export async function everyGet(service: HttpService, sights: Sights, person: string): Promise<Sighting[]> {
  const { text } = await service.anyone.get('/log/checkpoint')
  const { size } = openCheckpoint(text, [service.ledger.checkpoints.verifierKey])
  const token = await mailToken(service, sights.approval, person)
  const [policy] = service.ledger.policies.all
  const names: Readonly<Record<string, string>> = {
    '/v1/approvals/{id}': `/v1/approvals/${sights.approval}`,
    '{id}': sights.decision,
    '{call}': 'none',
    '{agent}': sights.agent,
    '{policy}': policy?.ref.sha256 ?? '',
    '{account}': 'U0123',
    '{token}': token,
    '{level}': '0',
    '{path}': lastTile(size),
    '/v1/log/consistency': '/v1/log/consistency?from=1',
  }
  return describedRoutes
    .filter(({ method }) => method === 'get')
    .map((route) => {
      const path = Object.entries(names).reduce(
        (filled, [name, value]) => filled.replace(name, value),
        route.path,
      )
      if (path.includes('{')) throw new Error(`nothing is known to stand in ${path}: say it here`)
      return { route, path }
    })
}

// The tile with the newest records of a log of this size.
function lastTile(size: number): string {
  const index = Math.floor((size - 1) / tileWidth)
  const width = size - index * tileWidth
  const place = String(index).padStart(3, '0')
  return width === tileWidth ? place : `${place}.p/${width}`
}

async function mailToken(service: HttpService, approval: string, person: string): Promise<string> {
  const { digest } = await service.ledger.approval(approval, {})
  return await new ChannelStore(service.ledger.pool, service.ledger.name).makeMailLink({
    approval: indexOfId('apr', approval) ?? 0,
    digest,
    person,
    expiresAt: (service.ledger.now() + 60_000) as Instant,
  })
}

/** Listens to the stream of events until an approval was told of that is opened meanwhile; all that was heard. */
export async function hearOfApproval(
  service: HttpService,
  caller: Caller,
  openApproval: () => Promise<unknown>,
): Promise<string> {
  let opened: Promise<unknown> | undefined
  const heard = await listen(service, caller, '/v1/events', (text) => {
    // What was open before somebody looked is not told of.
    if (text.includes('event: log')) opened ??= openApproval()
    return text.includes('event: approval')
  })
  await opened
  return heard
}

/** Listens to a stream of events until `has` says that enough was heard; hangs up, and returns all of it. */
export async function listen(
  service: HttpService,
  caller: Caller,
  path: string,
  has: (heard: string) => boolean,
): Promise<string> {
  const controller = new AbortController()
  const headers = { host: new URL(base).host, cookie: `bailiwick_session=${caller.secret}` }
  const { body } = await service.app.request(new Request(base + path, { headers, signal: controller.signal }))
  const reader = body?.getReader()
  const decoder = new TextDecoder()
  let heard = ''
  while (!has(heard)) {
    const { value, done } = (await reader?.read()) ?? { done: true }
    if (done) break
    heard += decoder.decode(value, { stream: true })
  }
  await reader?.cancel()
  controller.abort()
  return heard
}
