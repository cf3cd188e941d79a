const nameShownMax = 40
const stepsShownMax = 16

/** The way to a field as people write it, such as `params.items[2]`; shortened where it is long, empty for no steps. */
export function fieldPath(steps: readonly PropertyKey[]): string {
  const shown = steps.slice(0, stepsShownMax).map(stepText).join('').replace(/^\./, '')
  return steps.length > stepsShownMax ? `${shown}…` : shown
}

/** A name from outside on one line, shortened where it is long. */
export function shownName(name: string): string {
  const shown = name.length > nameShownMax ? `${name.slice(0, nameShownMax)}…` : name
  return /^[\w$…-]+$/.test(shown) ? shown : JSON.stringify(shown)
}

function stepText(step: PropertyKey): string {
  if (typeof step === 'number') return `[${step}]`
  const shown = shownName(String(step))
  return shown.startsWith('"') ? `[${shown}]` : `.${shown}`
}
