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

describe('a store that lists a page at a time', () => {
  /** Says how many records each call returned, and can do something between two of them. */
  function paging(between: (store: SessionStore) => void = () => undefined) {
    const memory = memoryStore()
    const sizes: number[] = []
    const store = {
      ...replacing(memory, {
        listByUser: () => {
          throw new Error('all in one call')
        },
      }),
      async pageByUser(userId: string, limit: number, after?: string) {
        if (sizes.length > 0) between(memory)
        const page = await memory.pageByUser(userId, limit, after)
        sizes.push(page.records.length)
        return page
      },
    }
    return { store, memory, sizes, sessions: makeCore(settingsWith({ store })).sessions }
  }

  test('is never asked for all sessions of a user in one call', async () => {
    const { sessions, store, sizes } = paging()
    give(store)
    expect(await sessions.list('ann')).toHaveLength(MANY)
    expect(Math.max(...sizes)).toBe(1_000)
    expect(await sessions.revokeAll('ann')).toBe(MANY)
    expect(await sessions.list('ann')).toEqual([])
  })

  test('lists a session once that is changed while the pages are read, and leaves that one that is excepted', async () => {
    const again = makeRecord({ userId: 'ann' })
    const { sessions, store, sizes } = paging()
    void store.insert(again)
    give(store)
    const twice = {
      ...store,
      pageByUser: async (userId: string, limit: number, after?: string) => {
        const page = await store.pageByUser(userId, limit, after)
        return after === undefined ? page : { ...page, records: [...page.records, again] }
      },
    }
    const both = makeCore(settingsWith({ store: twice })).sessions
    const listed = await both.list('ann')
    expect(listed.filter(({ id }) => id === again.id)).toHaveLength(1)
    expect(sizes.length).toBeGreaterThan(2)
    expect(await sessions.revokeAll('ann', { except: again.id })).toBe(MANY)
    expect((await sessions.list('ann')).map(({ id }) => id)).toEqual([again.id])
  })

  test.each([undefined, null, {}, { records: 'none' }, { records: [{}] }])(
    'that returns %p as a page is damaged',
    async (page) => {
      const { store } = paging()
      const { sessions } = makeCore(settingsWith({ store: { ...store, pageByUser: () => page as never } }))
      expect(await rejectionOf(sessions.list('ann'))).toMatchObject({ code: 'RECORD_DAMAGED' })
    },
  )

  test('that names the same page for ever does not hold the call for ever', async () => {
    const { store } = paging()
    const record = makeRecord({ userId: 'ann' })
    const stuck = { ...store, pageByUser: () => ({ records: [record], next: 'same' }) }
    const { sessions } = makeCore(settingsWith({ store: stuck }))
    expect(await sessions.list('ann')).toHaveLength(1)
  })
})
