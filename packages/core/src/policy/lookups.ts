import type { CallPath, Lookup } from '../model/lookup.ts'
import { lookupTimeoutMsDefault } from '../model/limits.ts'
import type { PolicyFile } from './schema.ts'
import type { Findings, PolicySource } from './sources.ts'

type WrittenLookup = Exclude<NonNullable<PolicyFile['facts']>[string]['from'], string>

const callPath = /^(params|context)(\.[A-Za-z_][A-Za-z0-9_]*)+$/
// Scheme, host and a slash as they stand: no value of a call may choose whom we ask.
const fixedStart = /^https?:\/\/[A-Za-z0-9._-]+(:\d{1,5})?\//

/** How a fact is looked up; undefined where it is written wrongly. */
export function compileLookup(
  fact: string,
  written: WrittenLookup,
  source: PolicySource,
  findings: Findings,
): Lookup | undefined {
  const timeoutMs = written.timeout ?? lookupTimeoutMsDefault
  const cacheMs = written.cache ?? 0
  if (written.http !== undefined) {
    const place = source.positions.ofValue(['facts', fact, 'from', 'http'])
    const url = urlTemplate(written.http)
    if (typeof url === 'string') {
      const fix = 'write it as "https://crm.example.com/customers/{params.customer_id}"'
      findings.error(source, place, `the address of \`${fact}\` ${url}`, fix, { code: 'lookup-address' })
      return undefined
    }
    return { kind: 'http', url, select: written.select?.split('.') ?? [], timeoutMs, cacheMs }
  }
  const text = written.sql ?? ''
  const args = (written.args ?? []).map((path) => path.split('.'))
  const misfit = placeholderProblem(text, args.length)
  if (misfit !== undefined) {
    const fix = 'write `$1`, `$2` … in the query, one for each of `args`'
    findings.error(source, source.positions.ofValue(['facts', fact, 'from', 'sql']), misfit, fix, {
      code: 'lookup-arguments',
    })
    return undefined
  }
  return { kind: 'sql', source: written.source ?? '', text, args, timeoutMs, cacheMs }
}

/** Text and values in turns, or what is wrong. */
function urlTemplate(text: string): readonly (string | CallPath)[] | string {
  if (/[\s\p{C}\\#]/u.test(text)) return 'holds a character that no address may have'
  const parts = text.split(/\{([^{}]*)\}/)
  const first = parts[0] ?? ''
  if (!fixedStart.test(first))
    return 'must begin with http:// or https://, a host that is written out, and a slash'
  const template: (string | CallPath)[] = []
  for (const [at, part] of parts.entries()) {
    if (at % 2 === 1) {
      if (!callPath.test(part)) return `has \`{${part}}\`, which is no path such as {params.customer_id}`
      template.push(part.split('.'))
    } else if (/[{}]/.test(part)) {
      return 'has a brace that is not closed'
    } else if (part !== '') {
      template.push(part)
    }
  }
  return template
}

function placeholderProblem(text: string, args: number): string | undefined {
  const used = new Set([...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)))
  for (let at = 1; at <= args; at++) if (!used.has(at)) return `the query does not use \`$${at}\``
  const beyond = [...used].find((number) => number < 1 || number > args)
  return beyond === undefined ? undefined : `the query uses \`$${beyond}\`, and has ${args} arguments`
}
