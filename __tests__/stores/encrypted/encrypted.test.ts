import { randomBytes } from 'node:crypto'
import Database from 'libsql'
import { createSessions, memoryStore, type SessionRecord, type SessionStore } from 'express-sid'
import { encrypted, type EncryptedStore } from 'express-sid/encrypted'
import { fromExpressSession } from 'express-sid/express-session-store'
import { copySessions, movingStore } from 'express-sid/moving-store'
import { nearCache } from 'express-sid/near-cache'
import { sqliteStore } from 'express-sid/sqlite'
import { makeRecord, storeContract } from 'express-sid/testing'
import { MemoryStore } from 'express-session'
import { isSessionRecord } from '../../../src/record.js'
import { asyncStore, failing, turns } from '../../support/stores.js'
import { warningsOf } from '../../support/warnings.js'

const newKey = () => randomBytes(32).toString('base64url')
const [key, other, third] = [newKey(), newKey(), newKey()]

const next = (record: SessionRecord, changes: Partial<SessionRecord> = {}): SessionRecord => ({
  ...record,
  ...changes,
  version: record.version + 1,
})

/** What must not be found in the inner store. */
const secrets = {
  userId: 'ann@example.com',
  user: { id: 'ann@example.com', name: 'Ann of Green Gables' },
  data: { diagnosis: 'measles' },
  userAgent: 'Mozilla/5.0 (Secret Browser)',
  ip: '203.0.113.99',
}

describe('the store contract', () => {
  describe.each<[string, () => SessionStore]>([
    ['SQLite', () => sqliteStore(new Database(':memory:'))],
    ['a store on a network', () => asyncStore(memoryStore())],
  ])('over %s', (_, open) => {
    const store = encrypted(open(), { keys: [key] })
    for (const { name, run } of storeContract(() => store)) test(name, run)
  })

  describe('with a second key in the ring, which most of the sessions began with', () => {
    const inner = sqliteStore(new Database(':memory:'))
    const before = encrypted(inner, { keys: [other] })
    const after = encrypted(inner, { keys: [key, other] })
    // A session begins under the old key, and everything later happens under both.
    const store = { ...after, insert: (record: SessionRecord) => before.insert(record) }
    for (const { name, run } of storeContract(() => store)) test(name, run)
  })

  test.each<[string, SessionStore]>([
    ['over memory', encrypted(memoryStore(), { keys: [key] })],
    ['over a near cache', encrypted(nearCache(memoryStore()), { keys: [key] })],
    ['under a near cache', nearCache(encrypted(memoryStore(), { keys: [key] }))],
  ])('is kept %s too', async (_, store) => {
    for (const { run } of storeContract(() => store)) await run()
  })
})

test('what a sweep has removed is told as it was, with its user', async () => {
  const store = encrypted(memoryStore(), { keys: [key] })
  const record = makeRecord({ expiresAt: 1_000 })
  await store.insert(record)
  const told: unknown[] = []
  await store.deleteExpired?.(1_000, 10, (records) => told.push(...records))
  expect(told).toEqual([record])
})

describe('what the inner store gets', () => {
  const inner = memoryStore()
  const store = encrypted(inner, { keys: [key] })

  test('shows nothing of user, data, agent, address and hashes, nor of fields that nobody knows yet', async () => {
    const record = { ...makeRecord(secrets), laterField: 'private too' } as SessionRecord
    await store.insert(record)
    await store.update(next(record), 1)
    const held = await inner.get(record.id)
    const text = JSON.stringify(held)
    const hidden = [
      'ann@',
      'Green',
      'measles',
      'Secret',
      '203.0',
      record.secretHash,
      record.seriesHash,
      'later',
    ]
    for (const word of hidden) expect(text).not.toContain(word)
    expect(await store.get(record.id)).toEqual(next(record))
  })

  test('is a whole record, with its id, version and times', async () => {
    const record = makeRecord(secrets)
    await store.insert(record)
    const held = await inner.get(record.id)
    expect(isSessionRecord(held)).toBe(true)
    const { id, version, createdAt, authenticatedAt, lastSeenAt, expiresAt, absoluteExpiresAt } = record
    expect(held).toMatchObject({
      id,
      version,
      createdAt,
      authenticatedAt,
      lastSeenAt,
      expiresAt,
      absoluteExpiresAt,
    })
    const plain = JSON.parse(JSON.stringify(held)) as object
    expect(Object.keys(plain).length).toBe(13)
  })

  test('differs each time, also for the same record', async () => {
    const record = makeRecord(secrets)
    const texts = await Promise.all(
      [1, 2].map(async () => {
        const own = memoryStore()
        await encrypted(own, { keys: [key] }).insert(record)
        return JSON.stringify((await own.get(record.id))?.data)
      }),
    )
    expect(texts[0]).not.toBe(texts[1])
  })

  test('has the same word for a user under one key, another under another, and none for a guest', async () => {
    const [one, two] = [makeRecord(secrets), makeRecord(secrets)]
    const guest = makeRecord({ userId: undefined, user: undefined })
    for (const record of [one, two, guest]) await store.insert(record)
    const wordOf = async (from: SessionStore, record: SessionRecord) => (await from.get(record.id))?.userId
    expect(await wordOf(inner, one)).toBe(await wordOf(inner, two))
    expect(await wordOf(inner, guest)).toBeUndefined()
    const elsewhere = memoryStore()
    await encrypted(elsewhere, { keys: [other] }).insert(one)
    expect(await wordOf(elsewhere, one)).not.toBe(await wordOf(inner, one))
  })
})

