/**
 * The names of Bailiwick's environment variables that a text names, in code or in prose. A name that ends with `_` stands
 * for all that begin so, such as those of sources; names that are put together of a prefix and `read('NAME')` are whole.
 */
export function variablesIn(text: string): string[] {
  const named = [...text.matchAll(/BAILIWICK_[A-Z][A-Z0-9_]*/g)].map(([name]) => name)
  const joined = joinedIn(text)
  const prefixes = new Set(joined.map(({ prefix }) => prefix))
  const open = named.filter((name) => name.endsWith('_') && !prefixes.has(name))
  const whole = [
    ...named,
    ...joined.flatMap(({ prefix, names }) => names.map((name) => prefix + name)),
  ].filter((name) => !name.endsWith('_') && !open.some((each) => name.startsWith(each)))
  return [...new Set([...whole, ...open])].sort()
}

// `const read = (name: string) => env[`PREFIX_${name}`]`, and what it is asked for until the next of its kind.
function joinedIn(text: string): { readonly prefix: string; readonly names: readonly string[] }[] {
  const readers = [...text.matchAll(/env\[`(BAILIWICK_[A-Z_]*_)\$\{name\}`\]/g)]
  return readers.map(({ 1: prefix = '', index }, at) => {
    const part = text.slice(index, readers[at + 1]?.index)
    return { prefix, names: [...part.matchAll(/\bread\('([A-Z_]+)'\)/g)].map(({ 1: name = '' }) => name) }
  })
}
