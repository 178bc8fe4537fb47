import * as fc from 'fast-check'
import { spawnSync } from 'node:child_process'
import { nextLimit, Sweep } from '../../../src/core/records/sweep.js'
import { MINUTE } from '../../support/core.js'

const PAUSE = MINUTE
const BREATH = 2

beforeEach(() => jest.useFakeTimers())
afterEach(() => jest.useRealTimers())

/** A store with so many expired records, for which removing one takes so long. */
function expired(count: number, msEach = 0) {
  const limits: number[] = []
  let left = count
  const remove = (limit: number) => {
    limits.push(limit)
    const removed = Math.min(limit, left)
    left -= removed
    // Only moves the clock: what it would have held up the process for.
    jest.advanceTimersByTime(removed * msEach)
    return removed
  }
  return { limits, remove, left: () => left }
}

describe('a sweep', () => {
  it('does nothing before it is started, and waits a minute then', async () => {
    const { limits, remove } = expired(3)
    const sweep = new Sweep(remove)
    await jest.advanceTimersByTimeAsync(10 * PAUSE)
    sweep.start()
    await jest.advanceTimersByTimeAsync(PAUSE - 1)
    expect(limits).toEqual([])
    await jest.advanceTimersByTimeAsync(1)
    expect(limits).toEqual([8])
    await sweep.stop()
  })

  it('runs every minute while little has expired', async () => {
    const { limits, remove } = expired(0)
    const sweep = new Sweep(remove)
    sweep.start()
    await jest.advanceTimersByTimeAsync(3 * PAUSE)
    expect(limits).toHaveLength(3)
    await sweep.stop()
  })

  it('runs once, however often it is started', async () => {
    const { limits, remove } = expired(0)
    const sweep = new Sweep(remove)
    for (let i = 0; i < 5; i += 1) sweep.start()
    expect(jest.getTimerCount()).toBe(1)
    await jest.advanceTimersByTimeAsync(PAUSE)
    sweep.start()
    expect(jest.getTimerCount()).toBe(1)
    expect(limits).toHaveLength(1)
    await sweep.stop()
  })

  it('goes on after a short pause while a step removes as many as it may, in larger steps', async () => {
    const { limits, remove, left } = expired(5_000)
    const sweep = new Sweep(remove)
    sweep.start()
    await jest.advanceTimersByTimeAsync(PAUSE + 20 * BREATH)
    expect(left()).toBe(0)
    expect(limits).toEqual([8, 16, 32, 64, 128, 256, 512, 1_000, 1_000, 1_000, 1_000])
    await sweep.stop()
  })

  it('takes smaller steps where they hold up the process, and none that takes more than 2 ms', async () => {
    const { limits, remove } = expired(5_000, 0.05)
    const sweep = new Sweep(remove)
    sweep.start()
    await jest.advanceTimersByTimeAsync(PAUSE + 200)
    const settled = limits.slice(5)
    expect(settled.length).toBeGreaterThan(10)
    for (const limit of settled) expect(limit * 0.05).toBeLessThanOrEqual(2)
    await sweep.stop()
  })

  it('stays small while nothing has expired: a quick step with nothing to do says nothing of a full one', async () => {
    const { limits, remove } = expired(0)
    const sweep = new Sweep(remove)
    sweep.start()
    await jest.advanceTimersByTimeAsync(5 * PAUSE)
    expect(limits).toEqual([8, 8, 8, 8, 8])
    await sweep.stop()
  })

  it('gives a store on the network four times as long for requests, and no step of more than 50 ms', async () => {
    const msEach = 0.5
    const steps: { at: number; limit: number }[] = []
    const sweep = new Sweep(async (limit) => {
      steps.push({ at: performance.now(), limit })
      await new Promise((resolve) => setTimeout(resolve, limit * msEach))
      return limit
    })
    sweep.start()
    await jest.advanceTimersByTimeAsync(PAUSE + 20_000)
    expect(steps.length).toBeGreaterThan(20)
    for (const [n, { at, limit }] of steps.slice(1).entries()) {
      const before = steps[n]!
      expect(limit * msEach).toBeLessThanOrEqual(64)
      expect(at - before.at).toBeGreaterThanOrEqual(5 * before.limit * msEach)
    }
    const stopped = sweep.stop()
    await jest.advanceTimersByTimeAsync(1_000)
    await stopped
  })

  it('tries half as many after a failure: it may have been too much', async () => {
    const { limits, remove } = expired(500)
    let isDown = false
    const sweep = new Sweep((limit) => {
      const removed = remove(limit)
      if (isDown) throw new Error('down')
      return removed
    })
    sweep.start()
    await jest.advanceTimersByTimeAsync(PAUSE + 20 * BREATH)
    const largest = limits.at(-1)!
    isDown = true
    await jest.advanceTimersByTimeAsync(3 * PAUSE)
    expect(limits.slice(-3)).toEqual([largest, largest / 2, largest / 4])
    await sweep.stop()
  })

  it('goes on a minute after a failure, thrown or rejected', async () => {
    const steps = [
      () => {
        throw new Error('down')
      },
      () => Promise.reject(new Error('down')),
      () => 0,
    ]
    const remove = jest.fn(() => (steps.shift() ?? (() => 0))())
    const sweep = new Sweep(remove)
    sweep.start()
    await jest.advanceTimersByTimeAsync(3 * PAUSE)
    expect(remove).toHaveBeenCalledTimes(3)
    await sweep.stop()
  })

  it.each([[undefined], [NaN], ['many'], [null]])('is not confused by %p as a count', async (answer) => {
    const remove = jest.fn(() => answer as number)
    const sweep = new Sweep(remove)
    sweep.start()
    await jest.advanceTimersByTimeAsync(2 * PAUSE)
    expect(remove).toHaveBeenCalledTimes(2)
    await sweep.stop()
  })

  it('never has two steps under way', async () => {
    let underWay = 0
    let most = 0
    const sweep = new Sweep(async (limit) => {
      underWay += 1
      most = Math.max(most, underWay)
      await new Promise((resolve) => setTimeout(resolve, 10 * PAUSE))
      underWay -= 1
      return limit
    })
    sweep.start()
    await jest.advanceTimersByTimeAsync(50 * PAUSE)
    expect(most).toBe(1)
    const stopped = sweep.stop()
    await jest.advanceTimersByTimeAsync(10 * PAUSE)
    await stopped
  })
})

