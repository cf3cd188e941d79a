const unitsMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const

/** The units of lengths of time, as files write them. */
export type SpanUnit = keyof typeof unitsMs

/** A length of time such as `30s` in milliseconds; NaN where the text is none. */
export function spanMs(text: string): number {
  const [, amount, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? []
  return unit === undefined ? Number.NaN : Number(amount) * unitsMs[unit as SpanUnit]
}

/** Milliseconds as people write them, in the largest unit that fits: `90s`, `1d`. */
export function spanText(ms: number): string {
  for (const [unit, size] of Object.entries(unitsMs)) if (ms % size === 0) return `${ms / size}${unit}`
  return `${ms}ms`
}
