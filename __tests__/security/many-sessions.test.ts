import type { MaybePromise, SessionStore } from '../../src/store.js'
import { memoryStore } from '../../src/stores/memory/index.js'
import { makeRecord } from '../../src/testing/records.js'
import { makeCore, rejectionOf, settingsWith } from '../support/core.js'
import { asyncStore, replacing } from '../support/stores.js'

/** More than the calls that may be unanswered at once, whoever sent them. */
const MANY = 10_500

/** A store on a network, that says how many deletions it had to work on at once. */
function farAway(answer: (work: () => MaybePromise<boolean>) => Promise<boolean>) {
  const memory = memoryStore()
  const count = { now: 0, most: 0, all: 0 }
  const store = replacing(asyncStore(memory), {
    insert: (record) => memory.insert(record),
    deleteExpired: undefined,
    delete: async (id) => {
      count.all += 1
      count.most = Math.max(count.most, (count.now += 1))
      await new Promise(setImmediate)
      return answer(() => memory.delete(id)).finally(() => (count.now -= 1))
    },
  })
  return { store, count, sessions: makeCore(settingsWith({ store })).sessions }
}

function give(store: SessionStore, expiresAt = Date.now() + 60_000): void {
  for (let n = 0; n < MANY; n += 1) void store.insert(makeRecord({ userId: 'ann', expiresAt }))
}

describe('a user with more sessions than the store may have unanswered calls', () => {
  test('is logged out of all of them in one go, which leaves room for everybody else', async () => {
    const { sessions, store, count } = farAway(async (work) => work())
    give(store)
    expect(await sessions.revokeAll('ann')).toBe(MANY)
    expect(await store.listByUser!('ann')).toEqual([])
    expect(count.most).toBeLessThanOrEqual(100)
  })

  test('can look at their list, though all of them have expired', async () => {
    const { sessions, store, count } = farAway(async (work) => work())
    give(store, Date.now())
    expect(await sessions.list('ann')).toEqual([])
    expect(await store.listByUser!('ann')).toEqual([])
    expect(count.most).toBeLessThanOrEqual(100)
  })

  test('does not wait for one timeout per session when the store is away', async () => {
    const { sessions, store, count } = farAway(() => Promise.reject(new Error('the line is dead')))
    give(store)
    expect(await rejectionOf(sessions.revokeAll('ann'))).toMatchObject({ code: 'STORE_FAILED' })
    expect(count.all).toBeLessThanOrEqual(100)
  })

  test('is logged out of all but the one that can not be ended, and that is said', async () => {
    let isFirst = true
    const { sessions, store } = farAway(async (work) => {
      if (!isFirst) return work()
      isFirst = false
      throw new Error('the line is bad')
    })
    give(store)
    expect(await rejectionOf(sessions.revokeAll('ann'))).toMatchObject({ code: 'STORE_FAILED' })
    expect(await store.listByUser!('ann')).toHaveLength(1)
  })
})