describe('stopping a sweep', () => {
  it('leaves no timer, and none comes back', async () => {
    const { limits, remove } = expired(0)
    const sweep = new Sweep(remove)
    sweep.start()
    await sweep.stop()
    expect(jest.getTimerCount()).toBe(0)
    sweep.start()
    await jest.advanceTimersByTimeAsync(5 * PAUSE)
    expect(limits).toEqual([])
  })

  it('waits for the step under way, and does not begin another', async () => {
    let finish!: (count: number) => void
    const remove = jest.fn(() => new Promise<number>((resolve) => (finish = resolve)))
    const sweep = new Sweep(remove)
    sweep.start()
    await jest.advanceTimersByTimeAsync(PAUSE)
    let isStopped = false
    const stopped = sweep.stop().then(() => (isStopped = true))
    await jest.advanceTimersByTimeAsync(PAUSE)
    expect(isStopped).toBe(false)
    finish(8)
    await stopped
    await jest.advanceTimersByTimeAsync(5 * PAUSE)
    expect(remove).toHaveBeenCalledTimes(1)
    expect(jest.getTimerCount()).toBe(0)
  })
})

describe('the size of the next step', () => {
  it('is twice as many after a quick one, half as many after a slow one, else the same', () => {
    expect(nextLimit(100, 0.4)).toBe(200)
    expect(nextLimit(100, 0.8)).toBe(100)
    expect(nextLimit(100, 1.1)).toBe(50)
    expect(nextLimit(100, 0.1, 20)).toBe(200)
    expect(nextLimit(100, 0.1, 30)).toBe(100)
    expect(nextLimit(100, 0.1, 60)).toBe(50)
  })

  it('is a whole number from 8 to 1,000, whatever was measured', () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 1_000 }), fc.double({ min: 0, noNaN: true }), (limit, took) => {
        const next = nextLimit(limit, took)
        expect(Number.isInteger(next)).toBe(true)
        expect(next).toBeGreaterThanOrEqual(8)
        expect(next).toBeLessThanOrEqual(1_000)
      }),
    )
  })
})

it('never holds the process open', () => {
  jest.useRealTimers()
  const code = `
    import { Sweep } from './src/core/records/sweep.ts'
    new Sweep(() => 0).start()
  `
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', code],
    { timeout: 20_000, encoding: 'utf8' },
  )
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
}, 30_000)
