/** What commands read and write beside files, so that tests can run them in process. */
export interface CliPorts {
  /** Writes a line, or several, to standard output: what was asked for. */
  out(text: string): void
  /** Writes a line, or several, to standard error: what went wrong, what is going on. */
  err(text: string): void
  /** Whether a person reads standard output on a terminal. */
  readonly isTerminal?: boolean
  /** Replaces the line that it wrote before on standard error, where a person reads that on a terminal. */
  readonly progress?: ((line: string) => void) | undefined
  /** All of standard input, up to `bytesMax`; undefined where there is more. */
  readInput?(bytesMax: number): Promise<string | undefined>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Hears of SIGINT and SIGTERM. Returns what ends it. */
  onStopSignal(listener: () => void): () => void
  /** Ends the process without waiting for anything. */
  exitNow(code: number): void
}

/** The ports of a real process. */
export function processPorts(): CliPorts {
  // `bailiwick … | head` closes the pipe early; nobody is there to be told. A log on a full disk must not
  // end the service either: what it would say there cannot be said.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  process.stderr.on('error', () => undefined)
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    isTerminal: process.stdout.isTTY,
    progress: process.stderr.isTTY ? (line) => void process.stderr.write(`\r\u001b[K${line}`) : undefined,
    readInput,
    env: process.env,
    onStopSignal: (listener) => {
      process.on('SIGINT', listener)
      process.on('SIGTERM', listener)
      return () => {
        process.off('SIGINT', listener)
        process.off('SIGTERM', listener)
      }
    },
    exitNow: (code) => process.exit(code),
  }
}

async function readInput(bytesMax: number): Promise<string | undefined> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    length += part.length
    if (length > bytesMax) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
