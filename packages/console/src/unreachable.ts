/** Ends an exhaustive switch: the build breaks where a new kind is not handled. */
export function unreachable(value: never): never {
  throw new Error(`a case that cannot happen: ${JSON.stringify(value)}`)
}
