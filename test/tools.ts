/**
 * Whether tests that need a tool of the machine are left out, because it is not there. That is said loudly, and counted
 * as skipped. Where `CI` is `true` everything has to be tested: there a missing tool fails what needs it.
 *
 * @param tool what is needed, and from where it comes
 * @throws Error where it is missing and `CI` is `true`
 */
export function isLeftOut(
  tool: string,
  isThere: boolean,
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  if (isThere) return false
  if (env['CI'] === 'true') throw new Error(missingInCi(tool))
  console.error(`\n*** NOT TESTED: what needs ${tool}, which is not here ***\n`)
  return true
}

/** What a test that fails for a missing tool says. */
export function missingInCi(tool: string): string {
  return `${tool} is missing, and with CI=true nothing is left out: .ci/run installs what Debian has`
}
