import {
  Fault,
  masked,
  maskText,
  type CompiledPolicy,
  type Json,
  type JsonObject,
  type PolicyRef,
} from '@bailiwick/core'
import { recordedPolicy, type Ledger } from '@bailiwick/store'
import type { Asker } from './asker.ts'

/** What of a decision or an approval people may see in part only. */
interface Maskable {
  readonly agent: string
  readonly action: string
  readonly policy: PolicyRef | null
  readonly params: Json
  readonly context: Json
}

/** How many policies that are no longer in force are kept compiled. */
const keptMax = 100

/**
 * Masks what policies call sensitive wherever people see it: the policy that decided, and the one that is in force for
 * the agent now. Agents see what they have sent themselves.
 */
export class Masking {
  readonly #ledger: Ledger
  /** By their hash; undefined where it cannot be had any more. */
  readonly #earlier = new Map<string, Promise<CompiledPolicy | undefined>>()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** The view as whoever asks may see it. */
  async shown<View extends Maskable>(view: View, asker: Asker): Promise<View> {
    if (asker.kind === 'agent') return view
    const decided = view.policy === null ? 'none' : await this.#policyOf(view.policy)
    if (decided === undefined) return { ...view, ...whole(view) }
    const now = this.#ledger.policies.for(view.agent)
    const policies = [
      ...(decided === 'none' ? [] : [decided]),
      ...(now === undefined || now === decided ? [] : [now]),
    ]
    const hidden = (root: 'params' | 'context'): Json => {
      const value = view[root]
      if (value === null || typeof value !== 'object') return value
      return policies.reduce((shown, policy) => masked(policy, view.action, root, shown), value as JsonObject)
    }
    return { ...view, params: hidden('params'), context: hidden('context') }
  }

  /** The views, in their order. */
  async allShown<View extends Maskable>(views: readonly View[], asker: Asker): Promise<View[]> {
    return await Promise.all(views.map((view) => this.shown(view, asker)))
  }

  async #policyOf(ref: PolicyRef): Promise<CompiledPolicy | undefined> {
    const inForce = this.#ledger.policies.all.find((policy) => policy.ref.sha256 === ref.sha256)
    if (inForce !== undefined) return inForce
    const known = this.#earlier.get(ref.sha256)
    if (known !== undefined) return await known
    const found = recordedPolicy(this.#ledger.pool, this.#ledger.name, ref).catch(undefinedWhereGone)
    const [oldest] = this.#earlier.keys()
    if (this.#earlier.size >= keptMax && oldest !== undefined) this.#earlier.delete(oldest)
    this.#earlier.set(ref.sha256, found)
    // A database that failed once is asked again.
    found.catch(() => this.#earlier.delete(ref.sha256))
    return await found
  }
}

function undefinedWhereGone(error: unknown): undefined {
  if (error instanceof Fault && (error.code === 'erased' || error.code === 'policy_invalid')) return undefined
  throw error
}

// Nobody can say any more what is sensitive, so everything is.
function whole({ params, context }: Maskable): Pick<Maskable, 'params' | 'context'> {
  return { params: allMasked(params), context: allMasked(context) }
}

function allMasked(value: Json): Json {
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.keys(value).map((name) => [name, maskText]))
}
