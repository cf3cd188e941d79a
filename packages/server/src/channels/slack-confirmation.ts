import { Fault } from '@bailiwick/core'
import type { ChannelStore, ConfirmingPerson, KnownSession } from '@bailiwick/store'
import { mailFormPage, mailNotePage } from './mail-page.ts'
import type { SlackSettings } from './settings.ts'

/** What confirming a Slack account needs. */
export interface SlackConfirmationParts {
  readonly settings: Pick<SlackSettings, 'people'>
  readonly store: Pick<ChannelStore, 'personOf'>
  /** A session that goes on and is short of nothing. */
  readonly session: (token: string) => Promise<KnownSession | undefined>
  /** Records it. @throws Fault where the session has ended meanwhile */
  readonly confirm: (account: string, who: ConfirmingPerson) => Promise<void>
}

/** The person whom the operator has given a Slack account to; undefined where nobody. What the environment says goes first. */
export async function personOfSlackAccount(
  { settings, store }: Pick<SlackConfirmationParts, 'settings' | 'store'>,
  account: string,
): Promise<string | undefined> {
  return settings.people.get(account) ?? (await store.personOf('slack', account))
}

/** Where a person confirms a Slack account. @param url of the service, without a slash at the end */
export function confirmationLink(url: string, account: string): string {
  return `${url}/v1/channels/slack/accounts/${encodeURIComponent(account)}`
}

/** The page that asks. It says of nobody whose account it is, and looking changes nothing. */
export function slackConfirmationPage(account: string): string {
  return mailFormPage({
    title: 'Is this Slack account yours?',
    text: `The Slack account ${account} has answered a request. Confirm it only if you pressed that button yourself: from then on, whoever uses the account answers in your name. You have to be signed in to the console in this browser.`,
    label: `Yes, ${account} is mine`,
  })
}

/**
 * Confirms an account for who is signed in, where the operator has given it to that person.
 *
 * @param token of the session, where the browser sent one
 * @throws Fault `not_authenticated`, or `not_permitted` where the account is somebody else's or nobody's
 */
export async function confirmAccount(
  parts: SlackConfirmationParts,
  account: string,
  token: string | undefined,
): Promise<string> {
  const session = token === undefined ? undefined : await parts.session(token)
  if (session === undefined) {
    throw new Fault('not_authenticated', 'nobody is signed in in this browser', {
      fix: 'Sign in to the console in this browser, then open the link in Slack again.',
    })
  }
  const { id } = session.voter
  if ((await personOfSlackAccount(parts, account)) !== id) {
    throw new Fault('not_permitted', `the Slack account \`${account}\` was not given to ${id}`, {
      fix: `If it is yours, ask the operator to run \`bailiwick people slack ${id} ${account}\`.`,
    })
  }
  await parts.confirm(account, { id, epoch: session.epoch, session: session.id })
  return mailNotePage(
    'Confirmed',
    `From now on, ${account} answers as ${id}. Press the button in Slack again.`,
  )
}
