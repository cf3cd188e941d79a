import { allowsDeed, Fault, onOneLine, personIdOf } from '@bailiwick/core'
import { Access, lastPolicies, linkSlackAccount, unlinkSlackAccount } from '@bailiwick/store'
import type { Command } from 'commander'
import { fine, type ExitCode } from './exit-codes.ts'
import { withAccess, withExistingLedger, withLedger } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import { KnownRoles } from '../roles.ts'
import type { Act } from './act.ts'
import { serviceUrl, withStoreOptions, type StoreOptions } from './settings.ts'

interface PeopleOptions extends StoreOptions {
  readonly json?: true
}

/** Adds `bailiwick people`. */
export function addPeople(program: Command, act: Act): void {
  const people = program.command('people').description('People who may sign in, with their roles.')
  withStoreOptions(people.command('add'))
    .description('Adds a person, or replaces the roles of one.')
    .argument('<email>')
    .option(
      '--role <name>',
      'a role, such as approver, or a group, such as group:finance; at least one, and can be given again',
      appended,
      [],
    )
    .option('--json', 'print {id, roles}')
    .action(act(add))
  withStoreOptions(people.command('list'))
    .description('Lists people.')
    .option('--json', 'print {people: [{id, roles}]}')
    .action(act(list))
  withStoreOptions(people.command('remove'))
    .description('Removes a person and ends all sessions. What the person did stays in the log.')
    .argument('<email>')
    .option('--json', 'print {id, removed, withdrawn}')
    .action(act(remove))
  withStoreOptions(people.command('sign-out'))
    .description('Ends all sessions of a person, and every sign-in link.')
    .argument('<email>')
    .option('--json', 'print {id, signedOut}')
    .action(act(signOut))
  withStoreOptions(people.command('reset'))
    .description(
      'Removes password, authenticator app, recovery codes and passkeys of a person, and ends all sessions.',
    )
    .argument('<email>')
    .option('--json', 'print {id, reset}')
    .action(act(reset))
  withStoreOptions(people.command('link'))
    .description('Makes a link that signs a person in, once, within a day.')
    .argument('<email>')
    .option('--json', 'print {id, url}')
    .addHelpText('after', '\nThe link starts with BAILIWICK_URL, or http://localhost and BAILIWICK_PORT.')
    .action(act(link))
  withStoreOptions(people.command('slack'))
    .description('Says whose a Slack account is: whoever uses it answers in that person’s name.')
    .argument('<email>')
    .argument('<account>', 'the member ID, such as U0123456789')
    .option('--json', 'print {id, account, linked}')
    .action(act(slack))
  withStoreOptions(people.command('slack-remove'))
    .description('Says that a Slack account stands for nobody any more.')
    .argument('<account>')
    .option('--json', 'print {id, account, linked}')
    .action(act(slackRemove))
}

function appended(role: string, before: readonly string[]): readonly string[] {
  return [...before, role]
}

async function add(
  ports: CliPorts,
  email: string,
  options: PeopleOptions & { readonly role: readonly string[] },
): Promise<ExitCode> {
  const roles = [...new Set(options.role)]
  const person = await withLedger(options, ports, async (ledger) => {
    const access = new Access(ledger)
    if (roles.length === 0) throw await roleMissing(access, email)
    const known = new KnownRoles(await lastPolicies(ledger.pool, ledger.name))
    const unknown = known.checked(roles)
    const set = await sayingWhoIsLeft(access, ports, () => access.setPerson(email, roles, { by: 'operator' }))
    if (unknown.length > 0)
      ports.err(
        onOneLine(`no policy names ${counted(unknown)}: nobody is asked for it yet. ${known.sentence}`),
      )
    return set
  })
  ports.out(options.json ? JSON.stringify(person) : personText(person))
  return fine
}

/** Makes the change, and says where it has taken the last administrator: whoever runs commands beside the service may do so. */
async function sayingWhoIsLeft<Result>(
  access: Access,
  ports: CliPorts,
  change: () => Promise<Result>,
): Promise<Result> {
  const isAdministered = async () => (await access.people()).some((person) => allowsDeed(person, 'access'))
  const before = await isAdministered()
  const result = await change()
  if (before && !(await isAdministered()))
    ports.err(
      'Nobody has the role `administrator` now: people and keys are changed on the command line alone.',
    )
  return result
}

