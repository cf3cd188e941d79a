import type { Approval } from '../api.ts'
import { visibleText } from '../wording.ts'

/** In whose names the reader could vote on an approval: their own first. */
export function namesFor({ mayVote, mayVoteFor }: Approval, me: string): readonly string[] {
  return [...(mayVote ? [me] : []), ...(mayVoteFor ?? [])]
}

/** Asks in whose name a vote is, where there is more than one answer; otherwise says it, where it is not the reader's own. */
export function InWhoseName({
  names,
  me,
  name,
  isClear,
  isDisabled,
  onChoose,
}: {
  readonly names: readonly string[]
  readonly me: string
  readonly name: string | null
  /** There is one name, and there was no other since the form was opened. */
  readonly isClear: boolean
  readonly isDisabled: boolean
  readonly onChoose: (name: string) => void
}) {
  const [only] = names
  if (isClear) {
    if (only === undefined || only === me) return null
    return (
      <p className="in-stead">
        You vote in the stead of <strong className="break">{visibleText(only)}</strong>, by what they may do.
      </p>
    )
  }
  return (
    <fieldset className="names" disabled={isDisabled}>
      <legend>In whose name?</legend>
      {names.map((each) => (
        <label key={each} className="switch">
          <input
            type="radio"
            name="in-whose-name"
            value={each}
            checked={name === each}
            onChange={() => onChoose(each)}
          />
          <span className="break">{each === me ? 'My own' : `In the stead of ${visibleText(each)}`}</span>
        </label>
      ))}
      <p className="small quiet">You vote once on this call, in one name; it uses up both.</p>
    </fieldset>
  )
}
