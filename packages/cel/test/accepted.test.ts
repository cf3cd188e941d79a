import { expect, test } from 'vitest'
import { compiled, evaluated } from './scope.ts'

// Each condition that holds stands beside its neighbour that does not.
const pairs: readonly (readonly [holds: string, fails: string])[] = [
  ['refund_amount > 500', 'refund_amount > 600'],
  ['refund_amount == 600', 'refund_amount == 601'],
  ['refund_amount != 601', 'refund_amount != 600'],
  ['refund_amount * 2 > 1000', 'refund_amount * 2 > 1200'],
  ['-refund_amount < 0', '-refund_amount > 0'],
  ['refund_amount / 7 > 85.7', 'refund_amount / 7 > 85.8'],
  ['refund_amount in [500, 600]', 'refund_amount in [500, 601]'],
  ['refund_amount > items_count', 'refund_amount < items_count'],
  ['size(region) < refund_amount', 'size(region) > refund_amount'],
  ['[refund_amount, 1] == [600, 1]', '[refund_amount, 1] == [600, 2]'],
  ['(is_vip ? refund_amount : 0) == 600', '(!is_vip ? refund_amount : 0) == 600'],
  ['items_count % 2 == 0', 'items_count % 3 == 0'],
  ['7 / 2 == 3', '7.0 / 2 == 3'],
  ['int("9007199254740992") == 9007199254740992.0', 'int("9007199254740993") == 9007199254740992.0'],
  ['is_vip', '!is_vip'],
  ['is_vip && refund_amount > 500', 'is_vip && refund_amount > 600'],
  ['!is_vip || refund_amount > 500', '!is_vip || refund_amount > 600'],
  ["region == 'EU'", "region == 'eu'"],
  ["region in ['EU', 'UK']", "region in ['US', 'UK']"],
  ["region + 'X' == 'EUX'", "region + 'X' == 'EU'"],
  ["region.startsWith('E')", "region.startsWith('U')"],
  ["region.matches('^[A-Z]{2}$')", "region.matches('^[a-z]{2}$')"],
  ["region.lowerAscii() == 'eu'", "region.upperAscii() == 'eu'"],
  ["region.replace('E', 'ee') == 'eeU'", "region.replace('x', 'ee') == 'eeU'"],
  ["'gift' in tags", "'gifts' in tags"],
  ["tags.exists(tag, tag == 'gift')", "tags.exists(tag, tag == 'bulk')"],
  ['tags.all(tag, size(tag) > 3)', 'tags.all(tag, size(tag) > 4)'],
  ["tags.join('-') == 'gift-fragile'", "tags.join() == 'gift-fragile'"],
  ['scores.exists_one(score, score > 1)', 'scores.exists_one(score, score > 0)'],
  ['scores.map(score, score * 2)[1] == 4', 'scores.map(score, score * 2)[0] == 4'],
  ['scores.map(score, score > 1, score + 1) == [3]', 'scores.map(score, score > 9, score + 1) == [3]'],
  ['scores.filter(score, score > 1).size() == 1', 'scores.filter(score, score > 9).size() == 1'],
  ['limits.daily < refund_amount', 'limits["daily"] > refund_amount'],
  ["now > timestamp('2026-01-01T00:00:00Z')", "now > timestamp('2027-01-01T00:00:00Z')"],
  [
    "now - timestamp('2026-03-29T00:00:00Z') > duration('2h')",
    "now - timestamp('2026-03-29T00:00:00Z') > duration('3h')",
  ],
  ["age == duration('90m')", "age == duration('1h')"],
  ['age.getMinutes() == 90', 'age.getHours() == 2'],
  ["digest == b'\\x01\\x02'", "digest == b'\\x01'"],
  ['string(refund_amount) == "600"', 'string(refund_amount) == "600.0"'],
  ['double("6e2") == refund_amount', 'double("6e1") == refund_amount'],
  ['int(refund_amount) % 7 == 5', 'int(refund_amount) % 7 == 4'],
  ['timestamp(0) < now', 'timestamp(0) > now'],
  ["{'a': 1}['a'] == 1", "{'a': 1}['a'] == 2"],
  ['math.abs(-refund_amount) == 600', 'math.abs(-refund_amount) == -600'],
  ['math.greatest(refund_amount, 700) == 700', 'math.greatest(refund_amount, 500) == 700'],
  ['tags.exists(i, t, i == 1 && t == "fragile")', 'tags.exists(i, t, i == 0 && t == "fragile")'],
  ['limits.all(k, v, k == "daily" && v == 500)', 'limits.all(k, v, v > 500)'],
  ['limits.transformList(k, v, v * 2) == [1000]', 'limits.transformList(k, v, v) == [1000]'],
  ['cel.bind(x, refund_amount * 2, x > 1000 && x < 1300)', 'cel.bind(x, refund_amount * 2, x > 1300)'],
  ['size("😀") == 1 && "😀x".charAt(1) == "x"', 'size("😀") == 2'],
  ['[refund_amount, 1.5].exists(x, x == 1.5)', '[refund_amount, 1.5].exists(x, x == 1)'],
  ['scores.exists(s, s in [2, 3])', 'scores.exists(s, s in [3, 4])'],
]

