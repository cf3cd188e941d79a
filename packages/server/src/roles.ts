import { Fault, nearest, roleOrGroup, type CompiledPolicy } from '@bailiwick/core'
import { roles as ownRoles } from './http/permissions.ts'
import type { ProviderSettings } from './identity/settings.ts'

/** A role that neither the service nor a policy in force knows. */
export interface UnknownRole {
  readonly role: string
  /** The known role that was meant, where one is written nearly alike. */
  readonly meant: string | undefined
}

/** What people can be granted here: the service's own roles, and the roles and groups that policies name. */
export class KnownRoles {
  readonly #named: ReadonlySet<string>

  constructor(policies: Iterable<CompiledPolicy>) {
    this.#named = new Set([...policies].flatMap(namedBy).sort())
  }

  /** Those of these roles that nobody knows. Policies may come to name them; until then they entitle to no vote. */
  unknown(roles: readonly string[]): readonly UnknownRole[] {
    return roles
      .filter((role) => !this.#all().has(role))
      .map((role) => ({ role, meant: this.#nearestTo(role) }))
  }

  /**
   * Those of these roles that nobody knows and that are written like none that is known.
   *
   * @throws Fault `bad_input` for what is no role, and for a role that nobody knows and is written nearly like a known one
   */
  checked(roles: readonly string[]): readonly string[] {
    const wrong = roles.find((role) => !roleOrGroup.test(role))
    if (wrong !== undefined) throw this.#refusal({ role: wrong, meant: this.#nearestTo(wrong) })
    const unknown = this.unknown(roles)
    const misspelt = unknown.find(({ meant }) => meant !== undefined)
    if (misspelt !== undefined) throw this.#refusal(misspelt)
    return unknown.map(({ role }) => role)
  }

  /** Which roles there are, as a sentence. */
  get sentence(): string {
    const named = [...this.#named].filter((role) => !isOwn(role))
    const policies = named.length === 0 ? '' : `; policies in force name ${named.join(', ')}`
    return `The service knows ${ownRoles.join(', ')}${policies}.`
  }

  #all(): ReadonlySet<string> {
    return new Set([...ownRoles, ...this.#named])
  }

  // Groups are compared with groups, without what they all begin with: `eu` is not nearly `us`.
  #nearestTo(role: string): string | undefined {
    const isGroup = role.startsWith(groupPrefix)
    const alike = [...this.#all()].filter((known) => known.startsWith(groupPrefix) === isGroup)
    if (!isGroup) return nearest(role, alike)
    const near = nearest(
      role.slice(groupPrefix.length),
      alike.map((known) => known.slice(groupPrefix.length)),
    )
    return near === undefined ? undefined : `${groupPrefix}${near}`
  }

  #refusal({ role, meant }: UnknownRole): Fault {
    const question = meant === undefined ? '' : `; did you mean \`${meant}\`?`
    return new Fault(
      'bad_input',
      `\`${role}\` is no role that the service or a policy in force knows${question}`,
      {
        fix: `${this.sentence} Another one has to be named by a policy first, or be written less like these.`,
      },
    )
  }
}

/**
 * Holds the roles that `BAILIWICK_OIDC_ROLES` gives against those that there are, and logs which nobody knows.
 *
 * @param provider undefined: there is none, and nothing to check
 * @throws Fault `bad_input` for one that is written nearly like a role of the service: whoever gets it could do nothing
 */
export function checkProviderRoles(
  provider: Pick<ProviderSettings, 'rolesOf'> | undefined,
  policies: Iterable<CompiledPolicy>,
  log: (line: string) => void,
): void {
  const known = new KnownRoles(policies)
  for (const [group, given] of provider?.rolesOf ?? []) {
    for (const { role, meant } of known.unknown(given)) {
      const what = `\`BAILIWICK_OIDC_ROLES\` gives \`${group}\` the role \`${role}\`, which nobody knows`
      const question = meant === undefined ? '' : `; did you mean \`${meant}\`?`
      if (meant !== undefined && isOwn(meant)) {
        throw new Fault('bad_input', `${what}${question}`, { fix: known.sentence })
      }
      // A policy may come to name it, and one that no longer does must not keep the service from starting.
      log(`people: ${what}${question || '.'} ${known.sentence}`)
    }
  }
}

const groupPrefix = 'group:'

function isOwn(role: string): boolean {
  return ownRoles.some((own) => own === role)
}

function namedBy({ routes }: CompiledPolicy): string[] {
  const entries = [...routes.values()].flatMap((route) => [
    ...route.approvers,
    ...route.quorumOf.keys(),
    ...route.escalateTo.flatMap(({ approvers }) => approvers),
    ...route.exclude,
    ...(route.breakGlass?.approvers ?? []),
  ])
  return entries
    .filter((entry) => entry.startsWith('role:') || entry.startsWith(groupPrefix))
    .map((entry) => entry.replace(/^role:/, ''))
}
