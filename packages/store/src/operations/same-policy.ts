import { approvalTerms, canonicalJsonOfPresent, type Approval, type CompiledPolicy } from '@bailiwick/core'

/**
 * Whether an approval holds under the policy that is in force for its agent now: the very one that it was opened under, or
 * one that it survives, as its own routes still ask for just what they asked for. Under none, none holds.
 */
export function isUnderSamePolicy(
  { policy: then, terms }: Pick<Approval, 'policy' | 'terms'>,
  now: CompiledPolicy | undefined,
): boolean {
  if (now === undefined) return false
  if (then.sha256 === now.ref.sha256) return true
  if (terms.survivesPolicyChange !== true || then.id !== now.ref.id) return false
  return canonicalJsonOfPresent(approvalTerms(now, terms.routes)) === canonicalJsonOfPresent(terms)
}
