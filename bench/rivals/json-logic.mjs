import jsonLogic from 'json-logic-js'

/** JsonLogic: one rule that gives the list of all that matched. */
export const jsonLogicJs = {
  name: 'json-logic-js',
  includes:
    'effect and the ids of all that matched; unlike types are converted, so an amount of "600" passes',
  seed: engine,
  rules: engine,
}

function engine({ allowed, forbidden, rules }) {
  const action = { var: 'action' }
  const logic = {
    if: [
      { in: [action, forbidden] },
      ['deny forbidden'],
      { '!': { in: [action, allowed] } },
      ['deny not allowed'],
      {
        merge: rules.map(({ id, actions, parts, effect, route }) => {
          const about = actions.length === allowed.length ? true : { in: [action, actions] }
          return { if: [{ and: [about, ...parts.map(condition)] }, `${effect} ${route ?? id}`, []] }
        }),
      },
    ],
  }
  return (call) => {
    const reasons = jsonLogic.apply(logic, call)
    if (reasons.length === 0) return { effect: 'allow', reasons: ['Action approved'] }
    return { effect: reasons.some((id) => id.startsWith('deny ')) ? 'deny' : 'escalate', reasons }
  }
}

function condition({ field, over, is }) {
  if (over !== undefined) return { '>': [{ var: `params.${field}` }, over] }
  return is === undefined ? { var: `context.customer.${field}` } : { '===': [{ var: `params.${field}` }, is] }
}
