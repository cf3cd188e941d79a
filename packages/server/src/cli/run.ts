import { Command, CommanderError } from 'commander'
import { version } from '../version.ts'
import type { Act } from './act.ts'
import { addAgents } from './agents.ts'
import { addCheck } from './check.ts'
import { addDecide } from './decide.ts'
import { addDeliveries } from './deliveries.ts'
import { addErase } from './erase.ts'
import { addExplain } from './explain.ts'
import { badInput, exitCodesText, fine, type ExitCode } from './exit-codes.ts'
import { reportError } from './faults.ts'
import { addGrants } from './grants.ts'
import { addHold } from './hold.ts'
import { addInit } from './init.ts'
import { addKeys } from './keys.ts'
import { addLog } from './log.ts'
import { addMigrateTo } from './migrate-to.ts'
import { addPayloadKey } from './payload-key.ts'
import { addPeople } from './people.ts'
import type { CliPorts } from './ports.ts'
import { addServe } from './serve.ts'
import { addTest } from './test.ts'

/**
 * Runs one command line and returns its exit code. Never throws, and never ends the process.
 *
 * @param args without the program's name
 */
export async function runCli(args: readonly string[], ports: CliPorts): Promise<ExitCode> {
  let code: ExitCode = fine
  const act: Act =
    (work) =>
    async (...given) => {
      code = await work(ports, ...given)
    }
  try {
    await commandLine(act, ports).parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    // Help and the version are no errors; everything else that the parser objects to has been said.
    if (error instanceof CommanderError) return error.exitCode === 0 ? fine : usageError(error, args, ports)
    return reportError(error, wantsJson(args), ports)
  }
}

function wantsJson(args: readonly string[]): boolean {
  if (args.includes('--json') || args.includes('--format=json')) return true
  return args.some((arg, at) => arg === 'json' && args[at - 1] === '--format')
}

function usageError(error: CommanderError, args: readonly string[], ports: CliPorts): ExitCode {
  if (wantsJson(args)) {
    const message = error.message
      .replace(/^error: /, '')
      .split('\n')
      .join(' ')
    ports.out(
      JSON.stringify({
        error: { code: 'bad_input', message, fix: 'See `bailiwick --help`, or `bailiwick COMMAND --help`.' },
      }),
    )
  }
  return badInput
}

function commandLine(act: Act, ports: CliPorts): Command {
  const program = new Command('bailiwick')
    .description('Governs what AI agents may do, and proves what they did.')
    .version(version)
    .showHelpAfterError('See `bailiwick --help`, or `bailiwick COMMAND --help`.')
    .configureOutput({
      writeOut: (text) => ports.out(text.trimEnd()),
      writeErr: (text) => ports.err(text.trimEnd()),
    })
    .exitOverride()
    .addHelpText('after', `\n${exitCodesText}`)
  const adders = [
    addInit,
    addCheck,
    addTest,
    addDecide,
    addExplain,
    addServe,
    addKeys,
    addPeople,
    addAgents,
    addGrants,
    addDeliveries,
    addLog,
    addErase,
    addPayloadKey,
    addMigrateTo,
    addHold,
  ]
  for (const add of adders) add(program, act)
  return program
}
