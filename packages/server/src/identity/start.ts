import type { Instant } from '@bailiwick/core'
import { Access, passkeyFactor, type Ledger } from '@bailiwick/store'
import type { SignInParts } from '../http/sign-in-parts.ts'
import { AgentTokens } from './agent-tokens.ts'
import { IdentityProvider } from './identity-provider.ts'
import { identitySealing } from './identity-key.ts'
import { LocalAccounts, otherIdentityKey } from './local-accounts.ts'
import { Passwords } from './passwords.ts'
import {
  agentTokenSettings,
  providerSettings,
  proxiesSetting,
  secondFactorSetting,
  sessionSettings,
  type AgentTokenSettings,
  type ProviderSettings,
} from './settings.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What the environment says of who may use the service. */
export interface IdentitySettings {
  readonly agentTokens: AgentTokenSettings | undefined
  readonly provider: ProviderSettings | undefined
  readonly lifetimes: ReturnType<typeof sessionSettings>
  readonly proxies: number
  readonly demandsSecondFactor: boolean
}

/** @throws Fault `bad_input` for what cannot be meant */
export function identitySettings(env: Environment): IdentitySettings {
  return {
    agentTokens: agentTokenSettings(env),
    provider: providerSettings(env),
    lifetimes: sessionSettings(env),
    proxies: proxiesSetting(env),
    demandsSecondFactor: secondFactorSetting(env),
  }
}

/** What callers of a service are known by. */
export interface Identity {
  readonly access: Access
  readonly agentTokens: AgentTokens | undefined
  readonly signIn: SignInParts
}

interface StartParts {
  readonly env: Environment
  readonly dataDir: string
  /** The address under which people reach the service. */
  readonly url: string
  readonly log: (line: string) => void
}

/** What people and agents are known by, on an open ledger. */
export async function startIdentity(
  ledger: Ledger,
  settings: IdentitySettings,
  { env, dataDir, url, log }: StartParts,
): Promise<Identity> {
  const now = (): Instant => ledger.now()
  const sealing = await identitySealing(env, dataDir)
  const access = new Access(ledger, {
    lifetimes: settings.lifetimes,
    secondFactors: [passkeyFactor(ledger, url)],
    demandsSecondFactor: settings.demandsSecondFactor,
  })
  const issuer = ledger.name === 'main' ? 'Bailiwick' : `Bailiwick ${ledger.name}`
  const accounts = new LocalAccounts({ access, passwords: new Passwords(), sealing, now, issuer, log })
  if (!(await accounts.opensSecrets())) {
    log(otherIdentityKey)
  }
  const { agentTokens, provider, proxies } = settings
  return {
    access,
    agentTokens: agentTokens && new AgentTokens(agentTokens, now, log),
    signIn: {
      accounts,
      proxies,
      provider: provider && new IdentityProvider({ settings: provider, access, sealing, now, log }),
    },
  }
}
