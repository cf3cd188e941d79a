/** A field on one line with its name and a note on what belongs into it. What is typed is taken as it is. */
export function LabelledInput({
  label,
  note = null,
  type = 'text',
  isRequired = false,
  lengthMax = 200,
  value,
  onChange,
}: {
  readonly label: string
  readonly note?: string | null
  readonly type?: 'text' | 'email' | 'datetime-local'
  readonly isRequired?: boolean
  readonly lengthMax?: number
  readonly value: string
  readonly onChange: (value: string) => void
}) {
  return (
    <label className="comment">
      <span>
        {label} {note !== null && <span className="quiet">{note}</span>}
      </span>
      <input
        type={type}
        required={isRequired}
        maxLength={lengthMax}
        value={value}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  )
}