// Without this, `people add EMAIL` for somebody who is known would take all roles away without a word.
async function roleMissing(access: Access, email: string): Promise<Fault> {
  const id = personIdOf(email) ?? email
  const known = (await access.people()).find((person) => person.id === id)
  if (known === undefined) {
    return new Fault('bad_input', `\`${id}\` needs a role`, {
      fix: 'Give at least one with --role; `approver` is the usual one.',
    })
  }
  const { roles } = known
  const has = roles.length === 0 ? 'has no roles' : `already has ${counted(roles)}`
  return new Fault('bad_input', `\`${id}\` ${has}, and no role was given`, {
    fix: 'To change them, name every role that the person is to have with --role, at least one; they replace those of before.',
  })
}

function counted(roles: readonly string[]): string {
  const names = roles.map((role) => `\`${role}\``)
  return names.length === 1 ? `the role ${names.join()}` : `the roles ${names.join(', ')}`
}

async function list(ports: CliPorts, options: PeopleOptions): Promise<ExitCode> {
  const people = await withExistingLedger(options, ports, (ledger) => new Access(ledger).people())
  if (options.json) ports.out(JSON.stringify({ people }))
  else ports.out(people.length === 0 ? 'There is nobody.' : people.map(personText).join('\n'))
  return fine
}

async function remove(ports: CliPorts, email: string, options: PeopleOptions): Promise<ExitCode> {
  const withdrawn = await withAccess(options, ports, (access) =>
    sayingWhoIsLeft(access, ports, () => access.removePerson(email, { by: 'operator' })),
  )
  const id = personIdOf(email) ?? email
  if (options.json) ports.out(JSON.stringify({ id, removed: true, withdrawn }))
  else {
    const more =
      withdrawn.length === 0 ? '' : ` Withdrawn, for the person had voted: ${withdrawn.join(', ')}.`
    ports.out(`${onOneLine(id)} is removed.${more}`)
  }
  return fine
}

async function signOut(ports: CliPorts, email: string, options: PeopleOptions): Promise<ExitCode> {
  await withAccess(options, ports, (access) => access.endSessions(email, { by: 'operator' }))
  const id = personIdOf(email) ?? email
  ports.out(
    options.json ? JSON.stringify({ id, signedOut: true }) : `${onOneLine(id)} is signed out everywhere.`,
  )
  return fine
}

async function reset(ports: CliPorts, email: string, options: PeopleOptions): Promise<ExitCode> {
  const id = await withAccess(options, ports, (access) => access.reset(email, { by: 'operator' }))
  const done = `${onOneLine(id)} has no password, app or passkey any more; make a link with \`people link\`.`
  ports.out(options.json ? JSON.stringify({ id, reset: true }) : done)
  return fine
}

async function link(ports: CliPorts, email: string, options: PeopleOptions): Promise<ExitCode> {
  const base = serviceUrl(ports)
  const token = await withAccess(options, ports, (access) =>
    access.createSignInToken(email, { by: 'operator' }),
  )
  const url = `${base}/sign-in#token=${token}`
  ports.out(options.json ? JSON.stringify({ id: personIdOf(email) ?? email, url }) : url)
  return fine
}

async function slack(
  ports: CliPorts,
  email: string,
  account: string,
  options: PeopleOptions,
): Promise<ExitCode> {
  const { person } = await withLedger(options, ports, (ledger) => linkSlackAccount(ledger, account, email))
  const said = { id: person, account, linked: true }
  ports.out(
    options.json
      ? JSON.stringify(said)
      : onOneLine(
          `The Slack account ${account} answers for ${person}, once ${person} has confirmed it: pressing a button in Slack shows where.`,
        ),
  )
  return fine
}

async function slackRemove(ports: CliPorts, account: string, options: PeopleOptions): Promise<ExitCode> {
  const { person } = await withLedger(options, ports, (ledger) => unlinkSlackAccount(ledger, account))
  const said = { id: person, account, linked: false }
  ports.out(
    options.json
      ? JSON.stringify(said)
      : onOneLine(`The Slack account ${account} no longer answers for ${person}.`),
  )
  return fine
}

function personText({ id, roles }: { readonly id: string; readonly roles: readonly string[] }): string {
  return onOneLine(`${id}  ${roles.length === 0 ? 'no roles' : roles.join(', ')}`)
}
