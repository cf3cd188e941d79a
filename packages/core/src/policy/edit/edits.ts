import type { DocumentEdit } from '../../model/document-edit.ts'
import type { FactType } from '../../model/policy.ts'

/**
 * Declares an undeclared name as what it stands for anyhow. Safe only together with the others of the file: with a
 * `facts` block, a name that stands in none is an error.
 */
export function declareFact(name: string, type: FactType): DocumentEdit {
  return {
    title: `declares the fact \`${name}\` as a ${type} from \`params.${name}\``,
    safe: true,
    change: {
      kind: 'add',
      map: ['facts'],
      key: name,
      value: { type, from: `params.${name}` },
      before: ['actions', 'rules', 'budgets', 'rates', 'flows', 'approvals', 'invariants'],
    },
  }
}

/** Removes an entry of a list of names that stands in it before. */
export function removeRepeated(list: string, at: number, value: string): DocumentEdit {
  return {
    title: `removes the second \`${value}\` from ${list}`,
    safe: true,
    change: { kind: 'remove', item: [list, at], value },
  }
}
