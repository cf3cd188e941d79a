import { Fault, onOneLine } from '@bailiwick/core'
import { listDeliveries, retryDeliveries, type Delivery, type DeliveryState } from '@bailiwick/store'
import type { Command } from 'commander'
import type { Act } from './act.ts'
import { fine, type ExitCode } from './exit-codes.ts'
import { withExistingLedger, withLedger } from './open-ledger.ts'
import type { CliPorts } from './ports.ts'
import { withStoreOptions, type StoreOptions } from './settings.ts'

interface DeliveriesOptions extends StoreOptions {
  readonly json?: true
}

/** How many are listed. */
const listedMax = 200

/** Adds `bailiwick deliveries`. */
export function addDeliveries(program: Command, act: Act): void {
  const deliveries = program
    .command('deliveries')
    .description('Messages to the outside: webhooks, Slack, e-mail, callbacks.')
  withStoreOptions(deliveries.command('list'))
    .description(`Lists messages and how they went, the newest ${listedMax}; never what they say.`)
    .option('--state <state>', 'waiting, delivered or dead: given up after every attempt failed')
    .option('--json', 'print {deliveries: [...]}')
    .action(act(list))
  withStoreOptions(deliveries.command('retry'))
    .description('Has messages sent again that were given up, under their old ids.')
    .argument('[id]', 'as `deliveries list` shows it')
    .option('--all', 'all that were given up')
    .option('--json', 'print {retried}')
    .action(act(retry))
}

async function list(
  ports: CliPorts,
  options: DeliveriesOptions & { readonly state?: string },
): Promise<ExitCode> {
  const state = stateOf(options.state)
  const deliveries = await withExistingLedger(options, ports, ({ pool, name }) =>
    listDeliveries(pool, name, { state, limit: listedMax }),
  )
  if (options.json) ports.out(JSON.stringify({ deliveries }))
  else ports.out(deliveries.length === 0 ? 'There are none.' : deliveries.map(line).join('\n'))
  return fine
}

async function retry(
  ports: CliPorts,
  id: string | undefined,
  options: DeliveriesOptions & { readonly all?: true },
): Promise<ExitCode> {
  if ((id === undefined) !== (options.all === true)) {
    throw new Fault('bad_input', 'it is not said which messages to send again', {
      fix: 'Name one by its id, or give --all.',
    })
  }
  const retried = await withLedger(options, ports, ({ pool, name, now }) =>
    retryDeliveries(pool, name, id, now()),
  )
  if (options.json) ports.out(JSON.stringify({ retried }))
  else ports.out(retried === 1 ? 'One message is sent again.' : `${retried} messages are sent again.`)
  return fine
}

function stateOf(text: string | undefined): DeliveryState | undefined {
  if (text === undefined || text === 'waiting' || text === 'delivered' || text === 'dead') return text
  throw new Fault('bad_input', `\`${text}\` is no state of a message`, {
    fix: 'Use waiting, delivered or dead.',
  })
}

function line(delivery: Delivery): string {
  const { id, target, recipient, kind, record, state, attempts, lastError } = delivery
  const parts = [
    id,
    recipient === null ? target : `${target} ${recipient}`,
    kind,
    `record ${record.index}`,
    state,
    attempts === 1 ? '1 attempt' : `${attempts} attempts`,
    ...(lastError === null ? [] : [lastError]),
  ]
  return parts.map(onOneLine).join('  ')
}
