import { createSessions, memoryStore } from 'express-sid'
import { rejectionOf } from '../../support/core.js'
import { ann } from '../../support/people.js'
import { express5, expresses, site } from '../../support/site.js'
import { setCookies, type Visitor } from '../../support/visitor.js'

const KB = 1024
const tooLarge = { code: 'DATA_TOO_LARGE' }
const set = (browser: Visitor, key: string, value: unknown) =>
  browser.run((session) => session.set(key, value))
const get = async (browser: Visitor, key: string) =>
  (await browser.run((session) => session.get(key) ?? null)).body as unknown

describe.each(expresses)('the data of a session, on %s', (_name, module) => {
  test('is 64 KB at most by default, over all its values together', async () => {
    const browser = await site(module).logIn()
    expect((await set(browser, 'a', 'x'.repeat(40 * KB))).status).toBe(200)
    const res = await set(browser, 'b', 'x'.repeat(40 * KB))
    expect([res.status, res.body.code]).toEqual([413, 'DATA_TOO_LARGE'])
    expect(res.body.message).toMatch(/maxDataBytes is 65536/)
    expect(await get(browser, 'b')).toBeNull()
    expect(await get(browser, 'a')).toHaveLength(40 * KB)
  })

  test('of a stranger starts no guest where it is too large', async () => {
    const { visitor, store } = site(module)
    const res = await set(visitor(), 'a', 'x'.repeat(64 * KB))
    expect([res.status, res.body.code, setCookies(res)]).toEqual([413, 'DATA_TOO_LARGE', []])
    expect(store.calls).toEqual([])
  })
})

describe('the option maxDataBytes', () => {
  test('counts the JSON in UTF-8, to the byte', async () => {
    // {"a":"éé"} is 12 bytes.
    const browser = await site(express5, { maxDataBytes: 12 }).logIn()
    expect((await set(browser, 'a', 'éé')).status).toBe(200)
    expect((await set(browser, 'a', 'ééx')).body).toMatchObject(tooLarge)
    expect(await get(browser, 'a')).toBe('éé')
  })

  test('holds for what update makes, and the write before it stays', async () => {
    const browser = await site(express5, { maxDataBytes: 50 }).logIn()
    const add = () => browser.run((session) => session.update<number[]>('n', (n = []) => [...n, 1234567890]))
    const statuses = []
    for (let i = 0; i < 6; i += 1) statuses.push((await add()).status)
    expect(statuses).toEqual([200, 200, 200, 413, 413, 413])
    expect(await get(browser, 'n')).toHaveLength(3)
  })

  test('fails one of several writes that are made together alone', async () => {
    const browser = await site(express5, { style: 'async', maxDataBytes: 50 }).logIn()
    const res = await browser.run(async (session) => {
      const writes = [session.set('a', 1), session.set('b', 'x'.repeat(50)), session.set('c', 3)]
      const failed = await rejectionOf(writes[1]!)
      await Promise.all([writes[0], writes[2]])
      return (failed as { code: string }).code
    })
    expect(res.body).toBe('DATA_TOO_LARGE')
    expect([await get(browser, 'a'), await get(browser, 'b'), await get(browser, 'c')]).toEqual([1, null, 3])
  })

  test('lets what is there already stay and shrink, where the limit was lowered', async () => {
    const store = memoryStore()
    const before = site(express5, createSessions({ store }))
    const browser = await before.logIn()
    await set(browser, 'a', 'x'.repeat(100))
    const after = site(express5, createSessions({ store, maxDataBytes: 50 }))
    const same = after.visitor({ cookie: browser.cookie })
    expect(await get(same, 'a')).toHaveLength(100)
    expect((await set(same, 'b', 1)).body).toMatchObject(tooLarge)
    expect((await set(same, 'a', 'x'.repeat(90))).status).toBe(200)
    expect((await same.run((session) => session.delete('a'))).status).toBe(200)
    expect((await set(same, 'b', 1)).status).toBe(200)
  })

  test('holds for what a login keeps: then nobody is logged in', async () => {
    const store = memoryStore()
    const guest = site(express5, createSessions({ store })).visitor()
    await set(guest, 'cart', 'x'.repeat(100))
    const { sessions, visitor } = site(express5, createSessions({ store, maxDataBytes: 50 }))
    const same = visitor({ cookie: guest.cookie })
    const res = await same.run((session) => session.login(ann, { keep: ['cart'] }))
    expect([res.status, res.body.code, setCookies(res)]).toEqual([413, 'DATA_TOO_LARGE', []])
    expect(await sessions.list('ann')).toEqual([])
    expect((await same.run((session) => session.login(ann))).status).toBe(200)
  })

  test.each([0, -1, 1.5, '64kb', null, Infinity])('is not %p', (maxDataBytes) => {
    expect(() => createSessions({ maxDataBytes: maxDataBytes as number })).toThrow(
      /maxDataBytes must be an integer/,
    )
  })
})