describe('what somebody changes in the store', () => {
  let held: Map<string, SessionRecord>
  let store: EncryptedStore
  let manager: ReturnType<typeof createSessions>

  /** A store that returns whatever the test has put there. */
  const openStore = (): SessionStore => ({
    insert: (record) => void held.set(record.id, record),
    get: (id) => held.get(id),
    update: (record) => (held.set(record.id, record), 'ok'),
    delete: (id) => held.delete(id),
    listByUser: () => [...held.values()].filter(({ userId }) => userId !== undefined),
  })

  beforeEach(() => {
    held = new Map()
    store = encrypted(openStore(), { keys: [key] })
    manager = createSessions({ store })
  })
  afterEach(() => manager.close())

  async function inserted(overrides: Partial<SessionRecord> = {}): Promise<SessionRecord> {
    const record = makeRecord({ ...secrets, ...overrides })
    await store.insert(record)
    return record
  }

  const put = (id: string, changes: object) => held.set(id, { ...held.get(id)!, ...changes })

  async function expectDamaged(id: string, why = /do not belong together/): Promise<void> {
    const record = (await store.get(id)) as SessionRecord
    expect(isSessionRecord(record)).toBe(false)
    expect(record.id).toBe(id)
    await expect(manager.find(id)).rejects.toMatchObject({
      code: 'RECORD_DAMAGED',
      message: expect.stringMatching(why) as unknown,
    })
  }

  test.each([
    ['version', 2],
    ['createdAt', 1],
    ['authenticatedAt', Date.now() + 1_000],
    ['lastSeenAt', Date.now() + 1_000],
    ['expiresAt', Date.now() + 1e12],
    ['absoluteExpiresAt', Date.now() + 1e12],
    ['userId', undefined],
  ])('%s: the record is damaged', async (field, value) => {
    const { id } = await inserted()
    put(id, { [field]: value })
    await expectDamaged(id)
  })

  test('the word for the user, replaced by that of another one', async () => {
    const { id } = await inserted()
    const eve = await inserted({ userId: 'eve' })
    put(id, { userId: held.get(eve.id)!.userId })
    await expectDamaged(id)
  })

  test('the encrypted part, replaced by that of another session of the same user', async () => {
    const times = { createdAt: 1, authenticatedAt: 2, lastSeenAt: 3 }
    const [one, two] = [await inserted(times), await inserted(times)]
    put(one.id, { data: held.get(two.id)!.data })
    await expectDamaged(one.id)
  })

  test('the encrypted part, replaced by an older one of the same session', async () => {
    const record = await inserted({ data: { role: 'admin' } })
    const { data: old } = held.get(record.id)!
    const demoted = next(record, { data: { role: 'guest' } })
    await store.update(demoted, 1)
    put(record.id, { data: old })
    await expectDamaged(record.id)
    // Nor with the version that it had, beside the deadline of now.
    await store.update(next(demoted, { expiresAt: record.expiresAt + 60_000 }), 2)
    put(record.id, { data: old, version: 1 })
    await expectDamaged(record.id)
  })

  test('a single bit of the encrypted part, wherever it is', async () => {
    const { id } = await inserted()
    const { data } = held.get(id)!
    const [format, keyId, body] = (data.sealed as string).split('.') as [string, string, string]
    const bytes = Buffer.from(body, 'base64url')
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1
      put(id, { data: { sealed: `${format}.${keyId}.${flipped.toString('base64url')}` } })
      expect(isSessionRecord(await store.get(id))).toBe(false)
    }
    for (const cut of ['', 'AAAA', body.slice(0, 20), body.slice(0, -4)]) {
      put(id, { data: { sealed: `${format}.${keyId}.${cut}` } })
      expect(isSessionRecord(await store.get(id))).toBe(false)
    }
  })

  test('a record in plain text is never taken', async () => {
    const { id } = await inserted()
    held.set(id, makeRecord({ ...secrets, id }))
    await expectDamaged(id, /It is not encrypted/)
  })

  test('fields beside the encrypted part are not taken over', async () => {
    const record = await inserted()
    put(record.id, { secretHash: 'x', ip: '6.6.6.6', endedBy: 'reuse', user: { id: 'root' }, isAdmin: true })
    expect(await store.get(record.id)).toEqual(record)
  })

  test('a record listed under another user stays that of its own', async () => {
    const [ann, bob] = [await inserted(), await inserted({ userId: 'bob' })]
    // The inner store lists everything under everybody.
    expect((await store.listByUser!('bob')).map(({ id }) => id)).toEqual([bob.id])
    expect((await store.listByUser!(secrets.userId)).map(({ id }) => id)).toEqual([ann.id])
  })

  test('a damaged record is listed and can be revoked; it spoils no other one of a batch', async () => {
    const [one, two] = [await inserted(), await inserted()]
    put(one.id, { expiresAt: 1 })
    const listed = await store.listByUser!(secrets.userId)
    expect(listed.map((record) => isSessionRecord(record))).toEqual([false, true])
    expect(await manager.revoke(one.id)).toBe(true)
    expect(await store.get(one.id)).toBeUndefined()
    expect(await store.get(two.id)).toEqual(two)
  })
})

