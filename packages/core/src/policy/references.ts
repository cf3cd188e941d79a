import { nearest } from '@bailiwick/cel'
import type { NamePattern } from '../model/policy.ts'
import type { TimeWindow } from '../model/window.ts'
import type { DocumentPath } from './positions.ts'
import type { Findings, PolicySource } from './sources.ts'

/** Looks up what entries of a policy refer to by name, and reports what is not there. */
export class References {
  readonly findings: Findings
  readonly #windows: ReadonlyMap<string, TimeWindow>
  readonly #roles: ReadonlyMap<string, readonly NamePattern[]>
  readonly #environments: readonly string[] | undefined
  readonly #ids = new Map<string, PolicySource>()

  constructor(
    declared: {
      readonly windows: ReadonlyMap<string, TimeWindow>
      readonly roles: ReadonlyMap<string, readonly NamePattern[]>
      readonly environments: readonly string[] | undefined
    },
    findings: Findings,
  ) {
    this.#windows = declared.windows
    this.#roles = declared.roles
    this.#environments = declared.environments
    this.findings = findings
  }

  /** Notes the id of a rule, and reports one that another rule has. */
  claimId(
    id: string,
    { source, path }: { readonly source: PolicySource; readonly path: DocumentPath },
  ): void {
    const before = this.#ids.get(id)
    if (before !== undefined) {
      const other = before.file === undefined ? 'the policy that extends this file' : `\`${before.file}\``
      const where = before.file === source.file ? 'twice' : `in ${other}, too`
      const place = source.positions.ofValue([...path, 'id'])
      this.findings.error(
        source,
        place,
        `the rule id \`${id}\` is used ${where}`,
        'give each rule its own id',
        { code: 'repeated-rule-id' },
      )
    }
    this.#ids.set(id, source)
  }

  window(source: PolicySource, path: DocumentPath, name: string | undefined): TimeWindow | undefined {
    if (name === undefined) return undefined
    const window = this.#windows.get(name)
    if (window === undefined)
      this.#unknown(source, path, { what: 'window', key: 'windows', name, known: this.#windows.keys() })
    return window
  }

  roles(source: PolicySource, path: DocumentPath, names: readonly string[] | undefined): void {
    for (const [at, name] of (names ?? []).entries()) {
      if (this.#roles.has(name)) continue
      this.#unknown(source, [...path, at], { what: 'role', key: 'roles', name, known: this.#roles.keys() })
    }
  }

  /** Nothing is wrong with any name where the policy does not say which environments there are. */
  environments(source: PolicySource, path: DocumentPath, names: readonly string[] | undefined): void {
    const known = this.#environments
    if (known === undefined) return
    for (const [at, name] of (names ?? []).entries()) {
      if (known.includes(name)) continue
      this.#unknown(source, [...path, at], { what: 'environment', key: 'environments', name, known })
    }
  }

  #unknown(
    source: PolicySource,
    path: DocumentPath,
    {
      what,
      key,
      name,
      known,
    }: { what: 'window' | 'role' | 'environment'; key: string; name: string; known: Iterable<string> },
  ): void {
    const near = nearest(name, [...known])
    const fix = near === undefined ? `declare it under \`${key}\`` : `did you mean \`${near}\`?`
    this.findings.error(source, source.positions.ofValue(path), `there is no ${what} \`${name}\``, fix, {
      code: `unknown-${what}`,
    })
  }
}
