import type { Obligation } from '../api.ts'
import { visibleText } from '../wording.ts'
import { Icon } from './icons.tsx'

/** What has to be done with the call beside running it, on one line each. */
export function Obligations({ obligations }: { readonly obligations: readonly Obligation[] }) {
  return (
    <ul className="obligations">
      {obligations.map((obligation) => (
        <li key={`${obligation.kind} ${obligation.path ?? obligation.channel ?? ''}`}>
          <Icon name="todo" />
          <ObligationText obligation={obligation} />
        </li>
      ))}
    </ul>
  )
}

function ObligationText({ obligation: { kind, path, channel } }: { readonly obligation: Obligation }) {
  if (kind === 'redact') {
    return (
      <span>
        The agent’s host has to redact <code className="break">{visibleText(path ?? '')}</code>
      </span>
    )
  }
  return (
    <span>
      The service tells <code className="break">{visibleText(channel ?? '')}</code>
    </span>
  )
}
