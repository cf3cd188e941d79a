import type { DecisionFilter } from './api.ts'

/** A stretch of time that ends now. */
export type Recent = '1h' | '24h' | '7d' | '30d'

/** What the address says of which decisions to list. */
export interface AddressFilter extends DecisionFilter {
  /** In place of `since` and `until`. */
  readonly last?: Recent
}

const recentMs: Readonly<Record<Recent, number>> = {
  '1h': 3_600_000,
  '24h': 86_400_000,
  '7d': 604_800_000,
  '30d': 2_592_000_000,
}

const texts = ['agent', 'action', 'policy', 'text'] as const

/** The filter of an address; what it does not understand does not filter. */
export function filterOf(search: string): AddressFilter {
  const members = new URLSearchParams(search)
  const effect = (['allow', 'deny', 'escalate'] as const).find((word) => word === members.get('effect'))
  const last = (['1h', '24h', '7d', '30d'] as const).find((word) => word === members.get('last'))
  const given = texts.flatMap((name) => {
    const value = members.get(name)
    return value === null || value === '' ? [] : [[name, value] as const]
  })
  const times = (['since', 'until'] as const).flatMap((name) => {
    const at = Date.parse(members.get(name) ?? '')
    return Number.isNaN(at) || last !== undefined ? [] : [[name, new Date(at).toISOString()] as const]
  })
  return {
    ...(effect === undefined ? {} : { effect }),
    ...Object.fromEntries([...given, ...times]),
    ...(last === undefined ? {} : { last }),
  }
}

/** The filter as the part of an address, so that what one sees can be sent to others. */
export function searchOf(filter: AddressFilter): string {
  const members = new URLSearchParams()
  for (const [name, value] of Object.entries(filter)) {
    if (typeof value === 'string' && value !== '') members.set(name, value)
  }
  return members.size === 0 ? '' : `?${members}`
}

/** What to ask the service for, at this time. */
export function askedFilter({ last, ...filter }: AddressFilter, now: number): DecisionFilter {
  if (last === undefined) return filter
  return { ...filter, since: new Date(now - recentMs[last]).toISOString() }
}
