/**
 * The type of a name or an expression. `number` is any finite JSON number: it is evaluated as a double, and
 * whole numbers (`int`) mix with it freely. The keys of a map are strings. `dyn` is checked at run time.
 */
export type CelType =
  | 'number'
  | 'int'
  | 'bool'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'null'
  | 'dyn'
  | { readonly list: CelType }
  | { readonly map: CelType }

/** The types that the use of an undeclared name can tell. */
export type InferredType = 'number' | 'bool' | 'string'

/** A type under inference: as CelType, or the still open type of an undeclared name. */
export type OpenType =
  | Exclude<CelType, object>
  | { readonly list: OpenType }
  | { readonly map: OpenType }
  | { readonly open: string }

/** The type in words with its article, such as `a list`, for messages. */
export function typePhrase(type: OpenType): string {
  if (typeof type === 'object') {
    if ('list' in type) return 'a list'
    return 'map' in type ? 'a map' : 'a value of unknown type'
  }
  switch (type) {
    case 'int':
      return 'a whole number'
    case 'null':
      return 'null'
    case 'bytes':
      return 'bytes'
    case 'dyn':
      return 'a value of any type'
    default:
      return `a ${type}`
  }
}

/** Whether the type is a number of either kind. */
export function isNumeric(type: OpenType): type is 'number' | 'int' {
  return type === 'number' || type === 'int'
}
