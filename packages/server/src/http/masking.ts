import {
  Fault,
  hiddenPointers,
  masked,
  maskText,
  pointerBelow,
  valueAt,
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

/** What people are told of params and context, beside them. */
export interface Presented {
  /** JSON Pointers to what is masked; absent where nothing is. */
  readonly masked?: readonly string[]
  /** What numbers count, such as `USD`, by JSON Pointer; absent where no policy says. */
  readonly units?: Readonly<Record<string, string>>
}

/** What masking needs of a ledger: the policies that are in force, and those that were. */
type MaskingLedger = Pick<Ledger, 'policies' | 'pool' | 'name' | 'cold'>

/** How many policies that are no longer in force are kept compiled. */
const keptMax = 100

/**
 * Masks what policies call sensitive wherever people see it: the policy that decided, and the one that is in force for
 * the agent now. Agents see what they have sent themselves.
 */
export class Masking {
  readonly #ledger: MaskingLedger
  /** By their hash; undefined where it cannot be had any more. */
  readonly #earlier = new Map<string, Promise<CompiledPolicy | undefined>>()

  constructor(ledger: MaskingLedger) {
    this.#ledger = ledger
  }

  /** The view as whoever asks may see it. */
  async shown<View extends Maskable>(view: View, asker: Asker): Promise<View & Presented> {
    return asker.kind === 'agent' ? view : await this.forPeople(view)
  }

  /** The view as any person may see it, also over channels that show it to several. */
  async forPeople<View extends Maskable>(view: View): Promise<View & Presented> {
    const decided = view.policy === null ? 'none' : await this.policyOf(view.policy)
    if (decided === undefined) return presented(view, whole(view), [])
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
    return presented(view, { params: hidden('params'), context: hidden('context') }, policies)
  }

  /** The views, in their order. */
  async allShown<View extends Maskable>(views: readonly View[], asker: Asker): Promise<(View & Presented)[]> {
    return await Promise.all(views.map((view) => this.shown(view, asker)))
  }

  /** The policy that decided, in force or recorded earlier; undefined where it cannot be had any more. */
  async policyOf(ref: PolicyRef): Promise<CompiledPolicy | undefined> {
    const inForce = this.#ledger.policies.all.find((policy) => policy.ref.sha256 === ref.sha256)
    if (inForce !== undefined) return inForce
    const known = this.#earlier.get(ref.sha256)
    if (known !== undefined) return await known.catch(undefinedWhereClosed)
    const found = this.#recorded(ref)
    const [oldest] = this.#earlier.keys()
    if (this.#earlier.size >= keptMax && oldest !== undefined) this.#earlier.delete(oldest)
    this.#earlier.set(ref.sha256, found)
    // A database that failed once is asked again, and so is an archive that could not be read.
    found.catch(() => this.#earlier.delete(ref.sha256))
    return await found.catch(undefinedWhereClosed)
  }

  // In the database, or in the archive once it has moved there. Where that cannot be read nobody can say what is
  // sensitive: the rest of the view is shown all the same.
  async #recorded(ref: PolicyRef): Promise<CompiledPolicy | undefined> {
    const { pool, name, cold } = this.#ledger
    try {
      return await recordedPolicy(pool, name, ref)
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'erased') return undefinedWhereGone(error)
    }
    return await recordedPolicy(pool, name, ref, cold).catch(undefinedWhereGone)
  }
}

function presented<View extends Maskable>(
  view: View,
  shown: Pick<Maskable, 'params' | 'context'>,
  policies: readonly CompiledPolicy[],
): View & Presented {
  const hidden = [
    ...hiddenPointers(view.params, shown.params, '/params'),
    ...hiddenPointers(view.context, shown.context, '/context'),
  ]
  const units = Object.fromEntries(policies.flatMap((policy) => unitsOf(policy, view.action, shown)))
  return {
    ...view,
    ...shown,
    ...(hidden.length === 0 ? {} : { masked: hidden }),
    ...(Object.keys(units).length === 0 ? {} : { units }),
  }
}

/** The units of the numbers that facts of the action are read from. */
function unitsOf(
  policy: CompiledPolicy,
  action: string,
  { params, context }: Pick<Maskable, 'params' | 'context'>,
): (readonly [string, string])[] {
  return [...policy.facts.values()].flatMap((fact) => {
    const { unit, source, path } = fact
    if (unit === undefined || source === 'lookup') return []
    if (fact.for !== undefined && !fact.for.some((pattern) => pattern.matches(action))) return []
    const pointer = path.reduce(pointerBelow, `/${source}`)
    return typeof valueAt({ params, context }, pointer) === 'number' ? [[pointer, unit] as const] : []
  })
}

const goneCodes: ReadonlySet<string> = new Set(['erased', 'policy_invalid'])

// An archive that is not open here.
function undefinedWhereClosed(error: unknown): undefined {
  if (error instanceof Fault && error.code === 'store_unavailable') return undefined
  throw error
}

function undefinedWhereGone(error: unknown): undefined {
  if (error instanceof Fault && goneCodes.has(error.code)) return undefined
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
