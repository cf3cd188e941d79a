import type { CallLeaf } from '@bailiwick/core/words'
import { DateValue, OutsideText } from './fields.tsx'
import { Hidden } from './reveal.tsx'

/**
 * One value of a call inside of a line or a table.
 *
 * @param text what is shown in the value's place, where it is too long
 */
export function LeafValue({
  leaf: { kind, value },
  text = value,
}: {
  readonly leaf: CallLeaf
  readonly text?: string
}) {
  switch (kind) {
    case 'masked':
      return <Hidden />
    case 'absent':
      return <em className="quiet">{value}</em>
    case 'number':
      return <span className="number">{value}</span>
    case 'date':
      return <DateValue text={value} />
    case 'text':
    case 'long':
    case 'list':
    case 'json':
      return <OutsideText text={text} />
    default:
      return kind satisfies never
  }
}
