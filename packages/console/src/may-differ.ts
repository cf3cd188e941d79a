import type { MayDiffer } from './api.ts'
import { fieldsOf, summaryOf } from '@bailiwick/core/words'
import type { Presentation } from '@bailiwick/core/words'
import { humanName } from './wording.ts'

type Data = Readonly<Record<string, unknown>>

/** In what calls may differ from the approved one, in words: `Order id (any), Amount (up to USD 600.00)`. */
export function mayDifferText(
  mayDiffer: MayDiffer,
  call: { readonly params: Data | null } & Presentation,
): string {
  if (mayDiffer.length === 0) return 'nothing'
  const fields = new Map(fieldsOf(call.params ?? {}, '/params', call).map((field) => [field.name, field]))
  return mayDiffer
    .map(({ param, how }) => {
      const field = fields.get(param)
      const most = field === undefined ? 'that of this call' : summaryOf(field)
      return `${field?.label ?? humanName(param)} (${how === 'any' ? 'any' : `up to ${most}`})`
    })
    .join(', ')
}
