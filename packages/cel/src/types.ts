/**
 * The type of a name or an expression. `number` is any finite JSON number: it is evaluated as a double, and
 * whole numbers (`int`) mix with it freely in conditions. The keys of a map are strings where none are named. `dyn` is
 * checked at run time.
 */
export type CelType =
  | 'number'
  | 'int'
  | 'uint'
  | 'double'
  | 'bool'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'null'
  | 'type'
  | 'dyn'
  | { readonly list: CelType }
  | { readonly map: CelType; readonly key?: CelType | undefined }
  | { readonly optional: CelType }
  | RecordType

/** A JSON object with known fields. To select another field is a mistake, unless the record is `open`. */
export interface RecordType {
  readonly record: { readonly [field: string]: CelType }
  /** Whether it may have fields that are not named; they are of type `dyn`. */
  readonly open?: boolean | undefined
}

/** The types that the use of an undeclared name can tell. */
export type InferredType = 'number' | 'bool' | 'string'

/** A type under inference: as CelType, or the still open type of an undeclared name. */
export type OpenType =
  | Exclude<CelType, object>
  | RecordType
  | { readonly list: OpenType }
  | { readonly map: OpenType; readonly key?: OpenType | undefined }
  | { readonly optional: OpenType }
  | { readonly open: string }

/** The type in words with its article, such as `a list`, for messages. */
export function typePhrase(type: OpenType): string {
  if (typeof type === 'object') {
    if ('list' in type) return 'a list'
    if ('optional' in type) return 'an optional'
    return 'map' in type || 'record' in type ? 'a map' : 'a value of unknown type'
  }
  switch (type) {
    case 'int':
      return 'a whole number'
    case 'uint':
      return 'an unsigned whole number'
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

/** The name of an undeclared name whose type is still open, or undefined. */
export function openName(type: OpenType): string | undefined {
  return typeof type === 'object' && 'open' in type && !('record' in type) ? type.open : undefined
}
