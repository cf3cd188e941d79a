import { stringify } from 'yaml'
import type { Atom, NumberTree, PolicyModel, Ref, RuleModel, TextTree, Truth } from './model.ts'

/** The policy as people would write it for the product. `beside`: further keys of the file. */
export function writeYaml(policy: PolicyModel, beside: object = {}): string {
  const rules = (place: RuleModel['place']): object[] =>
    policy.rules.filter((rule) => rule.place === place).map(writeRule)
  const written = {
    agent_id: policy.agent,
    allowed_actions: policy.allowed,
    forbidden_actions: policy.forbidden,
    facts: Object.fromEntries(
      policy.facts.map((fact) => [
        fact.name,
        {
          type: fact.type,
          from: pathText(fact),
          ...(fact.for === undefined ? {} : { for: fact.for }),
          ...(fact.default === undefined ? {} : { default: fact.default }),
        },
      ]),
    ),
    escalation_rules: rules('escalation_rules'),
    rules: rules('rules'),
    approvals: Object.fromEntries(
      policy.routes.flatMap(({ name, terms }) =>
        terms === undefined
          ? []
          : [
              [
                name,
                {
                  approvers: [`role:${name.replaceAll('_', '-')}`],
                  quorum: terms.quorum,
                  deadline: `${terms.minutes}m`,
                },
              ],
            ],
      ),
    ),
    ...beside,
  }
  return stringify(written, { aliasDuplicateObjects: false })
}

/** A rule as it stands in the file. */
export function writeRule(rule: RuleModel): object {
  return {
    ...(rule.named ? { id: rule.id } : {}),
    ...(rule.on === undefined ? {} : { on: rule.on.length === 1 ? rule.on[0] : rule.on }),
    ...(rule.condition === undefined ? {} : { condition: writeCel(rule.condition) }),
    ...(rule.place === 'rules' ? { effect: rule.effect } : {}),
    ...(rule.route === undefined ? {} : { action: rule.route }),
  }
}

/** The path of a source, as files write it. */
export function pathText(ref: Ref): string {
  return [ref.root, ...ref.path].join('.')
}

/** How tightly CEL's operators bind, the loosest first. */
const binding = { choice: 1, or: 2, and: 3, relation: 4, sum: 5, product: 6, unary: 7, member: 8 } as const

interface Written {
  readonly text: string
  readonly binds: number
}

/** A condition in CEL, with no more brackets than the binding of its operators asks for. */
export function writeCel(tree: Truth): string {
  return truth(tree).text
}

function inside({ text, binds }: Written, least: number): string {
  return binds < least ? `(${text})` : text
}

function truth(tree: Truth): Written {
  switch (tree.kind) {
    case 'and':
    case 'or': {
      const binds = binding[tree.kind]
      const sign = tree.kind === 'and' ? '&&' : '||'
      return {
        text: `${inside(truth(tree.left), binds)} ${sign} ${inside(truth(tree.right), binds + 1)}`,
        binds,
      }
    }
    case 'not':
      return { text: `!${inside(truth(tree.operand), binding.member)}`, binds: binding.unary }
    case 'choice': {
      const test = inside(truth(tree.test), binding.or)
      const [yes, no] = [inside(truth(tree.yes), binding.or), inside(truth(tree.no), binding.choice)]
      return { text: `${test} ? ${yes} : ${no}`, binds: binding.choice }
    }
    default:
      return atom(tree)
  }
}

function atom(tree: Atom): Written {
  const relation = (left: string, sign: string, right: string): Written => ({
    text: `${left} ${sign} ${right}`,
    binds: binding.relation,
  })
  const call = (text: string): Written => ({ text, binds: binding.member })
  switch (tree.kind) {
    case 'compare': {
      const [left, right] = [inside(number(tree.left), binding.sum), inside(number(tree.right), binding.sum)]
      return relation(left, tree.operator, right)
    }
    case 'flag':
      return call(read(tree.of))
    case 'same_flag': {
      const right = typeof tree.right === 'boolean' ? String(tree.right) : read(tree.right)
      return relation(read(tree.left), tree.negated ? '!=' : '==', right)
    }
    case 'same_text':
      return relation(text(tree.left), tree.negated ? '!=' : '==', text(tree.right))
    case 'part':
      return call(`${read(tree.of)}.${tree.place}(${JSON.stringify(tree.part)})`)
    case 'one_of':
      return relation(text(tree.item), 'in', JSON.stringify(tree.list))
    case 'holds':
      return relation(JSON.stringify(tree.item), 'in', read(tree.of))
    case 'is_empty':
      return relation(`size(${read(tree.of)})`, '==', '0')
    case 'has':
      return call(`has(${read(tree.of)})`)
    case 'time':
      return relation('now', tree.operator, `timestamp("${new Date(tree.at).toISOString()}")`)
    case 'env':
      return relation('env', tree.negated ? '!=' : '==', JSON.stringify(tree.name))
    case 'role':
      return relation(JSON.stringify(tree.name), 'in', 'roles')
    case 'visited':
      return relation(JSON.stringify(tree.item), 'in', `session.${tree.list}`)
    case 'any_item':
    case 'every_item': {
      const macro = tree.kind === 'any_item' ? 'exists' : 'all'
      return call(`${read(tree.of)}.${macro}(item, item ${tree.operator} ${tree.than})`)
    }
    default:
      return tree
  }
}

function number(tree: NumberTree): Written {
  switch (tree.kind) {
    case 'number':
      return { text: String(tree.value), binds: tree.value < 0 ? binding.unary : binding.member }
    case 'read':
      return { text: read(tree.of), binds: binding.member }
    case 'negate':
      return { text: `-${inside(number(tree.operand), binding.member)}`, binds: binding.unary }
    case 'arithmetic': {
      const binds = tree.operator === '+' || tree.operator === '-' ? binding.sum : binding.product
      const [left, right] = [inside(number(tree.left), binds), inside(number(tree.right), binds + 1)]
      return { text: `${left} ${tree.operator} ${right}`, binds }
    }
    default:
      return tree
  }
}

function text(tree: TextTree): string {
  if (tree.kind === 'text') return JSON.stringify(tree.value)
  return tree.kind === 'of_call' ? tree.name : read(tree.of)
}

function read(ref: Ref): string {
  return ref.kind === 'fact' ? ref.name : pathText(ref)
}