test.each(pairs)('%s holds, and %s does not', (holds, fails) => {
  expect(evaluated(holds)).toEqual({ kind: 'true' })
  expect(evaluated(fails)).toEqual({ kind: 'false' })
})

const dynamicPairs: readonly (readonly [holds: string, fails: string])[] = [
  ['math.greatest(params.amount, 700) == 700', 'math.greatest(params.amount, 500) == 500'],
  ['math.greatest(params.half, 1) == 1', 'math.greatest(params.half, 0) == 0'],
  ['math.abs(params.half) == 0.5', 'math.abs(params.half) == 1'],
  ["params.tags.intersects(['x', 'z'])", "params.tags.intersects(['z'])"],
  ['params.amount * 2 > 10', 'params.amount * 2 > 1200'],
  ['params.amount == 600', 'params.amount == 5'],
  ['params.amount % 7 == 5', 'params.amount % 7 == 4'],
  ['params.list[0] == 1', 'params.list[1] == 1'],
  ['params.list[params.zero] == 1', 'params.list[params.zero + 1] == 1'],
  ['params.items[0].qty > 3', 'params.items[1].qty > 3'],
  ["params.tags.exists(t, t == 'x')", "params.tags.exists(t, t == 'z')"],
  ['params.items.exists(i, i.qty > 4)', 'params.items.all(i, i.qty > 4)'],
  [
    'params.items.exists(i, params.list.exists(n, n == i.qty))',
    'params.items.all(i, params.list.exists(n, n == i.qty))',
  ],
  ["'x' in params.tags", "'z' in params.tags"],
  ["'note' in context", "'notes' in context"],
  ["context.exists(key, key == 'note')", "context.exists(key, key == 'notes')"],
  ['size(context) == 2', 'context.size() > 2'],
  ['size(string(params.to)) > 10', 'string(params.to).size() > 15'],
  ['has(params.amount)', 'has(params.refund)'],
  ['has(params.note)', 'has(params.constructor)'],
  ['size(params.items) == 2', 'size(params.items) > 2'],
  ["params['amount'] == 600", "params['zero'] == 600"],
  ["params.to.endsWith('@example.com')", "params.to.endsWith('@example.org')"],
  ['params.note == null', 'params.amount == null'],
  ['params.amount != null', 'params.note != null'],
  ['!params.empty.exists(x, x > 1)', 'params.empty.exists(x, x > 1)'],
]

test.each(dynamicPairs)('of JSON parameters, %s holds, and %s does not', (holds, fails) => {
  expect(evaluated(holds)).toEqual({ kind: 'true' })
  expect(evaluated(fails)).toEqual({ kind: 'false' })
})

test('a condition tells the names it uses once each, in order, without the variables of its comprehensions', () => {
  const condition = compiled(
    'is_vip && tags.exists(tag, tag == region) && is_vip && params.x.y > refund_amount',
  )
  expect(condition.uses).toEqual(['is_vip', 'tags', 'region', 'params', 'refund_amount'])
})

test('the calendar is read in UTC or the zone named, never in the zone of the machine', () => {
  // Half an hour after Berlin's clocks went forward, so that the hour 2 does not exist there on that day.
  const zone = process.env['TZ']
  try {
    for (const machine of ['UTC', 'America/New_York', 'Europe/Berlin']) {
      process.env['TZ'] = machine
      expect(
        evaluated('now.getHours() == 2 && now.getMinutes() == 30 && now.getMilliseconds() == 250'),
      ).toEqual({ kind: 'true' })
      expect(evaluated("now.getHours('Europe/Berlin') == 4 && now.getHours('-03:00') == 23")).toEqual({
        kind: 'true',
      })
      expect(
        evaluated("now.getDate('-03:00') == 28 && now.getDayOfWeek() == 0 && now.getDayOfYear() == 87"),
      ).toEqual({ kind: 'true' })
    }
  } finally {
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  }
})
