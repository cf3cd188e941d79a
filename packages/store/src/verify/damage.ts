import pg from 'pg'
import { hasCode } from '../engine/errno.ts'

/**
 * Whether PostgreSQL says that what is stored cannot be read. Class XX: a page or an index is corrupt. 22021 and 22P05:
 * bytes that are no text in the database's encoding. 42703: a column is gone.
 */
export function isDamage(error: unknown): error is pg.DatabaseError {
  if (!(error instanceof pg.DatabaseError)) return false
  return error.code?.startsWith('XX') === true || hasCode(error, '22021', '22P05', '42703')
}
