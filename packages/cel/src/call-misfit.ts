import { labelled } from './compile-context.ts'
import { parametersOf } from './check-call.ts'
import { isList, phraseOf } from './kinds.ts'
import { labelOf } from './label.ts'
import type { LibraryFunction } from './library/entry.ts'
import { acceptOf } from './parameters.ts'
import { wholeOf } from './policy-dialect.ts'
import type { CallNode, Node } from './syntax.ts'
import { CelFailure } from './value.ts'
import type { CelValue } from './value.ts'

/** Says why no form of a function takes the values it is given. */
export type Misfit = (values: readonly CelValue[]) => CelFailure

/** For a function of several forms. */
export function generalMisfit(node: CallNode): Misfit {
  return (values) => {
    const given = values.map(phraseOf).join(' and ')
    return new CelFailure(
      `${labelOf(node)} could not be evaluated: no such overload of ${node.name} for ${given}`,
    )
  }
}

/** For a function of which only one form can be meant. */
export function misfitOf(node: CallNode, nodes: readonly Node[], form: LibraryFunction): Misfit {
  const types = parametersOf(form)
  return (values) => {
    for (const [index, type] of types.entries()) {
      const [value, arg] = [values[index], nodes[index]]
      if (value === undefined || arg === undefined) continue
      if (acceptOf(type, true, true)(value) !== undefined) continue
      if (type === 'int') {
        const whole = wholeOf(value)
        return whole instanceof CelFailure ? labelled(arg, whole) : labelled(arg, new CelFailure('fails'))
      }
      if (typeof type === 'string')
        return new CelFailure(`${labelOf(arg)} is ${phraseOf(value)}, not a ${type}`)
      const what = 'list' in type ? 'list' : 'map'
      if (what === 'list' && isList(value)) {
        const items = 'list' in type && typeof type.list === 'string' ? `${type.list}s` : 'the right items'
        const verb = node.name === 'join' ? 'joins' : 'takes'
        return labelled(node, new CelFailure(`${verb} a list that is not only ${items}`))
      }
      const why = `could not be evaluated: ${labelOf(arg)} is ${phraseOf(value)}, not a ${what}`
      return labelled(node, new CelFailure(why))
    }
    return generalMisfit(node)(values)
  }
}

/** Of a value of any type, only a list is counted: what is sent in place of it has another size. */
export function uncounted(node: CallNode, value: CelValue): CelFailure {
  const label = labelOf(node.target ?? node.args[0] ?? node)
  const text = 'is a string; write size(string(…)) if a text is meant'
  return new CelFailure(`${label} ${typeof value === 'string' ? text : `is ${phraseOf(value)}, not a list`}`)
}
