import { keepUser, userOf } from '../../../src/core/user/user.js'
import { userIdText } from '../../../src/core/user/user-id.js'
import { makeRecord } from '../../../src/testing/records.js'
import { ann, rejectionOf, settingsWith } from '../../support/core.js'
import { turns } from '../../support/stores.js'

/** As MongoDB's: its JSON is its text. */
class ObjectId {
  readonly #hex: string
  constructor(hex: string) {
    this.#hex = hex
  }
  toHexString() {
    return this.#hex
  }
  toJSON() {
    return this.#hex
  }
}

/** As some drivers have it: its JSON is an empty object. */
class Uuid {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  toString() {
    return this.#text
  }
}

/** As mongoose's: it has an `id`, and its JSON has none. */
class Document {
  readonly key = new ObjectId('507f1f77bcf86cd799439011')
  get id() {
    return this.key.toHexString()
  }
  toJSON() {
    return { key: this.key, name: 'Ann' }
  }
  toString() {
    return "{ name: 'Ann' }"
  }
}

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
      userIdType: 'number',
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
    [9007199254740993n, '9007199254740993'],
    [new ObjectId('507f1f77bcf86cd799439011'), '507f1f77bcf86cd799439011'],
    [new Uuid('019a0000-0000-7000-8000-000000000000'), '019a0000-0000-7000-8000-000000000000'],
    ['__proto__', '__proto__'],
  ])('of %p is the text %p', (id, text) => {
    expect(userIdText(id)).toBe(text)
  })

  it.each([
    [''],
    [undefined],
    [null],
    [1.5],
    [Infinity],
    [2 ** 53],
    [{}],
    [[]],
    [Symbol('s')],
    [true],
    [new Date()],
    [new Map()],
  ])('is not %p', (id) => {
    expect(() => userIdText(id)).toThrow(invalid)
  })
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
  const load = (loadUser: (id: string | number) => unknown) =>
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

describe('a user whose JSON has no usable id', () => {
  it.each([
    ['a document whose toJSON drops it', new Document()],
    ['a user whose id is empty as JSON', { id: new Uuid('u-1') }],
    ['a user whose toJSON changes it', { id: 1, toJSON: () => ({ id: 2 }) }],
  ])('is refused at login: %s', (_, user) => {
    expect(() => keepUser(user, settings)).toThrow(invalid)
    expect(() => keepUser(user, settings)).toThrow(/"id".*serializeUser/)
  })

  it('is no matter where serializeUser, userId or loadUser says what holds', () => {
    const user = new Document()
    const id = '507f1f77bcf86cd799439011'
    const picking = settingsWith({ serializeUser: () => ({ name: 'Ann' }) })
    expect(keepUser(user, picking)).toMatchObject({ userId: id, user: { name: 'Ann' } })
    const finding = settingsWith({ userId: (one) => (one as Document).key })
    expect(keepUser(user, finding)).toMatchObject({ userId: id, user: { key: id, name: 'Ann' } })
    expect(keepUser(user, settingsWith({ loadUser: () => user })).userId).toBe(id)
  })

  it('keeps an ObjectId as its text, and a bigint where JSON need not have it', () => {
    const id = new ObjectId('507f1f77bcf86cd799439011')
    const kept = { userId: id.toHexString(), userIdType: undefined, user: { id: id.toHexString() } }
    expect(keepUser({ id }, settings)).toEqual(kept)
    expect(keepUser({ id: 7n }, settingsWith({ loadUser: () => ann }))).toMatchObject({ userId: '7' })
  })
})

describe('what JSON would lose', () => {
  let warnings: string[]
  beforeEach(() => {
    warnings = []
    jest.spyOn(process, 'emitWarning').mockImplementation((text) => void warnings.push(String(text)))
  })
  afterEach(() => jest.restoreAllMocks())

  it.each<[object, string]>([
    [{ born: new Date(0) }, 'user.born is a Date and comes back as text'],
    [{ roles: new Set(['a']) }, 'user.roles is a Set and comes back as {}'],
    [{ rights: { all: new Map([[1, 2]]) } }, 'user.rights.all is a Map and comes back as {}'],
    [{ list: [1, undefined] }, 'user.list[1] is undefined and comes back as null'],
    [{ list: [{ at: [() => 1] }] }, 'user.list[0].at[0] is a function and comes back as null'],
    [{ score: NaN }, 'user.score is NaN and comes back as null'],
    [{ name: Promise.resolve('Ann') }, 'user.name is a Promise and comes back as {}'],
    [{ salt: new Uint8Array(2) }, 'user.salt holds bytes and comes back as a plain object'],
    [{ pattern: /a/ }, 'user.pattern is a RegExp and comes back as {}'],
  ])('%j is said once, with the path', (user, words) => {
    for (let round = 0; round < 2; round += 1) keepUser({ id: 1, ...user }, settings)
    expect(warnings).toEqual([expect.stringContaining(words)])
  })

  it('is not said of what JSON keeps, of what is merely left out, and of a toJSON of its own', () => {
    class User {
      readonly id = new ObjectId('507f1f77bcf86cd799439012')
      readonly nothing = undefined
      greet = () => 'hi'
      readonly tags = ['a', null, { deep: [1.5, true] }]
    }
    keepUser(new User(), settings)
    expect(warnings).toEqual([])
  })

  it('is not looked for in production', () => {
    const before = process.env.NODE_ENV
    process.env.NODE_ENV = 'production'
    try {
      keepUser({ id: 1, changed: new Date(0) }, settings)
    } finally {
      process.env.NODE_ENV = before
    }
    expect(warnings).toEqual([])
  })
})
