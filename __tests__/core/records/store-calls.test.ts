import { StoreCalls, type StoreOperation } from '../../../src/core/records/store-calls.js'
import { SessionError } from '../../../src/errors.js'
import { MINUTE, rejectionOf } from '../../support/core.js'

const TIMEOUT = 2_000
const MAX_UNANSWERED = 10_000

/** Calls to a store, and every failure that was reported. */
function watched() {
  const reported: { operation: StoreOperation; error: SessionError }[] = []
  const calls = new StoreCalls(TIMEOUT, (operation, error) => reported.push({ operation, error }))
  return { calls, reported }
}

/** A call whose answer the test gives. */
function pending<T = unknown>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

const forever = () => new Promise<never>(() => undefined)

/** A promise of another kind: not our `Promise`, not even a good one. */
function thenable(then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void) {
  // oxlint-disable-next-line unicorn/no-thenable -- a promise of a kind of its own, as some libraries make
  return { then } as unknown as Promise<unknown>
}

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }))

// Jest fails the test in which a rejection goes unheard: this gives each one the time to show up.
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve))
  jest.useRealTimers()
})

describe('a call to a store in the process', () => {
  it('returns at once, with no promise and no timer', () => {
    const { calls } = watched()
    const answer = { id: 'x' }
    expect(calls.call('get', () => answer)).toBe(answer)
    expect(calls.call('get', () => undefined)).toBeUndefined()
    expect(jest.getTimerCount()).toBe(0)
  })

  it('that throws is thrown at once: STORE_FAILED, 503, with the cause, and reported', () => {
    const { calls, reported } = watched()
    const cause = new Error('disk full')
    const ask = () =>
      calls.call('insert', () => {
        throw cause
      })
    expect(ask).toThrow(
      expect.objectContaining({ name: 'SessionError', code: 'STORE_FAILED', status: 503, cause }),
    )
    expect(reported).toEqual([{ operation: 'insert', error: expect.objectContaining({ cause }) as unknown }])
  })
})

describe('a call to a store on the network', () => {
  it('resolves to what the store returns, and leaves no timer', async () => {
    const { calls, reported } = watched()
    await expect(calls.call('get', async () => 'found')).resolves.toBe('found')
    expect(jest.getTimerCount()).toBe(0)
    expect(reported).toEqual([])
  })

  it('that rejects is STORE_FAILED with the cause, is reported once, and leaves no timer', async () => {
    const { calls, reported } = watched()
    const cause = new Error('connection lost')
    const error = await rejectionOf(Promise.resolve(calls.call('delete', () => Promise.reject(cause))))
    expect(error).toMatchObject({ name: 'SessionError', code: 'STORE_FAILED', status: 503, cause })
    expect(reported).toEqual([{ operation: 'delete', error }])
    expect(jest.getTimerCount()).toBe(0)
  })

  it.each([['text'], [undefined], [null], [0]])(
    'that rejects with %p is a SessionError all the same',
    async (cause) => {
      const { calls } = watched()
      // oxlint-disable-next-line prefer-promise-reject-errors -- what drivers do is the point
      const error = await rejectionOf(Promise.resolve(calls.call('get', () => Promise.reject(cause))))
      expect(error).toMatchObject({ code: 'STORE_FAILED', cause })
    },
  )

  it('keeps the code of an error that the store makes itself', async () => {
    const { calls, reported } = watched()
    const full = new SessionError('STORE_FULL', 'full')
    const ask = () =>
      calls.call('insert', () => {
        throw full
      })
    expect(ask).toThrow(full)
    expect(await rejectionOf(Promise.resolve(calls.call('insert', () => Promise.reject(full))))).toBe(full)
    expect(reported).toHaveLength(2)
  })

  it('that hangs is STORE_TIMEOUT after storeTimeout, not before, and is reported', async () => {
    const { calls, reported } = watched()
    let error: unknown
    Promise.resolve(calls.call('update', forever)).catch((thrown: unknown) => (error = thrown))
    await jest.advanceTimersByTimeAsync(TIMEOUT - 1)
    expect(error).toBeUndefined()
    await jest.advanceTimersByTimeAsync(1)
    expect(error).toMatchObject({ code: 'STORE_TIMEOUT', status: 503 })
    expect((error as Error).message).toMatch(/update within 2000 ms.*storeTimeout/)
    expect(reported).toEqual([{ operation: 'update', error }])
  })

  it.each([['answers'], ['rejects']])(
    'that %s after its deadline stays timed out, harms nothing, leaves no timer',
    async (how) => {
      const { calls } = watched()
      const late = pending()
      const answer = rejectionOf(Promise.resolve(calls.call('get', () => late.promise)))
      await jest.advanceTimersByTimeAsync(TIMEOUT)
      if (how === 'answers') late.resolve('found')
      else late.reject(new Error('connection lost'))
      expect(await answer).toMatchObject({ code: 'STORE_TIMEOUT' })
      await jest.advanceTimersByTimeAsync(0)
      expect(jest.getTimerCount()).toBe(0)
    },
  )
})