describe('keys', () => {
  const bytes = randomBytes(32)

  test.each([
    ['bytes', bytes],
    ['a Uint8Array', new Uint8Array(bytes)],
    ['base64url', bytes.toString('base64url')],
    ['base64', bytes.toString('base64')],
    ['hex', bytes.toString('hex')],
  ])('%s are the same key', async (_, given) => {
    const inner = memoryStore()
    const record = makeRecord()
    await encrypted(inner, { keys: [bytes] }).insert(record)
    expect(await encrypted(inner, { keys: [given] }).get(record.id)).toEqual(record)
  })

  test.each<[string, unknown, RegExp]>([
    ['no options', undefined, /its options must be an object/],
    ['no keys', {}, /1 to 16 keys.*randomBytes\(32\)/],
    ['an empty list', { keys: [] }, /1 to 16 keys/],
    ['one key without a list', { keys: key }, /must be an array/],
    ['a variable that is not set', { keys: [undefined] }, /place 0: it is undefined/],
    ['a passphrase', { keys: [key, 'correct horse'] }, /place 1: it is neither base64 nor hex/],
    ['a short key', { keys: [randomBytes(16)] }, /it has 16 bytes/],
    ['a key of zeros', { keys: [Buffer.alloc(32)] }, /its bytes are not random/],
    ['one key twice', { keys: [bytes, bytes.toString('hex')] }, /one key twice/],
    ['a misspelt option', { keys: [key], key }, /has no option/],
  ])('%s: is refused at start, with the fix', (_, options, message) => {
    expect(() => encrypted(memoryStore(), options as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringMatching(message) as unknown }),
    )
  })

  test('no message shows a key', () => {
    const slip = `${key.slice(0, -1)}!`
    expect(() => encrypted(memoryStore(), { keys: [slip] })).toThrow(
      expect.not.stringContaining(key.slice(0, 8)),
    )
  })

  test('a store of express-session is refused at start, with the reason', () => {
    const adapted = fromExpressSession(new MemoryStore())
    expect(() => encrypted(adapted, { keys: [key] })).toThrow(/keeps deadlines outside of its records/)
    expect(() => encrypted(undefined as never, { keys: [key] })).toThrow(/takes a store/)
  })
})

