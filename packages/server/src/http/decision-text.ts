import type { DecisionAnswer } from '@bailiwick/core'
import type { BatchAnswer } from './deciding.ts'

type Explanation = Pick<DecisionAnswer, 'reasons' | 'rules' | 'policy'>

/** What many answers have in common in their texts, with what it was written from. */
interface Explained extends Pick<Explanation, 'reasons' | 'policy'> {
  readonly text: string
}

/**
 * Writes the answers that agents get, just as `JSON.stringify` does. Most answers of a policy say the same of their
 * rules, reasons and policy, which are frozen: that is written once.
 */
export class DecisionTexts {
  /** By their lists of rules. */
  readonly #explained = new WeakMap<DecisionAnswer['rules'], Explained>()

  /** The answer as JSON. */
  text(answer: DecisionAnswer): string {
    if (saysMore(answer)) return JSON.stringify(answer)
    const { id, effect, record } = answer
    // Ids and effects hold nothing that JSON would escape.
    return `{"id":"${id}","effect":"${effect}",${this.#explainedText(answer)},"record":{"index":${record.index}}}`
  }

  /** The answers to the calls of one request as JSON. */
  batch({ decisions }: BatchAnswer): string {
    const texts = decisions.map((each) => ('effect' in each ? this.text(each) : JSON.stringify(each)))
    return `{"decisions":[${texts.join(',')}]}`
  }

  #explainedText({ reasons, rules, policy }: Explanation): string {
    const known = this.#explained.get(rules)
    if (known?.reasons === reasons && known.policy === policy) return known.text
    const text = JSON.stringify({ reasons, rules, policy }).slice(1, -1)
    const parts = [reasons, rules, ...rules, ...(policy === null ? [] : [policy])]
    if (parts.every((part) => Object.isFrozen(part))) this.#explained.set(rules, { reasons, policy, text })
    return text
  }
}

type More = Omit<DecisionAnswer, 'id' | 'effect' | 'record' | keyof Explanation>

function saysMore({ approval, obligations, shadow, standing, replayed, outcome }: DecisionAnswer): boolean {
  // A member of answers that is not asked for here breaks the build.
  const more: Required<More> = { approval, obligations, shadow, standing, replayed, outcome }
  return (
    more.approval !== undefined ||
    more.obligations !== undefined ||
    more.shadow !== undefined ||
    more.standing !== undefined ||
    more.replayed !== undefined ||
    more.outcome !== undefined
  )
}
