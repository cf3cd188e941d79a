import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** How a program ended. */
export interface Ended {
  /** Standard output and standard error, as they came. */
  readonly output: string
  /** As a shell reports it: 128 and the signal's number where a signal ended it. */
  readonly exitCode: number
}

/**
 * Runs a program, without input, until it and everything that it started have ended.
 *
 * @throws where it cannot be started, or takes longer than `timeoutMs`; it is ended then, with its children
 */
export function runToEnd(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv; timeoutMs?: number },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // Its own process group, so that a timeout reaches its children too.
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let output = ''
    let late = false
    const collect = (chunk: string) => {
      output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    const timer = setTimeout(() => {
      late = true
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }, options.timeoutMs ?? 60_000)

    child.once('error', (cause) => {
      clearTimeout(timer)
      reject(cause)
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (late) reject(new Error(`\`${command}\` did not end in time; it had printed:\n${output}`))
      else resolve({ output, exitCode: code ?? 128 + constants.signals[signal ?? 'SIGKILL'] })
    })
  })
}