describe('a wrong key', () => {
  const wrong = {
    code: 'OPTION_INVALID',
    message: expect.stringMatching(/needs the key [\w-]{8}/) as unknown,
  }

  test('is thrown at start where the store is in the process', async () => {
    const inner = memoryStore()
    await encrypted(inner, { keys: [key] }).insert(makeRecord())
    expect(() => encrypted(inner, { keys: [other] })).toThrow(expect.objectContaining(wrong))
    expect(() => encrypted(inner, { keys: [other, key] })).not.toThrow()
  })

  test('is a warning at start on a network, and `ready` and every call reject', async () => {
    const inner = memoryStore()
    encrypted(inner, { keys: [key] })
    const said = warningsOf('SID_WRONG_KEY')
    const store = encrypted(asyncStore(inner), { keys: [other] })
    await turns()
    expect(said.now()).toEqual([expect.stringContaining('the keys are not those of this store')])
    said.stop()
    await expect(store.ready()).rejects.toMatchObject(wrong)
    await expect(store.get(makeRecord().id)).rejects.toMatchObject(wrong)
    await expect(store.insert(makeRecord())).rejects.toMatchObject(wrong)
  })

  test('is not concluded from a store that fails: its calls fail until it works', async () => {
    let isDown = true
    const inner = memoryStore()
    const store = encrypted(
      {
        ...asyncStore(inner),
        get: async (id) => (isDown ? Promise.reject(new Error('down')) : inner.get(id)),
      },
      { keys: [key] },
    )
    const record = makeRecord()
    await expect(store.insert(record)).rejects.toThrow('down')
    isDown = false
    await store.ready()
    await store.insert(record)
    expect(await store.get(record.id)).toEqual(record)
  })

  test('processes that start at the same moment find each other’s keys', async () => {
    const inner = asyncStore(memoryStore())
    const all = Array.from({ length: 5 }, () => encrypted(inner, { keys: [key] }))
    await Promise.all(all.map((store) => store.ready()))
    await expect(encrypted(failing(inner, 'insert'), { keys: [key] }).ready()).resolves.toBeUndefined()
  })

  test('what shows it is no session: it is not found, listed, nor ended', async () => {
    const inner = memoryStore()
    const store = encrypted(inner, { keys: [key] })
    const id = '00000000-0000-7000-8000-000000000000'
    expect(isSessionRecord(await inner.get(id))).toBe(true)
    expect(await store.get(id)).toBeUndefined()
    expect(await store.getMany!([id])).toEqual([undefined])
    expect(await store.delete(id)).toBe(false)
    expect(isSessionRecord(await inner.get(id))).toBe(true)
  })
})

