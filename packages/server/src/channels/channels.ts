import { causesNoNotice, Fault, type Instant, type OutboxMessage, type Voter } from '@bailiwick/core'
import {
  ChannelStore,
  confirmSlackAccount,
  createNoticeFeed,
  createOutbox,
  enqueueMessages,
  type Access,
  type Ledger,
} from '@bailiwick/store'
import type { Sender } from '../delivery/deliver.ts'
import { createWorker, type OutboxWorker } from '../delivery/worker.ts'
import type { ChannelAnswers } from '../http/channels.ts'
import type { Masking } from '../http/masking.ts'
import { personAsking } from '../identity/person-asking.ts'
import { approvalMessages, channelTargets } from './approval-events.ts'
import type { ShownApproval } from './approval-words.ts'
import { mailSender, mayAnswer } from './mail-channel.ts'
import type { ChannelSettings } from './settings.ts'
import { createSlackApi } from './slack-api.ts'
import { slackTeam } from './slack-origin.ts'
import { slackSender } from './slack-channel.ts'
import { callbackSender, webhookSender } from './webhook-channel.ts'

/** What the channels are built on. */
export interface ChannelParts {
  readonly ledger: Ledger
  readonly access: Access
  readonly masking: Masking
  readonly settings: ChannelSettings
  /** The address under which people reach the service, without a slash at the end. */
  readonly url: string
  readonly log: (line: string) => void
}

/** What asks people over channels, and what takes their answers. */
export interface Channels {
  readonly worker: OutboxWorker
  readonly answers: ChannelAnswers
}

/** The channels that the settings name. Nothing happens until the worker is started. */
export function createChannels(parts: ChannelParts): Channels {
  const { ledger, settings, log } = parts
  const { pool, name } = ledger
  const senders = sendersOf(parts)
  const feed = createNoticeFeed({ pool, ledger: name, name: 'approvals' })
  const names = {
    slack: settings.slack !== undefined,
    mail: settings.mail !== undefined,
    webhook: settings.webhook !== undefined,
    callbacks: settings.callbacks !== undefined,
  }
  const worker = createWorker(
    senders,
    { outbox: createOutbox({ pool, ledger: name }), clock: ledger, random: Math.random, log },
    async (limit) => {
      // Who hears of approvals from now on hears no old ones.
      if (senders.size === 0) {
        await feed.skip()
        return 0
      }
      return await feed.advance((record) => approvalMessages(record, names), limit, causesNoNotice)
    },
  )
  return { worker, answers: answersOf(parts) }
}

function sendersOf({ ledger, access, masking, settings, url }: ChannelParts): ReadonlyMap<string, Sender> {
  const store = new ChannelStore(ledger.pool, ledger.name)
  const now = () => ledger.now()
  const approval = async (id: string) => await masking.forPeople(await ledger.approval(id, {}))
  const { slack, mail, webhook, callbacks } = settings
  const senders = new Map<string, Sender>()
  if (slack !== undefined) {
    const api = createSlackApi(slack)
    senders.set(channelTargets.slack, slackSender({ api, store, channel: slack.channel, approval, now }))
  }
  if (mail !== undefined) {
    const entitled = (id: string) => entitledPeople(ledger, access, id)
    const enqueue = (messages: readonly OutboxMessage[]) =>
      enqueueMessages(ledger.pool, ledger.name, messages)
    const askedOf = async (id: string, person: string) => {
      const voter = (await access.people()).find((each) => each.id === person)
      const asker = voter === undefined ? {} : await personAsking(voter, ledger, access)
      return await masking.forPeople(await ledger.approval(id, asker))
    }
    senders.set(
      channelTargets.mail,
      mailSender({ settings: mail, store, approval: askedOf, entitled, enqueue, url, now }),
    )
  }
  if (webhook !== undefined) senders.set(channelTargets.webhook, webhookSender(webhook, { approval, now }))
  if (callbacks !== undefined) {
    const callback = (id: string) => ledger.reads.callback(id)
    senders.set(channelTargets.callbacks, callbackSender(callbacks, { approval, now, callback }))
  }
  return senders
}

/** Who could answer an approval now, for themself or in the stead of others, and has not answered yet. */
async function entitledPeople(ledger: Ledger, access: Access, id: string): Promise<readonly string[]> {
  const people = await access.people()
  const given = await ledger.delegations.inForce()
  const principalsOf = (person: string) => {
    const delegators = new Set(given.flatMap(({ from, to }) => (to === person ? [from] : [])))
    return delegators.size === 0 ? [] : people.filter((each) => delegators.has(each.id))
  }
  const views = await ledger.reads.approvalsOf(
    people.map((voter) => ({ id, asker: { voter, principals: principalsOf(voter.id) } })),
  )
  return people.flatMap((person, at) => {
    const view = views[at]
    return view === undefined || view instanceof Fault || !mayAnswer(view) ? [] : [person.id]
  })
}

function answersOf({ ledger, access, masking, settings, url, log }: ChannelParts): ChannelAnswers {
  const store = new ChannelStore(ledger.pool, ledger.name)
  const both = {
    store,
    person: async (id: string): Promise<Voter | undefined> =>
      (await access.people()).find((person) => person.id === id),
    approval: async (id: string, voter: Voter): Promise<ShownApproval> =>
      await masking.forPeople(await ledger.approval(id, { voter })),
    now: (): Instant => ledger.now(),
  }
  const { slack, mail } = settings
  const api = slack && createSlackApi(slack)
  return {
    slack: slack &&
      api && {
        ...both,
        settings: slack,
        api,
        team: slackTeam(slack, api),
        log,
        url,
        vote: (voter, id, request) => ledger.vote(voter, id, { ...request, channel: 'slack' }),
        session: async (token) => {
          const known = await access.sessions.known(token)
          return known?.isPartial === false ? known : undefined
        },
        confirm: (account, who) => confirmSlackAccount(ledger, account, who),
      },
    mail: mail && {
      ...both,
      votes: mail.votes,
      signedIn: (session) => access.personOf(session),
      vote: (voter, id, request) => ledger.vote(voter, id, { ...request, channel: 'email' }),
    },
  }
}
