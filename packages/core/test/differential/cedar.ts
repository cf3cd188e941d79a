import * as wasm from '@cedar-policy/cedar-wasm/nodejs'
import type { CallModel, PolicyModel } from './model.ts'
import { writeCedar, writeContext } from './write-cedar.ts'

/** What Cedar says of a call, in this project's words. */
export interface CedarVerdict {
  readonly effect: 'allow' | 'deny' | 'escalate'
  /** The ids of the forbids that matched or failed, sorted, of the question that settled it. */
  readonly rules: readonly string[]
}

/** A policy, read by Cedar. */
export function cedarEngine(policy: PolicyModel, name: string): (call: CallModel) => CedarVerdict {
  const { denying, escalating } = writeCedar(policy)
  const [refuses, asks] = [question(`${name} denying`, denying), question(`${name} escalating`, escalating)]
  return (call) => {
    const context = writeContext(call)
    const refusing = ask(refuses, call, context)
    if (refusing.effect === 'deny') return refusing
    const asking = ask(asks, call, context)
    return asking.effect === 'deny' ? { effect: 'escalate', rules: asking.rules } : asking
  }
}

interface Question {
  readonly id: string
  /** The attributes of the context that its policies read. To hand over more would take most of the time. */
  readonly reads: readonly string[]
}

function question(id: string, staticPolicies: Readonly<Record<string, string>>): Question {
  const answer = wasm.preparsePolicySet(id, { staticPolicies })
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '))
  const texts = Object.values(staticPolicies).join('\n')
  const reads = [...texts.matchAll(/context(?:\.| has )(\w+)/g)].map(([, name = '']) => name)
  return { id, reads: [...new Set(reads)] }
}

function ask(
  { id, reads }: Question,
  call: CallModel,
  everything: Readonly<Record<string, unknown>>,
): CedarVerdict & { readonly effect: 'allow' | 'deny' } {
  const context: Record<string, unknown> = {}
  for (const name of reads) if (Object.hasOwn(everything, name)) context[name] = everything[name]
  const answer = wasm.statefulIsAuthorized({
    preparsedPolicySetId: id,
    principal: { type: 'Agent', id: call.agent },
    action: { type: 'Action', id: call.action },
    resource: { type: 'Tool', id: 'tool' },
    context: context as wasm.Context,
    entities: [],
  })
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '))
  const { decision, diagnostics } = answer.response
  const failed = diagnostics.errors.map(({ policyId }) => policyId)
  if (decision === 'allow' && failed.length === 0) return { effect: 'allow', rules: [] }
  const satisfied = decision === 'deny' ? diagnostics.reason : []
  return { effect: 'deny', rules: [...satisfied, ...failed].sort() }
}
