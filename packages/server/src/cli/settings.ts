import { Fault } from '@bailiwick/core'
import type { Command } from 'commander'
import type { CliPorts } from './ports.ts'

const dataDirDefault = '.bailiwick'
const portDefault = 7420

/** Options of the commands that open the database. */
export interface StoreOptions {
  readonly data?: string
}

/** Where the log is. */
export interface StorePlace {
  /** For the checkpoint, its key and the embedded database. */
  readonly dataDir: string
  /** A PostgreSQL server; undefined: the embedded one in `dataDir`. */
  readonly databaseUrl: string | undefined
}

/** Adds the options that say where the log is. */
export function withStoreOptions(command: Command): Command {
  return command
    .option('--data <dir>', `data directory (env BAILIWICK_DATA; default ${dataDirDefault})`)
    .addHelpText(
      'after',
      '\nThe database is the one that DATABASE_URL names, or PostgreSQL embedded in the data directory.',
    )
}

/** Where the log is, by the options, then the environment, then the defaults. */
export function storePlace(options: StoreOptions, { env }: CliPorts): StorePlace {
  const databaseUrl = env['DATABASE_URL']
  return {
    dataDir: options.data ?? nonEmpty(env['BAILIWICK_DATA']) ?? dataDirDefault,
    databaseUrl: nonEmpty(databaseUrl),
  }
}

/** The service's port. @throws Fault `bad_input` for what is none */
export function portSetting(option: string | undefined, { env }: CliPorts): number {
  const text = option ?? nonEmpty(env['BAILIWICK_PORT'])
  if (text === undefined) return portDefault
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new Fault('bad_input', `\`${text}\` is no port`, {
    fix: 'Give a number from 0 to 65535 with --port or BAILIWICK_PORT; 0 takes any free port.',
  })
}

/**
 * The environment that the service runs in, as policies name it, or undefined.
 *
 * @throws Fault `bad_input` for what no policy can name
 */
export function environmentSetting(option: string | undefined, { env }: CliPorts): string | undefined {
  const text = option ?? nonEmpty(env['BAILIWICK_ENV'])
  if (text === undefined || /^[^\s\p{C}]{1,200}$/u.test(text)) return text
  throw new Fault('bad_input', `\`${text}\` is no name of an environment`, {
    fix: 'Give a name without white space, such as prod, with --env or BAILIWICK_ENV.',
  })
}

/** The address under which people reach the service, for links. */
export function serviceUrl(ports: CliPorts): string {
  const url = nonEmpty(ports.env['BAILIWICK_URL']) ?? `http://localhost:${portSetting(undefined, ports)}`
  return url.replace(/\/+$/, '')
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
