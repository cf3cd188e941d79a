import { yamlTokens } from '../yaml.ts'
import { visibleText } from '../wording.ts'

/** YAML in colours, without numbers of lines. */
export function Yaml({ text }: { readonly text: string }) {
  return (
    <code>
      {text.split('\n').map((line, at) => (
        // Lines have no name of their own, and never change places.
        <YamlLine key={at} line={line} />
      ))}
    </code>
  )
}

/** A file with numbered lines, each of which can be linked to as `#line-12`. */
export function YamlFile({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className="source" role="region" aria-label={label} tabIndex={0}>
      <ol>
        {text
          .replace(/\n$/, '')
          .split('\n')
          .map((line, at) => (
            <li key={at} id={`line-${at + 1}`}>
              <code>
                <YamlLine line={line} />
              </code>
            </li>
          ))}
      </ol>
    </div>
  )
}

function YamlLine({ line }: { readonly line: string }) {
  return (
    <>
      {yamlTokens(line).map(({ kind, text }, at) => (
        <span key={at} className={kind === 'plain' ? undefined : `yaml-${kind}`}>
          {visibleText(text)}
        </span>
      ))}
      {'\n'}
    </>
  )
}