describe('rotation of keys', () => {
  test('while the app runs: new sessions under the new key, old ones are read, changed and listed', async () => {
    const inner = memoryStore()
    const store = encrypted(inner, { keys: [key] })
    const old = makeRecord(secrets)
    await store.insert(old)
    await store.useKeys([other, key])
    const young = makeRecord(secrets)
    await store.insert(young)
    expect(await store.get(old.id)).toEqual(old)
    const changed = next(old, { data: { seen: true } })
    expect(await store.update(changed, 1)).toBe('ok')
    const listed = await store.listByUser!(secrets.userId)
    expect(listed.map(({ id }) => id).sort()).toEqual([old.id, young.id].sort())
    // Encrypted anew, and still listed by the key that it began with.
    const held = (await inner.get(old.id))!
    const [, keyId] = (held.data.sealed as string).split('.')
    expect(held.userId!.split('.')[0]).not.toBe(keyId)
    expect(await store.get(old.id)).toEqual(changed)
  })

  test('pages go through all keys, each session once', async () => {
    const inner = sqliteStore(new Database(':memory:'))
    const records: SessionRecord[] = []
    for (const keys of [[key], [other, key], [third, other, key]]) {
      const store = encrypted(inner, { keys })
      for (let count = 0; count < 7; count += 1) {
        records.push(makeRecord(secrets))
        await store.insert(records.at(-1)!)
      }
    }
    const store = encrypted(inner, { keys: [third, other, key] })
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await store.pageByUser!(secrets.userId, 3, after)
      expect(page.records.length).toBeLessThanOrEqual(3)
      seen.push(...page.records.map(({ id }) => id))
      after = page.next
    } while (after !== undefined)
    expect(seen.sort()).toEqual(records.map(({ id }) => id).sort())
  })

  test('on two nodes in the middle of a deploy, every session is found by both', async () => {
    const inner = memoryStore()
    const [before, after] = [
      encrypted(inner, { keys: [key, other] }),
      encrypted(inner, { keys: [other, key] }),
    ]
    const [one, two] = [makeRecord(secrets), makeRecord(secrets)]
    await before.insert(one)
    await after.insert(two)
    for (const store of [before, after]) {
      expect(await store.get(one.id)).toEqual(one)
      expect(await store.get(two.id)).toEqual(two)
      expect(await store.listByUser!(secrets.userId)).toHaveLength(2)
    }
    expect(await after.update(next(one), 1)).toBe('ok')
    expect(await before.update(next(next(one)), 2)).toBe('ok')
    expect(await after.get(one.id)).toEqual(next(next(one)))
  })

  test('a key that is taken out too early: its sessions are damaged, and the error names the key', async () => {
    const inner = memoryStore()
    const store = encrypted(inner, { keys: [key] })
    const [old, changed] = [makeRecord(secrets), makeRecord(secrets)]
    await store.insert(old)
    await store.insert(changed)
    await store.useKeys([other, key])
    await store.update(next(changed), 1)
    await store.useKeys([other])
    // The second one is encrypted by the new key, but listed under the old one: "log out everywhere" would miss it.
    const manager = createSessions({ store })
    for (const { id } of [old, changed]) {
      await expect(manager.find(id)).rejects.toMatchObject({
        code: 'RECORD_DAMAGED',
        message: expect.stringMatching(/needs the key [\w-]{8}.*Put that key back/) as unknown,
      })
    }
    await manager.close()
    await store.useKeys([other, key])
    expect(await store.get(old.id)).toEqual(old)
  })

  test('keys that are not those of the store change nothing', async () => {
    const inner = memoryStore()
    const store = encrypted(inner, { keys: [key] })
    const record = makeRecord()
    await store.insert(record)
    await expect(store.useKeys([other])).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await expect(store.useKeys([])).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    expect(await store.get(record.id)).toEqual(record)
  })

  test('what somebody changed in the store is not made good by the next update', async () => {
    const held = new Map<string, SessionRecord>()
    const inner: SessionStore = {
      insert: (record) => void held.set(record.id, record),
      get: (id) => held.get(id),
      update: (record) => (held.set(record.id, record), 'ok'),
      delete: (id) => held.delete(id),
    }
    const store = encrypted(inner, { keys: [key, other] })
    const [ann, bob] = [makeRecord(secrets), makeRecord({ userId: 'bob' })]
    await store.insert(ann)
    await store.insert(bob)
    held.set(ann.id, { ...held.get(ann.id)!, userId: held.get(bob.id)!.userId })
    await expect(async () => store.update(next(ann), 1)).rejects.toMatchObject({ code: 'RECORD_DAMAGED' })
  })
})

test('a login works through it as through any store: list, revoke and compare-and-set', async () => {
  const store = encrypted(asyncStore(memoryStore()), { keys: [key] })
  const sessions = createSessions({ store })
  const records = [makeRecord(secrets), makeRecord(secrets), makeRecord({ userId: 'bob' })]
  for (const record of records) await store.insert(record)
  expect((await sessions.list(secrets.userId)).map(({ id }) => id).sort()).toEqual(
    [records[0]!.id, records[1]!.id].sort(),
  )
  expect(await sessions.revokeAll(secrets.userId)).toBe(2)
  expect(await sessions.list('bob')).toHaveLength(1)
  await sessions.close()
})

test('the sessions of an app move into it without a logout: from a plain store to an encrypted one', async () => {
  const [plain, inner] = [memoryStore(), memoryStore()]
  const records = [makeRecord(secrets), makeRecord(secrets)]
  for (const record of records) await plain.insert(record)
  const to = encrypted(inner, { keys: [key] })
  const store = movingStore({ from: plain, to })
  const changed = next(records[0]!, { data: { seen: true } })
  expect(await store.update(changed, 1)).toBe('ok')
  await copySessions({ from: plain, to, finish: true })
  expect(await plain.get(records[0]!.id)).toBeUndefined()
  for (const record of [changed, records[1]!]) {
    expect(await to.get(record.id)).toMatchObject({
      id: record.id,
      userId: secrets.userId,
      data: record.data,
    })
    expect(JSON.stringify(await inner.get(record.id))).not.toContain('ann@')
  }
  expect(await store.listByUser!(secrets.userId)).toHaveLength(2)
})
