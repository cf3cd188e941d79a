import { Fault, type PersonId } from '@bailiwick/core'
import { ChannelStore } from './channel-store.ts'
import { personId } from './identity/secrets.ts'
import type { Ledger } from './ledger.ts'

/** What Slack calls an account: `U…`, or `W…` in an Enterprise Grid. */
const slackAccount = /^[UW][A-Z0-9]{2,29}$/

/**
 * Says, and records, that a Slack account stands for a person from now on: whoever uses it answers in the person's name.
 * A crash in between leaves a record of a link that does not hold.
 *
 * @throws Fault `bad_input` for what is no id of a Slack account, `not_found` where nobody has that address
 */
export async function linkSlackAccount(
  ledger: Ledger,
  account: string,
  email: string,
): Promise<{ readonly person: PersonId; readonly account: string }> {
  if (!slackAccount.test(account)) {
    throw new Fault('bad_input', `\`${account}\` is no id of a Slack account`, {
      fix: 'In Slack, open the person’s profile and choose “Copy member ID”; it looks like U0123456789.',
    })
  }
  const person = personId(email)
  const known = await ledger.pool.query('select 1 from person where id = $1', [person])
  if (known.rowCount === 0) {
    throw new Fault('not_found', `no person \`${person}\``, {
      fix: 'Add the person with `bailiwick people add`.',
    })
  }
  const grants = [`slack:${account}`]
  await ledger.note({ kind: 'access', event: 'account_linked', subject: person, grants })
  await new ChannelStore(ledger.pool, ledger.name).setPersonOf('slack', account, person)
  return { person, account }
}

/** Who confirms an account: the person, and the session in which they do. */
export interface ConfirmingPerson {
  readonly id: PersonId
  /** How often all of the person's sessions had been ended when the session began. */
  readonly epoch: number
  /** Its id, where there is one. */
  readonly session?: string | undefined
}

/**
 * Says that a Slack account is the person's own, as the person does in a signed-in session, and records it with the
 * confirmation, both or neither. The caller knows that it stands for the person; from here on its answers count.
 *
 * @throws Fault `not_authenticated` where the session, or all of the person's, have been ended since, `not_found` for who is not known any more
 */
export async function confirmSlackAccount(
  ledger: Ledger,
  account: string,
  { id: person, epoch, session }: ConfirmingPerson,
): Promise<void> {
  await ledger.changeAccess(
    { kind: 'access', event: 'account_confirmed', subject: person, grants: [`slack:${account}`] },
    { accountsConfirmed: [{ channel: 'slack', account, person }] },
    { person, epoch },
    session,
  )
}

/**
 * Says, and records, that a Slack account stands for nobody any more. A crash in between leaves one that does not, without
 * a record.
 *
 * @throws Fault `not_found` where it stood for nobody
 */
export async function unlinkSlackAccount(
  ledger: Ledger,
  account: string,
): Promise<{ readonly person: string }> {
  const store = new ChannelStore(ledger.pool, ledger.name)
  const person = await store.personOf('slack', account)
  if (person === undefined) {
    throw new Fault('not_found', `the Slack account \`${account}\` stands for nobody`, {
      fix: 'See BAILIWICK_SLACK_PEOPLE, too: what stands there is changed there.',
    })
  }
  await store.forgetAccount('slack', account)
  const grants = [`slack:${account}`]
  await ledger.note({ kind: 'access', event: 'account_unlinked', subject: person, grants })
  return { person }
}
