import {
  onOneLine,
  type ExplainedCounter,
  type ExplainedFact,
  type ExplainedPart,
  type ExplainedRule,
  type Explanation,
} from '@bailiwick/core'

/** An explanation as people read it in a terminal: every rule with its parts, the facts, the budgets, and what would change it. */
export function explanationText(explanation: Explanation): string {
  const { effect, reasons, approval, standing, rules, facts, counters, session, changes } = explanation
  const asked = approval === undefined ? [] : [`  asks for ${approval.routes.join(' and ')}`]
  const granted =
    standing === undefined ? [] : [`  ${standing.grant} was given by ${standing.by.join(' and ')}`]
  const blocks: readonly (readonly string[])[] = [
    [effect, ...reasons.map((reason) => `  ${reason}`), ...asked, ...granted],
    titled('Rules', [...rules.flatMap(ruleLines), ...elsewhere(explanation)]),
    titled('Facts', facts.map(factLine)),
    titled('Budgets and rates', counters.map(counterLine)),
    session === undefined ? [] : titled('Session', sessionLines(session)),
    changes.map(
      ({ change, effect: other, reason }) => `It would be ${effectWords[other]} if ${change}: ${reason}`,
    ),
  ]
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map(onOneLine).join('\n'))
    .join('\n\n')
}

function titled(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)]
}

function elsewhere({ rulesElsewhere: count }: Explanation): string[] {
  if (count === 0) return []
  return [
    count === 1 ? '1 other rule speaks of other actions' : `${count} other rules speak of other actions`,
  ]
}

const effectWords = { allow: 'allowed', deny: 'denied', escalate: 'escalated' } as const
const marks = { matched: '✓', not_matched: '✗', condition_error: '!' } as const
const requirementMarks = { matched: '✗', not_matched: '✓', condition_error: '!' } as const

function ruleLines(rule: ExplainedRule): string[] {
  const { id, because, line, file, condition, parts, link } = rule
  const place = file === undefined ? `line ${line}` : `${file} line ${line}`
  const mark = (isRequirement(rule) ? requirementMarks : marks)[because]
  const head = `${mark} ${id} (${place}) ${outcomeText(rule)}`
  const written = condition === undefined || isTheOnly(parts, condition) ? [] : [`    ${condition}`]
  return [
    head,
    ...written,
    ...parts.flatMap((part) => partLines(part, '    ')),
    ...(link === undefined ? [] : [`    see ${link}`]),
  ]
}

// The parts leave out what joins them, such as the `unless` of a rule and what a flow comes after.
function isTheOnly(parts: readonly ExplainedPart[], condition: string): boolean {
  return parts.length === 1 && parts[0]?.text === condition
}

function outcomeText(rule: ExplainedRule): string {
  const { because, effect, route, detail } = rule
  const shadow = rule.shadow === true ? ', in shadow mode, so it does not count' : ''
  const then = `${effect}${route === undefined ? '' : `, ${route}`}`
  if (because === 'not_matched') return isRequirement(rule) ? 'holds' : `did not match; otherwise ${then}`
  if (because === 'matched') return `${isRequirement(rule) ? 'does not hold' : 'matched'}: ${then}${shadow}`
  const why = detail === undefined ? '' : ` (${detail})`
  return `could not be evaluated, so it counts as matched: ${then}${shadow}${why}`
}

const requirementId =
  /^(?:.+:)?(?:environments|actions\..+\.(?:params|roles|environments|window|when|obligations))$/

// What a call has to satisfy reads the other way round: it denies where it does not hold.
function isRequirement({ id }: ExplainedRule): boolean {
  return requirementId.test(id)
}

function partLines({ text, value, error, parts }: ExplainedPart, indent: string): string[] {
  return [
    `${indent}${text}${resultText(value, error, parts)}`,
    ...parts.flatMap((part) => partLines(part, `${indent}  `)),
  ]
}

function resultText(value: string | null, error: string | null, parts: readonly ExplainedPart[]): string {
  if (error === null) return value === null ? ' – not asked for' : ` = ${value}`
  // Said once, at the part where it went wrong.
  return parts.some((part) => part.error === error) ? ' !' : ` ! ${error}`
}

const words = {
  params: "the model's word",
  context: "the host's word",
  lookup: 'from another system',
} as const

function factLine({ name, value, from, source, note }: ExplainedFact): string {
  if (note === 'the default of the policy')
    return `${name} = ${value ?? ''}: the policy's default, for ${from} is absent`
  const isSaid = note === undefined || (value === null && note.startsWith(`${from} is absent`))
  const told = isSaid ? '' : ` (${note})`
  return `${name} ${value === null ? 'is absent' : `= ${value}`}: ${from}, ${words[source]}${told}`
}

function counterLine({ id, limit, used, amount, masked, max }: ExplainedCounter): string {
  if (masked) return `- ${id}: what is used of it is sensitive, and not shown; it stops ${limit}`
  if (used === null || amount === null) {
    const what = amount === null ? 'what this call uses cannot be told' : 'what has been used is not known'
    return `! ${id}: ${what}; it matches ${limit}`
  }
  const left = max - used - amount
  const after = left < 0 ? `${numberText(-left)} too much` : `${numberText(left)} left`
  const mark = left < 0 ? '✓' : '✗'
  return `${mark} ${id}: ${numberText(used)} used + ${numberText(amount)} by this call of ${max}, ${after}; it matches ${limit}`
}

// Sums of decimals such as 0.1 + 0.2, as people would write them.
function numberText(number: number): string {
  return Math.abs(number) < 1e12 ? String(Number(number.toFixed(6))) : String(number)
}

function sessionLines({ labels, actions }: NonNullable<Explanation['session']>): string[] {
  return [
    `labels: ${labels.length === 0 ? 'none' : labels.join(', ')}`,
    `allowed before: ${actions.length === 0 ? 'nothing' : actions.join(', ')}`,
  ]
}
