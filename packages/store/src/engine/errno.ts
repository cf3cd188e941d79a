/** Whether `cause` is an operating system or PostgreSQL error with one of `codes`, such as `ENOENT` or `57P03`. */
export function hasCode(cause: unknown, ...codes: readonly string[]): boolean {
  return cause instanceof Error && 'code' in cause && codes.includes(String(cause.code))
}
