import * as fc from 'fast-check'
import { merge } from '../../src/express-session/merge.js'
import type { JsonObject } from '../../src/lib/json/json.js'

const base = { user: 'ann', cart: ['a'], prefs: { theme: 'dark', size: 1 }, n: 1 }

test.each<[string, JsonObject, JsonObject, JsonObject]>([
  ['keys that each side added', { ...base, x: 1 }, { ...base, y: 2 }, { ...base, x: 1, y: 2 }],
  ['what only they have changed', base, { ...base, n: 2 }, { ...base, n: 2 }],
  ['what only I have changed', { ...base, n: 3 }, base, { ...base, n: 3 }],
  ['the last write, where both have changed it', { ...base, n: 3 }, { ...base, n: 2 }, { ...base, n: 3 }],
  [
    'plain objects, key by key',
    { ...base, prefs: { theme: 'light', size: 1 } },
    { ...base, prefs: { theme: 'dark', size: 2 } },
    { ...base, prefs: { theme: 'light', size: 2 } },
  ],
  [
    'lists that both have appended to',
    { ...base, cart: ['a', 'mine'] },
    { ...base, cart: ['a', 'theirs'] },
    { ...base, cart: ['a', 'theirs', 'mine'] },
  ],
  [
    'a list that one side has rewritten',
    { ...base, cart: ['b'] },
    { ...base, cart: ['a', 'theirs'] },
    { ...base, cart: ['b'] },
  ],
  ['lists that both have begun', { ...base, log: [1] }, { ...base, log: [2] }, { ...base, log: [2, 1] }],
])('keeps %s', (_, mine, theirs, merged) => {
  expect(merge(base, mine, theirs)).toEqual(merged)
})

test('a removal wins, whoever removes and whatever the other side has written', () => {
  const { user: _, ...without } = base
  expect(merge(base, without, { ...base, user: 'bob' })).toEqual(without)
  expect(merge(base, { ...base, user: 'bob' }, without)).toEqual(without)
  const nested = { ...base, prefs: { size: 1 } }
  expect(merge(base, nested, { ...base, prefs: { theme: 'light', size: 1 } })).toEqual(nested)
})

test('null in place of a user is a logout, whoever writes last', () => {
  const [before, out, seen] = [{ user: { id: 1 } }, { user: null }, { user: { id: 1, seen: 2 } }]
  expect(merge(before, seen, out)).toEqual(out)
  expect(merge(before, out, seen)).toEqual(out)
})

test('`__proto__` and its like are keys as any other', () => {
  const mine = JSON.parse('{ "__proto__": { "x": 1 }, "constructor": 1 }') as JsonObject
  const merged = merge({}, mine, { y: 1 })
  expect(JSON.parse(JSON.stringify(merged))).toEqual(
    JSON.parse('{ "y": 1, "__proto__": { "x": 1 }, "constructor": 1 }'),
  )
  expect(Object.getPrototypeOf(merged)).toBe(Object.prototype)
})

const json = fc.dictionary(
  fc.constantFrom('a', 'b', 'c'),
  fc.oneof(fc.integer(), fc.array(fc.integer()), fc.dictionary(fc.constantFrom('x', 'y'), fc.integer())),
)

test('one side alone is taken as it is, for any data', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      expect(merge(before, after, before)).toEqual(after)
      expect(merge(before, before, after)).toEqual(after)
    }),
  )
})

test('nothing that a side has removed is there, for any data', () => {
  fc.assert(
    fc.property(json, json, json, (before, mine, theirs) => {
      const merged = merge(before, mine, theirs)
      for (const key of Object.keys(before))
        if (!(key in mine) || !(key in theirs)) expect(key in merged).toBe(false)
    }),
  )
})
