import { randomBytes } from 'node:crypto'
import { encrypted } from 'express-sid/encrypted'
import { movingStore } from 'express-sid/moving-store'
import { nearCache } from 'express-sid/near-cache'
import { storeContract } from 'express-sid/testing'
import { optionalMethods, type OptionalMethod, type SessionStore } from '../../src/store.js'
import { HearingStore } from '../testing/broken-stores/hearing.js'

// A store around another one can do what that one can. So a method that `SessionStore` gets one day is missed by none.

/** A store with every method that there is. */
class FullStore extends HearingStore {
  getFresh(id: string) {
    return this.get(id)
  }
}

interface Wrapper {
  readonly around: (store: SessionStore) => SessionStore
  /** What it does not pass on, and why. */
  readonly leavesOut?: Partial<Record<OptionalMethod, string>>
  /** What it can do of itself. */
  readonly adds?: readonly OptionalMethod[]
}

const keys = [randomBytes(32)]
const inBoth = {
  updateMany: 'a session that moves is written to both stores, one after another',
  scan: 'each copy would have to be looked for in the other store',
  count: 'the same',
}
const wrappers: Record<string, Wrapper> = {
  'a near cache': { around: (store) => nearCache(store), adds: ['getFresh'] },
  encryption: { around: (store) => encrypted(store, { keys }) },
  'a moving store, of what it moves to': {
    around: (to) => movingStore({ from: new FullStore(), to }),
    leavesOut: inBoth,
    // It finds what either store needs for it, or can.
    adds: ['getMany', 'getFresh', 'deleteExpired'],
  },
  'a moving store, of what it moves from': {
    around: (from) => movingStore({ from, to: new FullStore() }),
    leavesOut: inBoth,
    adds: ['getMany', 'getFresh', 'deleteExpired'],
  },
}

const without = (...names: readonly OptionalMethod[]): SessionStore =>
  Object.assign(new FullStore(), Object.fromEntries(names.map((name) => [name, undefined])))

const offered = (store: SessionStore) => optionalMethods.filter((name) => store[name] !== undefined)

test('the store of this test has every method', () => {
  expect(offered(new FullStore())).toEqual(optionalMethods)
})

describe.each(Object.entries(wrappers))('%s', (_, { around, leavesOut = {}, adds = [] }) => {
  const isPassedOn = (name: OptionalMethod) => leavesOut[name] === undefined

  test('has each method that the store has, but those that it leaves out for a reason', () => {
    expect(offered(around(new FullStore()))).toEqual(optionalMethods.filter(isPassedOn))
  })

  test.each(optionalMethods)('has no %s where the store has none', (name) => {
    const gone = name === 'listByUser' ? (['listByUser', 'pageByUser'] as const) : [name]
    const isGone = (one: OptionalMethod) => (gone as readonly string[]).includes(one) && !adds.includes(one)
    const expected = optionalMethods.filter((one) => isPassedOn(one) && !isGone(one))
    expect(offered(around(without(...gone)))).toEqual(expected)
  })

  test('has none where the store has the least, but what it can do of itself', () => {
    expect(offered(around(without(...optionalMethods)))).toEqual(
      optionalMethods.filter((name) => adds.includes(name)),
    )
  })

  describe('keeps the contract over a store with all of them', () => {
    const store = around(new FullStore())
    for (const { name, run } of storeContract(() => store)) test(name, run)
  })
})
