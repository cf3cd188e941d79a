// What is decided, as data that each engine writes in its own language. `parts` of a rule all have to hold.

/** The policy file that users of the original recipe have, with what its names mean. */
export const seed = {
  allowed: ['issue_refund', 'modify_shipping_address', 'apply_discount'],
  forbidden: ['delete_account', 'access_payment_details', 'change_pricing_tiers'],
  rules: [
    {
      id: 'large-refund',
      actions: ['issue_refund'],
      parts: [{ field: 'amount', over: 500 }],
      effect: 'escalate',
      route: 'human_approval_required',
    },
    {
      id: 'vip',
      actions: ['issue_refund', 'modify_shipping_address', 'apply_discount'],
      parts: [{ field: 'is_vip' }],
      effect: 'escalate',
      route: 'human_review_before_action',
    },
  ],
}

/** Calls of the four kinds in turn, no two alike, with the effect that each must have. */
export function seedMix(size = 64) {
  const kinds = [
    { name: 'forbidden', effect: 'deny', action: 'delete_account', amount: undefined },
    { name: 'not allowed', effect: 'deny', action: 'send_marketing_email', amount: undefined },
    { name: 'allowed', effect: 'allow', action: 'issue_refund', amount: 100 },
    { name: 'escalates', effect: 'escalate', action: 'issue_refund', amount: 600 },
  ]
  return Array.from({ length: size }, (_, at) => {
    const { name, effect, action, amount } = kinds[at % kinds.length]
    const params =
      amount === undefined
        ? { account: `A-${at}` }
        : { amount: amount + at, order_id: `O-${at}`, reason: 'damaged in transit' }
    return { name, effect, call: callOf(action, params, at) }
  })
}

/** `perAction` deny rules for each of `actions` actions, of three shapes. */
export function manyRules(actions, perAction) {
  const names = Array.from({ length: actions }, (_, at) => `action_${at}`)
  const rules = names.flatMap((action, a) =>
    Array.from({ length: perAction }, (_, at) => ({
      id: `${action}-${at}`,
      actions: [action],
      parts: [
        [{ field: 'amount', over: 1_000 + a + at }],
        [{ field: 'region', is: `R${at}` }],
        [{ field: 'is_vip' }, { field: 'amount', over: 500 + at }],
      ][at % 3],
      effect: 'deny',
    })),
  )
  return { allowed: names, forbidden: [], rules }
}

/** Calls that look at every rule of their action and are allowed, over all actions, with one in eight denied. */
export function manyCalls(actions) {
  return Array.from({ length: Math.max(64, 8 * Math.ceil(actions / 8)) }, (_, at) => {
    const denied = at % 8 === 7
    const params = { amount: denied ? 5_000 : 1 + (at % 400), region: 'EU', order_id: `O-${at}` }
    const effect = denied ? 'deny' : 'allow'
    return { name: effect, effect, call: callOf(`action_${(at * 7) % actions}`, params, at) }
  })
}

function callOf(action, params, at) {
  return { agent: 'support-agent', action, params, context: { customer: { id: `C-${at}`, is_vip: false } } }
}
