/** One step of a sequence: so many characters of a set of ASCII characters. */
interface Step {
  readonly set: Uint8Array
  readonly min: number
  readonly max: number
}

/**
 * A matcher for the patterns that most parameters have: whole texts made of runs of ASCII characters, such as
 * `^ORD-[0-9]{4,10}$`. It reads the text once and is some ten times faster than a general engine.
 *
 * @param source a valid pattern of RE2
 * @returns undefined for every pattern of another form, which is then the general engine's
 */
export function sequenceMatcher(source: string): ((text: string) => boolean) | undefined {
  const steps = stepsOf(source)
  if (steps === undefined || !steps.every((_, at) => isDecided(steps, at))) return undefined
  return (text) => {
    let at = 0
    for (const { set, min, max } of steps) {
      const start = at
      while (at - start < max && at < text.length && set[text.charCodeAt(at)] === 1) at++
      if (at - start < min) return false
    }
    return at === text.length
  }
}

// Taking as many characters as there are is right only where none of them could belong to what follows.
function isDecided(steps: readonly Step[], at: number): boolean {
  const step = steps[at]
  if (step === undefined || step.min === step.max) return true
  for (const next of steps.slice(at + 1)) {
    if (next.set.some((member, code) => member === 1 && step.set[code] === 1)) return false
    if (next.min > 0) break
  }
  return true
}

const piece =
  /(?<plain>[\w \-!"#%&',/:;<=>@`~])|\\(?<escaped>[.+*?()|[\]{}^$\\/\-dw])|\[(?<members>(?:[^\\[\]^]|\\[.+*?()|[\]{}^$\\/\-dw])+)\]/y
const repetition = /(?<sign>[*+?])|\{(?<min>\d{1,4})(?:(?<open>,)(?<max>\d{1,4})?)?\}/y

function stepsOf(source: string): Step[] | undefined {
  if (!source.startsWith('^') || !source.endsWith('$') || source.endsWith('\\$')) return undefined
  const end = source.length - 1
  const steps: Step[] = []
  let at = 1
  while (at < end) {
    piece.lastIndex = at
    const groups = piece.exec(source)?.groups
    const set = groups === undefined ? undefined : setOf(groups)
    if (set === undefined) return undefined
    at = piece.lastIndex
    repetition.lastIndex = at
    const repeated = repetition.exec(source)?.groups
    if (repeated !== undefined) at = repetition.lastIndex
    // A second sign after the first asks for as few as possible, or means nothing.
    if (repeated !== undefined && '*+?{'.includes(source.charAt(at)) && at < end) return undefined
    steps.push({ set, ...countsOf(repeated) })
  }
  return at === end ? steps : undefined
}

function countsOf(groups: Readonly<Record<string, string | undefined>> | undefined): {
  min: number
  max: number
} {
  if (groups === undefined) return { min: 1, max: 1 }
  const { sign, min, open, max } = groups
  if (sign !== undefined) {
    return { min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Number.POSITIVE_INFINITY }
  }
  const least = Number(min)
  if (open === undefined) return { min: least, max: least }
  return { min: least, max: max === undefined ? Number.POSITIVE_INFINITY : Number(max) }
}

function setOf(groups: Readonly<Record<string, string | undefined>>): Uint8Array | undefined {
  const set = new Uint8Array(128)
  const { plain, escaped, members } = groups
  if (plain !== undefined) set[plain.charCodeAt(0)] = 1
  if (escaped !== undefined) addEscaped(set, escaped)
  return members === undefined || addMembers(set, members) ? set : undefined
}

function addEscaped(set: Uint8Array, name: string): void {
  if (name === 'd' || name === 'w') addRange(set, '0', '9')
  if (name === 'w') {
    addRange(set, 'A', 'Z')
    addRange(set, 'a', 'z')
    addRange(set, '_', '_')
  }
  if (name !== 'd' && name !== 'w') addRange(set, name, name)
}

/** Whether all members could be read; they are ASCII characters, escapes and ranges of letters or digits. */
function addMembers(set: Uint8Array, members: string): boolean {
  const member = /([A-Za-z0-9])-([A-Za-z0-9])|\\(.)|([ -,./-~]|-$|^-)/y
  let at = 0
  while (at < members.length) {
    member.lastIndex = at
    const found = member.exec(members)
    if (found === null) return false
    const [, from, to, escaped, single] = found
    if (from !== undefined && to !== undefined) addRange(set, from, to)
    else if (escaped !== undefined) addEscaped(set, escaped)
    else if (single !== undefined) addRange(set, single, single)
    at = member.lastIndex
    // A hyphen that is neither a range of letters nor at an end is left to the general engine.
    if (members[at] === '-' && at < members.length - 1) return false
  }
  return true
}

function addRange(set: Uint8Array, from: string, to: string): void {
  set.fill(1, from.charCodeAt(0), to.charCodeAt(0) + 1)
}
