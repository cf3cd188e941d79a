import { Fault } from '@bailiwick/core'
import type { Ledger, SealingStatus } from '@bailiwick/store'
import type { Command } from 'commander'
import { payloadKeyIn } from '../payload-key-settings.ts'
import { openSecretLines } from '../secret-files.ts'
import type { Act } from './act.ts'
import { fine, negative, type ExitCode } from './exit-codes.ts'
import { withExistingLedger } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import { withStoreOptions, type StoreOptions } from './settings.ts'

interface ShowOptions extends StoreOptions {
  readonly json?: true
}

interface ChangeOptions extends ShowOptions {
  readonly yes?: true
}

interface RotateOptions extends ChangeOptions {
  readonly toFile: string
}

const json = 'print {index}; null where it was so already'

/** Adds `bailiwick payload-key`. */
export function addPayloadKey(program: Command, act: Act): void {
  const key = program
    .command('payload-key')
    .description('The master key that payloads which hold data of people are sealed under.')
  withStoreOptions(key.command('show'))
    .description(
      'Says whether payloads are sealed, under which key, and whether the one that is set is that key.',
    )
    .option('--json', 'print {state, key, own, people, refuses}')
    .addHelpText('after', '\nExits with 1 where a service with this environment would refuse calls.')
    .action(act(show))
  withStoreOptions(key.command('on'))
    .description('Seals from here on under the key that is set, also where that is another one than before.')
    .option('--yes', 'where another key was in use: what is sealed under it can be read with that one alone')
    .option('--json', json)
    .action(act(switchOn))
  withStoreOptions(key.command('off'))
    .description(
      'Seals nothing from here on. What is sealed stays sealed, and is read with the key as before.',
    )
    .option('--yes', 'do it; nobody is asked')
    .option('--json', json)
    .action(act(switchOff))
  withStoreOptions(key.command('rotate'))
    .description(
      "Wraps everybody's keys under a new master key, in one transaction. Stop the services before.",
    )
    .requiredOption('--to-file <file>', 'the new key: 32 bytes in base64 or hexadecimal')
    .option('--yes', 'do it; nobody is asked')
    .option('--json', json)
    .action(act(rotate))
}

async function show(ports: CliPorts, options: ShowOptions): Promise<ExitCode> {
  const status = await withExistingLedger(options, ports, ({ sealing }) => sealing.status())
  ports.out(options.json ? JSON.stringify(status) : statusLines(status).join('\n'))
  return status.refuses ? negative : fine
}

function statusLines({ state, key, own, people, refuses }: SealingStatus): string[] {
  const sealed = {
    never: 'Payloads were never sealed.',
    on: `Payloads that hold data of people are sealed under the payload key ${key ?? ''}.`,
    off: 'Sealing is switched off.',
  }[state]
  const has = own === null ? 'No payload key is set here.' : `The payload key that is set here is ${own}.`
  const counts = Object.entries(people).map(
    ([master, count]) => `${count} ${count === 1 ? 'person has a key' : 'people have keys'} under ${master}.`,
  )
  return [sealed, has, ...counts, ...(refuses ? ['Calls that hold data of people are refused.'] : [])]
}

async function switchOn(ports: CliPorts, options: ChangeOptions): Promise<ExitCode> {
  return await change(ports, options, async ({ sealing }) => {
    const { state, key, own } = await sealing.status()
    if (state === 'on' && key !== own) {
      refuseUnasked(options, `payloads are sealed under the payload key ${key ?? ''} so far`)
    }
    return await sealing.switchOn('operator')
  })
}

async function switchOff(ports: CliPorts, options: ChangeOptions): Promise<ExitCode> {
  refuseUnasked(options, 'payloads that hold data of people would be stored as they are')
  return await change(ports, options, ({ sealing }) => sealing.switchOff('operator'))
}

async function rotate(ports: CliPorts, options: RotateOptions): Promise<ExitCode> {
  refuseUnasked(options, 'services that have the former key refuse calls until they are given the new one')
  const to = await payloadKeyIn(options.toFile, '--to-file')
  for (const line of await openSecretLines([options.toFile])) ports.err(line)
  return await change(
    ports,
    options,
    ({ sealing }) => sealing.rotate(to, 'operator'),
    `Start the services with the payload key ${to.id}.`,
  )
}

async function change(
  ports: CliPorts,
  options: ChangeOptions,
  work: (ledger: Ledger) => Promise<{ readonly index: number | null }>,
  next?: string,
): Promise<ExitCode> {
  const { index } = await withExistingLedger(options, ports, work)
  const said = index === null ? 'It was so already.' : `It is so from record ${index} on.`
  ports.out(options.json ? JSON.stringify({ index }) : next === undefined ? said : `${said} ${next}`)
  return fine
}

function refuseUnasked({ yes }: ChangeOptions, why: string): void {
  if (yes === true) return
  throw new Fault('bad_input', `${why}, and nothing was changed`, { fix: 'If that is meant, add --yes.' })
}
