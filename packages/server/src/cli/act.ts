import type { ExitCode } from './exit-codes.ts'
import type { CliPorts } from './ports.ts'

/** How a command's work becomes an action of the command line: it gets the ports, and says how it ends. */
export type Act = <Args extends readonly unknown[]>(
  work: (ports: CliPorts, ...args: Args) => Promise<ExitCode>,
) => (...args: Args) => Promise<void>
