import { Fault, type FaultCode } from '@bailiwick/core'
import pg from 'pg'
import type { StoredPart } from './stored-facts.ts'
import type { Window, WindowResult, WindowSettings } from './window.ts'

/** What a thread is started with. */
export interface ThreadData {
  readonly connection: pg.ClientConfig
  readonly snapshot: string
  readonly settings: WindowSettings
}

/** What a thread is asked. */
export type ThreadRequest =
  | { readonly id: number; readonly kind: 'window'; readonly window: Window }
  | { readonly id: number; readonly kind: 'stored'; readonly part: StoredPart }
  | { readonly id: number; readonly kind: 'agree'; readonly facts: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'close' }

/** What a thread answers. Facts of a table come before its answer. */
export type ThreadAnswer =
  | { readonly id: number; readonly kind: 'window'; readonly result: WindowResult }
  | { readonly id: number; readonly kind: 'facts'; readonly facts: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly kind: 'stored'; readonly isWhole: boolean }
  | { readonly id: number; readonly kind: 'agree'; readonly agree: boolean }
  | { readonly id: number; readonly kind: 'failed'; readonly error: SentError }

/** An error on its way between threads, which would lose its class and code. */
export interface SentError {
  readonly message: string
  readonly code: string | undefined
  readonly isDatabaseError: boolean
  /** What a fault says beside it. */
  readonly fault?: { readonly code: FaultCode; readonly fix: string } | undefined
}

/** The error in a form that can be sent. */
export function sentError(error: unknown): SentError {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return {
    message: error instanceof Error ? error.message : String(error),
    code: typeof code === 'string' ? code : undefined,
    isDatabaseError: error instanceof pg.DatabaseError,
    fault: error instanceof Fault ? { code: error.code, fix: error.fix } : undefined,
  }
}

/** The error that was sent. */
export function receivedError({ message, code, isDatabaseError, fault }: SentError): Error {
  if (fault !== undefined) return new Fault(fault.code, message, { fix: fault.fix })
  if (!isDatabaseError)
    return code === undefined ? new Error(message) : Object.assign(new Error(message), { code })
  const error = new pg.DatabaseError(message, message.length, 'error')
  error.code = code
  return error
}
