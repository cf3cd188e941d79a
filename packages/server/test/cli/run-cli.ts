import { fileURLToPath } from 'node:url'
import { runCli } from '../../src/cli/run.ts'
import type { ExitCode } from '../../src/cli/exit-codes.ts'

/** What one command line did. */
export interface CliRun {
  readonly code: ExitCode
  readonly out: string
  readonly err: string
  /** Standard output as JSON. */
  readonly json: unknown
}

/** Runs one command line in this process. */
export async function cli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { isTerminal = false, input = '' }: { readonly isTerminal?: boolean; readonly input?: string } = {},
): Promise<CliRun> {
  const out: string[] = []
  const err: string[] = []
  const code = await runCli(args, {
    out: (text) => void out.push(`${text}\n`),
    err: (text) => void err.push(`${text}\n`),
    env,
    isTerminal,
    readInput: (bytesMax) => Promise.resolve(Buffer.byteLength(input) > bytesMax ? undefined : input),
    onStopSignal: () => () => undefined,
    exitNow: (status) => {
      throw new Error(`exit ${status}`)
    },
  })
  return {
    code,
    out: out.join(''),
    err: err.join(''),
    get json() {
      return JSON.parse(out.join('')) as unknown
    },
  }
}

/** A file of the customer support example. */
export function exampleFile(name: string): string {
  return fileURLToPath(new URL(`../../../../examples/customer-support/${name}`, import.meta.url))
}
