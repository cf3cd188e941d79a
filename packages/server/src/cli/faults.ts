import { Fault, onOneLine } from '@bailiwick/core'
import { badInput, negative, type ExitCode } from './exit-codes.ts'
import type { CliPorts } from './ports.ts'

/** Tells what went wrong in one sentence and what to do, never with a stack unless BAILIWICK_DEBUG=1. */
export function reportError(error: unknown, json: boolean, ports: CliPorts): ExitCode {
  const { code, message, fix } = faultOf(error)
  if (json) ports.out(JSON.stringify({ error: { code, message, fix } }))
  else ports.err(`bailiwick: ${message.split('\n').map(onOneLine).join('\n')}\n${onOneLine(fix)}`)
  if (ports.env['BAILIWICK_DEBUG'] === '1') ports.err(stackOf(error))
  return code === 'log_broken' ? negative : badInput
}

function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  // Of the operating system (EACCES) or of PostgreSQL (57P01); anything else is a mistake of ours.
  if (/^E[A-Z]+$/.test(code) || /^[0-9A-Z]{5}$/.test(code)) {
    const fix = 'Check the path, the permissions and the database, and try again.'
    return new Fault('store_unavailable', message, { fix })
  }
  const fix = 'Run it again with BAILIWICK_DEBUG=1 and report what it says.'
  return new Fault('internal', `unexpected error: ${message}`, { fix })
}

function stackOf(error: unknown): string {
  const lines: string[] = []
  for (let at = error; at !== undefined; at = at instanceof Error ? at.cause : undefined) {
    lines.push(at instanceof Error ? (at.stack ?? at.message) : 'something that is no error')
  }
  return lines.join('\ncaused by: ')
}
