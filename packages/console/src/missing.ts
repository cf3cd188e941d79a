/** Why a call's values are not there. */
export type Missing = 'erased' | 'sealed' | 'malformed'

/** Why the values are not there, of a call whose values are not. */
export function whyMissing({
  erased,
  sealed,
}: {
  readonly erased: boolean | null
  readonly sealed: boolean | null
}): Missing {
  if (erased === true) return 'erased'
  return sealed === true ? 'sealed' : 'malformed'
}
