import { ShapeMismatch } from './shape.ts'

/** Why a request gave no answer, in words for people. */
export class Problem extends Error {
  override readonly name = 'Problem'
  /** The HTTP status, or null where no answer came at all. */
  readonly status: number | null
  readonly detail: string | null
  /** What the reader can do next, where the service said so. */
  readonly fix: string | null

  constructor(status: number | null, title: string, detail: string | null, fix: string | null) {
    super(title)
    this.status = status
    this.detail = detail
    this.fix = fix
  }
}

/** No answer came: the service is down, or the connection is. */
export function unreachableProblem(): Problem {
  return new Problem(
    null,
    'The service can’t be reached',
    null,
    'Check that it is running and that you are connected to its network, then try again.',
  )
}

/** Reads an RFC 9457 problem document; anything else becomes a problem named after the status. */
export function problemFrom(status: number, body: unknown): Problem {
  const member = (name: string): string | null => {
    if (typeof body !== 'object' || body === null) return null
    const value: unknown = Object.entries(body).find(([key]) => key === name)?.[1]
    return typeof value === 'string' && value.trim() !== '' ? value : null
  }
  const title = member('title') ?? titleOf(status)
  const detail = member('detail')
  const fix = member('fix')
  return new Problem(
    status,
    sentence(title),
    detail === null ? null : sentence(detail),
    fix === null ? null : readable(fix),
  )
}

/** Any thrown value as a problem that can be shown. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  if (thrown instanceof ShapeMismatch) {
    return new Problem(
      null,
      'The service answered with something this page doesn’t understand',
      sentence(thrown.message),
      'Reload the page: the service may have been updated since you opened it.',
    )
  }
  const detail = thrown instanceof Error ? sentence(thrown.message) : null
  return new Problem(null, 'Something went wrong on this page', detail, 'Reload the page.')
}

function titleOf(status: number): string {
  if (status === 401) return 'You are not signed in'
  if (status === 403) return 'You may not do this'
  if (status === 404) return 'There is nothing here'
  if (status === 429) return 'Too many requests at once'
  if (status >= 500) return 'The service has a problem of its own'
  return `The service refused the request (${status})`
}

/** The service's messages start in lower case, unless with a name, and end without a full stop. */
function sentence(text: string): string {
  const startsWithName = /^\w*[_\d]/.test(text)
  return readable(startsWithName ? text : text.charAt(0).toUpperCase() + text.slice(1))
}

/** The service sets outside text in backticks, as for a terminal; people read quotation marks. */
function readable(text: string): string {
  return text.replace(/`([^`]*)`/g, '“$1”')
}
