import { keepUser, userIdText, userOf } from '../../src/core/user.js'
import { makeRecord } from '../../src/testing/records.js'
import { ann, rejectionOf, settingsWith } from '../support/core.js'
import { turns } from '../support/stores.js'

const invalid = expect.objectContaining({ name: 'SessionError', code: 'USER_INVALID', status: 500 }) as Error
const settings = settingsWith()

afterEach(() => {
  jest.useRealTimers()
  return turns(2)
})

describe('keeping a user', () => {
  it('keeps the user as JSON, cut off from the original, and the id as text', () => {
    const user = { id: 7, roles: ['admin'], since: new Date(0) }
    const kept = keepUser(user, settings)
    user.roles.push('root')
    expect(kept).toEqual({
      userId: '7',
      user: { id: 7, roles: ['admin'], since: '1970-01-01T00:00:00.000Z' },
    })
  })

  it('keeps what serializeUser picks, and nothing else', () => {
    const picking = settingsWith({ serializeUser: (user) => ({ name: (user as typeof ann).name }) })
    expect(keepUser({ ...ann, passwordHash: 'x' }, picking)).toEqual({ userId: 'ann', user: { name: 'Ann' } })
  })

  it('finds the id where userId says', () => {
    const elsewhere = settingsWith({ userId: (user) => (user as { uuid: string }).uuid })
    expect(keepUser({ id: 1, uuid: 'u-1' }, elsewhere).userId).toBe('u-1')
  })

  it('keeps the id alone where loadUser reads the user on each request', () => {
    const serializeUser = jest.fn()
    const loading = settingsWith({ loadUser: () => ann, serializeUser })
    expect(keepUser({ ...ann, secret: 1n }, loading)).toEqual({ userId: 'ann', user: undefined })
    expect(serializeUser).not.toHaveBeenCalled()
  })

  it.each([
    [undefined],
    [null],
    ['ann'],
    [7],
    [true],
    [() => ann],
    [[ann]],
    [{}],
    [{ name: 'Ann' }],
    [{ id: '' }],
    [{ id: null }],
    [{ id: 1.5 }],
    [{ id: NaN }],
    [{ id: 2 ** 53 }],
    [{ id: 5n }],
    [{ id: {} }],
    [{ id: ['ann'] }],
    [{ id: true }],
  ])('refuses %p, which has no usable id', (user) => {
    expect(() => keepUser(user, settings)).toThrow(invalid)
  })

  it.each([
    ['a promise', Promise.resolve(ann)],
    ['a user whose id is a promise', { id: Promise.resolve('ann') }],
  ])('refuses %s, and says to await it', (_, user) => {
    expect(() => keepUser(user, settings)).toThrow(/promise.*await/)
    expect(() => keepUser(user, settings)).toThrow(invalid)
  })

  it('refuses an async serializeUser, of which JSON would keep an empty object', () => {
    const hasty = settingsWith({ serializeUser: async (user) => user })
    expect(() => keepUser(ann, hasty)).toThrow(invalid)
    expect(() => keepUser(ann, hasty)).toThrow(/serializeUser.*promise/)
  })

  it.each([
    [
      'a ring',
      () => {
        const ring: { id: number; self?: unknown } = { id: 1 }
        ring.self = ring
        return ring
      },
    ],
    ['a bigint inside', () => ({ id: 1, balance: 5n })],
    ['a toJSON that answers a text', () => ({ id: 1, toJSON: () => 'ann' })],
    ['a toJSON that answers nothing', () => ({ id: 1, toJSON: () => undefined })],
    ['a toJSON that answers an array', () => ({ id: 1, toJSON: () => [1] })],
    [
      'a toJSON that throws',
      () => ({
        id: 1,
        toJSON: () => {
          throw new Error('no')
        },
      }),
    ],
  ])('refuses %s, which can not be kept as a JSON object, and names serializeUser', (_, make) => {
    expect(() => keepUser(make(), settings)).toThrow(invalid)
    expect(() => keepUser(make(), settings)).toThrow(/serializeUser/)
  })
})

it('a user that can not be kept is refused with what JSON said as the cause', () => {
  const refused = { code: 'USER_INVALID', cause: expect.any(Error) as unknown }
  expect(() => keepUser({ id: 1, balance: 5n }, settings)).toThrow(expect.objectContaining(refused))
})

describe('a user id', () => {
  it.each([
    ['ann', 'ann'],
    [' ', ' '],
    ['0', '0'],
    [0, '0'],
    [-7, '-7'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    ['__proto__', '__proto__'],
  ])('of %p is the text %p', (id, text) => {
    expect(userIdText(id)).toBe(text)
  })

  it.each([[''], [undefined], [null], [1.5], [Infinity], [2 ** 53], [{}], [[]], [Symbol('s')], [1n]])(
    'is not %p',
    (id) => {
      expect(() => userIdText(id)).toThrow(invalid)
    },
  )
})

describe('the user of a session', () => {
  it('is the one it keeps, at once: a copy that the application may change', () => {
    const record = makeRecord({ userId: 'ann', user: { id: 'ann', roles: ['admin'] } })
    const user = userOf(record, settings) as { roles: string[] }
    expect(user).toEqual(record.user)
    user.roles.push('root')
    expect(record.user).toEqual({ id: 'ann', roles: ['admin'] })
  })

  it('is nobody for a guest, and loadUser is not asked', () => {
    const loadUser = jest.fn(() => ann)
    expect(userOf(makeRecord({ userId: undefined }), settings)).toBeUndefined()
    expect(userOf(makeRecord({ userId: undefined }), settingsWith({ loadUser }))).toBeUndefined()
    expect(loadUser).not.toHaveBeenCalled()
  })
})

describe('with loadUser', () => {
  const record = makeRecord({ userId: 'ann' })
  const load = (loadUser: (id: string) => unknown) =>
    Promise.resolve(userOf(record, settingsWith({ loadUser })))

  it('the user is whom it answers for the id, at once or by promise', async () => {
    expect(await load((id) => ({ id, fresh: true }))).toEqual({ id: 'ann', fresh: true })
    expect(await load(async (id) => ({ id, fresh: true }))).toEqual({ id: 'ann', fresh: true })
  })

  it.each([[undefined], [null], [false]])('%p is nobody, which is no failure', async (answer) => {
    expect(await load(() => answer)).toBeUndefined()
    expect(await load(async () => answer)).toBeUndefined()
  })

  it('what it throws or rejects with is USER_LOAD_FAILED, 503, with the cause', async () => {
    const cause = new Error('database is down')
    const failed = { name: 'SessionError', code: 'USER_LOAD_FAILED', status: 503, cause }
    const throwing = load(() => {
      throw cause
    })
    expect(await rejectionOf(throwing)).toMatchObject(failed)
    expect(await rejectionOf(load(() => Promise.reject(cause)))).toMatchObject(failed)
  })

  it('no answer within storeTimeout is USER_LOAD_FAILED, and a late failure harms nothing', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] })
    let fail!: (error: Error) => void
    const answer = rejectionOf(load(() => new Promise((_, reject) => (fail = reject))))
    await jest.advanceTimersByTimeAsync(2_000)
    expect(await answer).toMatchObject({
      code: 'USER_LOAD_FAILED',
      cause: { message: expect.stringContaining('2000 ms') as unknown },
    })
    fail(new Error('too late to matter'))
    await turns(2)
  })

  it('leaves no timer behind an answer', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] })
    await load(() => ann)
    expect(jest.getTimerCount()).toBe(0)
  })
})
