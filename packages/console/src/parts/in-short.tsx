import { callLeaves, mainLeaves } from '@bailiwick/core/words'
import type { CallLeaf } from '@bailiwick/core/words'
import type { Approval } from '../api.ts'
import { compareAll } from '../call-changes.ts'
import type { Member } from '../call-changes.ts'
import { visibleText } from '../wording.ts'
import { LeafValue } from './leaf-value.tsx'

const membersShownMax = 4
const differingShownMax = 3
/** Of more calls than these the list scrolls by itself. */
const callsShownMax = 6
const valueLengthMax = 120

/** What an answer is about, said once more where it is given: on a phone, the rest of the page is out of sight there. */
export function CallInShort({ approval }: { readonly approval: Approval }) {
  const { shown, left } = mainLeaves([...callLeaves(approval.params, approval).values()], membersShownMax)
  return (
    <div className="in-short" role="group" aria-label="What you answer">
      <p>
        <Asking approval={approval} />
      </p>
      <Leaves leaves={shown} />
      {left > 0 && (
        <p className="small quiet">
          and {left} more {left === 1 ? 'parameter' : 'parameters'}, under <em>Parameters</em>
        </p>
      )}
    </div>
  )
}

/** The same of calls that are answered together: what is the same in all, and of each what is not. */
export function CallsInShort({ approvals }: { readonly approvals: readonly Approval[] }) {
  const [first] = approvals
  if (first === undefined) return null
  const { same, differing } = compareAll(approvals.map((approval) => ({ ...approval, context: null })))
  const common = mainLeaves(same.flatMap(anyLeaf), membersShownMax)
  const main = new Set(mainLeaves(differing.flatMap(anyLeaf), differingShownMax).shown.map(pointerOf))
  const told = differing.filter((member) => main.has(member.pointer))
  const left = common.left + differing.length - told.length
  return (
    <div className="in-short" role="group" aria-label="What you answer">
      <p>
        <Asking approval={first} />
        {approvals.length > 1 && <strong>, {approvals.length} times</strong>}
      </p>
      <Leaves leaves={common.shown} />
      {told.length > 0 && <Calls approvals={approvals} members={told} />}
      {left > 0 && (
        <p className="small quiet">
          and {left} more {left === 1 ? 'parameter' : 'parameters'} of each, further up
        </p>
      )}
    </div>
  )
}

function Asking({ approval: { agent, action } }: { readonly approval: Approval }) {
  return (
    <>
      <strong className="break">{visibleText(agent)}</strong> asks to run{' '}
      <code className="break">{visibleText(action)}</code>
    </>
  )
}

function Leaves({ leaves }: { readonly leaves: readonly CallLeaf[] }) {
  if (leaves.length === 0) return null
  return (
    <dl className="in-short-members">
      {leaves.map((leaf) => (
        <div key={leaf.pointer}>
          <dt>{leaf.label}</dt>
          <dd>
            <LeafValue leaf={leaf} text={cut(leaf.value)} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Calls({
  approvals,
  members,
}: {
  readonly approvals: readonly Approval[]
  readonly members: readonly Member[]
}) {
  const list = (
    <ul className="in-short-calls">
      {approvals.map(({ id }, at) => (
        <li key={id}>
          <span className="quiet">{id}</span>
          <Leaves leaves={members.flatMap(({ leaves }) => leaves[at] ?? [])} />
        </li>
      ))}
    </ul>
  )
  if (approvals.length <= callsShownMax) return list
  return (
    <div className="in-short-scroll" role="region" aria-label="The calls, one by one" tabIndex={0}>
      {list}
    </div>
  )
}

function anyLeaf({ leaves }: Member): readonly CallLeaf[] {
  const leaf = leaves.find((each) => each !== null)
  return leaf === undefined || leaf === null ? [] : [leaf]
}

function pointerOf({ pointer }: CallLeaf): string {
  return pointer
}

function cut(text: string): string {
  return text.length <= valueLengthMax ? text : `${text.slice(0, valueLengthMax).trimEnd()}…`
}
