import type { DecisionAnswer } from '@bailiwick/core'
import type { BatchAnswer } from './deciding.ts'

type Explanation = Pick<DecisionAnswer, 'reasons' | 'rules' | 'policy'>

/** What many answers have in common in their texts, with what it was written from. */
interface Explained extends Pick<Explanation, 'reasons' | 'policy'> {
  readonly text: string
  /** How many bytes that is. */
  readonly bytes: number
}

/** An answer as JSON, and how many bytes that is, where it is known. */
export interface WrittenAnswer {
  readonly text: string
  readonly bytes?: number | undefined
}

/**
 * Writes the answers that agents get, just as `JSON.stringify` does. Most answers of a policy say the same of their
 * rules, reasons and policy, which are frozen: that is written once.
 */
export class DecisionTexts {
  /** By their lists of rules. */
  readonly #known = new WeakMap<DecisionAnswer['rules'], Explained>()

  /** The answer as JSON. */
  written(answer: DecisionAnswer): WrittenAnswer {
    if (saysMore(answer)) return { text: JSON.stringify(answer) }
    const { id, effect, record } = answer
    const explained = this.#explained(answer)
    // Ids and effects hold nothing that JSON would escape, and nothing beyond ASCII.
    const text = `{"id":"${id}","effect":"${effect}",${explained.text},"record":{"index":${record.index}}}`
    return { text, bytes: text.length - explained.text.length + explained.bytes }
  }

  /** The answers to the calls of one request as JSON. */
  batch({ decisions }: BatchAnswer): string {
    const texts = decisions.map((each) => ('effect' in each ? this.written(each).text : JSON.stringify(each)))
    return `{"decisions":[${texts.join(',')}]}`
  }

  #explained({ reasons, rules, policy }: Explanation): Explained {
    const known = this.#known.get(rules)
    if (known?.reasons === reasons && known.policy === policy) return known
    const text = JSON.stringify({ reasons, rules, policy }).slice(1, -1)
    const explained = { reasons, policy, text, bytes: Buffer.byteLength(text) }
    const parts = [reasons, rules, ...rules, ...(policy === null ? [] : [policy])]
    if (parts.every((part) => Object.isFrozen(part))) this.#known.set(rules, explained)
    return explained
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
