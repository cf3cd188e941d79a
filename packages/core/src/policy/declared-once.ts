import { canonicalJsonOfPresent } from '../model/canonical-json.ts'
import type { PolicyFile } from './schema.ts'
import type { Findings, PolicySource } from './sources.ts'

/** Something that a name was declared to be, and where. */
export interface Declared<Written> {
  readonly name: string
  readonly written: Written
  readonly source: PolicySource
}

type MapKey = 'facts' | 'windows' | 'roles'
type WrittenAt<Key extends MapKey> = NonNullable<PolicyFile[Key]>[string]

/**
 * What the files of a policy declare under `key`. A name may be declared again only as what it already is: a
 * rule of one file must not mean something else because of another file.
 *
 * @param sources the files, those that are extended before those that extend them
 */
export function declaredOnce<Key extends MapKey>(
  key: Key,
  sources: readonly PolicySource[],
  findings: Findings,
): readonly Declared<WrittenAt<Key>>[] {
  const declared = new Map<string, Declared<WrittenAt<Key>>>()
  for (const source of sources) {
    const entries = Object.entries(source.content[key] ?? {}) as [string, WrittenAt<Key>][]
    for (const [name, written] of entries) {
      const before = declared.get(name)
      if (before === undefined) {
        declared.set(name, { name, written, source })
      } else if (canonicalJsonOfPresent(before.written) !== canonicalJsonOfPresent(written)) {
        const message = `\`${name}\` is declared in another way in \`${before.source.file ?? ''}\``
        findings.error(
          source,
          source.positions.ofKey([key, name]),
          message,
          'remove it, or choose another name',
          { code: 'redeclared-name' },
        )
      }
    }
  }
  return [...declared.values()]
}
