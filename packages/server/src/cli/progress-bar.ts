const width = 24
const redrawMs = 100

/** How far something is, on one line of a terminal that is written over and over: a bar, a rate and an estimate. */
export class ProgressBar {
  readonly #write: (line: string) => void
  readonly #now: () => number
  readonly #start: number
  #lastDrawn = Number.NEGATIVE_INFINITY

  /**
   * @param write replaces the line that it wrote before; an empty one leaves nothing behind
   * @param now milliseconds
   */
  constructor(write: (line: string) => void, now: () => number) {
    this.#write = write
    this.#now = now
    this.#start = now()
  }

  /** `done` records of `size`. Drawn ten times a second at the most. */
  show(done: number, size: number): void {
    const now = this.#now()
    if (now - this.#lastDrawn < redrawMs) return
    this.#lastDrawn = now
    this.#write(progressText(done, size, (now - this.#start) / 1000))
  }

  /** Leaves the line empty. */
  end(): void {
    this.#write('')
  }
}

/** One line: bar, percentage, records, records a second, and how long it will take yet. */
export function progressText(done: number, size: number, seconds: number): string {
  const share = size === 0 ? 1 : Math.min(1, done / size)
  const full = Math.floor(share * width)
  const bar = '█'.repeat(full) + '░'.repeat(width - full)
  const percent = `${Math.floor(share * 100)} %`.padStart(5)
  const records = `${grouped(done)} of ${grouped(size)} records`
  // Of the first moments nothing can be foretold.
  const rate = seconds >= 0.01 ? done / seconds : 0
  if (rate === 0) return `${bar} ${percent}  ${records}`
  const left = durationText((size - done) / rate)
  return `${bar} ${percent}  ${records}, ${grouped(Math.round(rate))}/s, ${left} left`
}

function grouped(count: number): string {
  return count.toLocaleString('en')
}

function durationText(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min ${whole % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
