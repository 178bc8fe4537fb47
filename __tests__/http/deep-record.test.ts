import { createSessions, memoryStore, type SessionRecord, type SessionStore } from 'express-sid'
import { nearCache } from 'express-sid/near-cache'
import { deepFreeze } from '../../src/lib/json/freeze.js'
import { makeCore, settingsWith } from '../support/core.js'
import { ann, bob } from '../support/people.js'
import { express5, site } from '../support/site.js'
import { asyncStore, batching, replacing } from '../support/stores.js'

// Something else has written a record that is nested deeper than the stack is. Only its own session suffers.

const LEVELS = 20_000
const deep = () => JSON.parse(`{"a":${'['.repeat(LEVELS)}${']'.repeat(LEVELS)}}`) as SessionRecord['data']

/** A store in which Ann's records are damaged so. */
function damaging(part: 'user' | 'data'): SessionStore {
  const store = memoryStore()
  const damage = (record: SessionRecord | undefined) =>
    record?.userId === 'ann' ? { ...record, [part]: deep() } : record
  return replacing(store, {
    get: (id) => damage(store.get(id) as SessionRecord | undefined),
    listByUser: (id) => (store.listByUser(id) as SessionRecord[]).map((record) => damage(record)!),
    getMany: undefined,
  })
}

const styles: Record<string, (store: SessionStore) => SessionStore> = {
  sync: (store) => store,
  batching: (store) => batching(asyncStore(store)),
  'behind a near cache': (store) => nearCache(batching(asyncStore(store))),
}
const damaged = { code: 'RECORD_DAMAGED' }

describe.each(Object.keys(styles))('a record nested 20,000 deep, from a store that is %s', (style) => {
  test.each(['user', 'data'] as const)('is RECORD_DAMAGED for its %s, and can be revoked', async (part) => {
    const sessions = createSessions({ store: styles[style]!(damaging(part)) })
    const { logIn, visitor } = site(express5, sessions)
    const browser = await logIn()
    const other = visitor()
    await other.run((session) => session.login(bob))
    const [res, fine] = await Promise.all([
      part === 'user' ? browser.get() : browser.run((session) => session.get('a')),
      other.get(),
    ])
    expect([res.status, res.body.code]).toEqual([503, 'RECORD_DAMAGED'])
    expect((fine.body as { user: unknown }).user).toEqual(bob)
    if (part === 'data') {
      expect((await browser.run((session) => session.set('b', 1))).body).toMatchObject(damaged)
    }
    expect(await sessions.list('ann')).toHaveLength(part === 'user' ? 0 : 1)
    expect(await sessions.revoke(browser.id)).toBe(true)
    expect(await browser.user()).toBeNull()
  })
})

test('a session whose user is so is not shown, which says why', async () => {
  const { sessions, engine } = makeCore(settingsWith({ store: damaging('user') }))
  const { record } = await engine.login(ann, { userAgent: '', ip: '' }, [])
  await expect(sessions.find(record.id)).rejects.toMatchObject(damaged)
})

test('deepFreeze freezes at any depth', () => {
  const value = deep()
  expect(deepFreeze(value)).toBe(value)
  let inner: unknown = value.a
  while (Array.isArray(inner) && inner.length > 0) inner = inner[0]
  expect(Object.isFrozen(inner)).toBe(true)
})