describe('a promise of a foreign kind', () => {
  it('is waited for', async () => {
    const { calls } = watched()
    await expect(calls.call('get', () => thenable((resolve) => resolve('found')))).resolves.toBe('found')
    expect(jest.getTimerCount()).toBe(0)
  })

  it('that rejects is STORE_FAILED', async () => {
    const { calls, reported } = watched()
    const cause = new Error('no')
    const answer = calls.call('get', () => thenable((_, reject) => reject(cause)))
    expect(await rejectionOf(Promise.resolve(answer))).toMatchObject({ code: 'STORE_FAILED', cause })
    expect(reported).toHaveLength(1)
  })

  it('that throws instead of rejecting is STORE_FAILED, and leaves no timer', async () => {
    const { calls, reported } = watched()
    const cause = new Error('no')
    const answer = calls.call('get', () =>
      thenable(() => {
        throw cause
      }),
    )
    expect(await rejectionOf(Promise.resolve(answer))).toMatchObject({ code: 'STORE_FAILED', cause })
    expect(reported).toHaveLength(1)
    expect(jest.getTimerCount()).toBe(0)
  })

  it('that resolves and then rejects counts as resolved', async () => {
    const { calls, reported } = watched()
    const answer = calls.call('get', () =>
      thenable((resolve, reject) => {
        resolve('found')
        reject(new Error('or not'))
      }),
    )
    await expect(answer).resolves.toBe('found')
    expect(reported).toEqual([])
  })
})

describe('unanswered calls', () => {
  function fill(
    calls: StoreCalls,
    count = MAX_UNANSWERED,
    ask: () => Promise<unknown> = forever,
  ): Promise<unknown[]> {
    const all = Array.from({ length: count }, () => calls.call('get', ask))
    return Promise.allSettled(all)
  }

  it('are 10,000 at most: one more is STORE_BUSY, is reported, and is not sent', () => {
    const { calls, reported } = watched()
    void fill(calls)
    const ask = jest.fn(forever)
    expect(() => calls.call('get', ask)).toThrow(expect.objectContaining({ code: 'STORE_BUSY', status: 503 }))
    expect(ask).not.toHaveBeenCalled()
    expect(reported).toEqual([
      { operation: 'get', error: expect.objectContaining({ code: 'STORE_BUSY' }) as unknown },
    ])
  })

  it('no longer count once they have ended, well or badly', async () => {
    const { calls } = watched()
    const [good, bad] = [pending(), pending()]
    const first = fill(calls, MAX_UNANSWERED / 2, () => good.promise)
    const second = fill(calls, MAX_UNANSWERED / 2, () => bad.promise)
    expect(() => calls.call('get', forever)).toThrow(expect.objectContaining({ code: 'STORE_BUSY' }))
    good.resolve('found')
    bad.reject(new Error('no'))
    await Promise.all([first, second])
    void fill(calls)
    expect(() => calls.call('get', forever)).toThrow(expect.objectContaining({ code: 'STORE_BUSY' }))
  })

  it('still count after their deadline, so that the queue of a store that is away stays bounded', async () => {
    const { calls } = watched()
    void fill(calls)
    await jest.advanceTimersByTimeAsync(TIMEOUT)
    expect(() => calls.call('get', forever)).toThrow(expect.objectContaining({ code: 'STORE_BUSY' }))
  })

  it('no longer count when another call ends a minute after their deadline: lost calls lock nobody out for ever', async () => {
    const { calls } = watched()
    void fill(calls)
    await jest.advanceTimersByTimeAsync(TIMEOUT + MINUTE - 1)
    expect(() => calls.call('get', forever)).toThrow(expect.objectContaining({ code: 'STORE_BUSY' }))
    await jest.advanceTimersByTimeAsync(1)
    await expect(calls.call('get', async () => 'found')).resolves.toBe('found')
    expect(jest.getTimerCount()).toBe(0)
    void fill(calls)
    expect(() => calls.call('get', forever)).toThrow(expect.objectContaining({ code: 'STORE_BUSY' }))
  })

  it('still count while no call ends: a store that is away for hours gets one call a minute', async () => {
    const { calls } = watched()
    void fill(calls)
    await jest.advanceTimersByTimeAsync(TIMEOUT)
    const ask = jest.fn(forever)
    for (let minute = 1; minute <= 5; minute += 1) {
      await jest.advanceTimersByTimeAsync(MINUTE)
      void Promise.allSettled([calls.call('get', ask)])
      expect(() => calls.call('get', ask)).toThrow(expect.objectContaining({ code: 'STORE_BUSY' }))
      expect(ask).toHaveBeenCalledTimes(minute)
    }
  })

  it('that timed out a moment ago still count when another call ends', async () => {
    const { calls } = watched()
    void fill(calls, MAX_UNANSWERED - 1)
    await jest.advanceTimersByTimeAsync(TIMEOUT + MINUTE - 1)
    await calls.call('get', async () => 'found')
    void fill(calls, 1)
    expect(() => calls.call('get', forever)).toThrow(expect.objectContaining({ code: 'STORE_BUSY' }))
  })

  it('are counted once, even when a call that no longer counts ends after all', async () => {
    const { calls } = watched()
    const late = pending()
    void fill(calls, 5, () => late.promise)
    await jest.advanceTimersByTimeAsync(TIMEOUT + MINUTE)
    late.resolve('found')
    await jest.advanceTimersByTimeAsync(0)
    void fill(calls)
    expect(() => calls.call('get', forever)).toThrow(expect.objectContaining({ code: 'STORE_BUSY' }))
  })

  it('of a store in the process never count', () => {
    const { calls } = watched()
    for (let i = 0; i <= MAX_UNANSWERED; i += 1) void calls.call('get', () => 'found')
    expect(calls.call('get', () => 'found')).toBe('found')
  })
})
