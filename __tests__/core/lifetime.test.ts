import * as fc from 'fast-check'
import { isExpired, isTouchDue, timesAtStart, touched, type Lifetimes } from '../../src/core/lifetime.js'
import type { SessionRecord } from '../../src/record.js'
import { makeRecord } from '../../src/testing/records.js'
import { chrome, firefox, DAY, HOUR, MINUTE, SECOND } from '../support/core.js'

const lifetimes: Lifetimes = {
  idleTimeout: 7 * DAY,
  guestIdleTimeout: HOUR,
  absoluteTimeout: 30 * DAY,
  touchInterval: MINUTE,
}
const START = 1_750_000_000_000

function session(isGuest = false, given = lifetimes): SessionRecord {
  return makeRecord({ userId: isGuest ? undefined : 'ann', ...timesAtStart(START, isGuest, given) })
}

describe('a session that starts', () => {
  it('was created, proven and last seen now, and has both deadlines', () => {
    expect(timesAtStart(START, false, lifetimes)).toEqual({
      createdAt: START,
      authenticatedAt: START,
      lastSeenAt: START,
      expiresAt: START + 7 * DAY,
      absoluteExpiresAt: START + 30 * DAY,
    })
  })

  it('has the shorter idle deadline when it is a guest', () => {
    expect(timesAtStart(START, true, lifetimes).expiresAt).toBe(START + HOUR)
  })

  it('never has an idle deadline past the absolute one', () => {
    const short = { ...lifetimes, absoluteTimeout: 10 * MINUTE }
    expect(timesAtStart(START, false, short).expiresAt).toBe(START + 10 * MINUTE)
    expect(timesAtStart(START, true, short).expiresAt).toBe(START + 10 * MINUTE)
  })
})

describe('a deadline', () => {
  it('has passed at its very millisecond, not one before', () => {
    const record = session()
    expect(isExpired(record, record.expiresAt - 1)).toBe(false)
    expect(isExpired(record, record.expiresAt)).toBe(true)
  })

  it('is the absolute one whatever the idle one says', () => {
    const record = { ...session(), expiresAt: START + 99 * DAY }
    expect(isExpired(record, record.absoluteExpiresAt - 1)).toBe(false)
    expect(isExpired(record, record.absoluteExpiresAt)).toBe(true)
  })
})

describe('a touch', () => {
  it('is due a touchInterval after the last one, not before', () => {
    expect(isTouchDue(session(), START + MINUTE - 1, lifetimes)).toBe(false)
    expect(isTouchDue(session(), START + MINUTE, lifetimes)).toBe(true)
  })

  it('is not due when the clock was set back', () => {
    expect(isTouchDue(session(), START - HOUR, lifetimes)).toBe(false)
  })

  it('moves the idle deadline and remembers the client, and changes nothing else', () => {
    const record = session()
    const now = START + HOUR
    expect(touched(record, now, firefox, lifetimes)).toEqual({
      ...record,
      ...firefox,
      lastSeenAt: now,
      expiresAt: now + 7 * DAY,
    })
  })

  it('gives a guest the idle timeout of guests', () => {
    expect(touched(session(true), START + MINUTE, chrome, lifetimes).expiresAt).toBe(START + MINUTE + HOUR)
  })

  it('never moves the idle deadline past the absolute one', () => {
    const record = session()
    expect(touched(record, START + 29 * DAY, chrome, lifetimes).expiresAt).toBe(record.absoluteExpiresAt)
  })

  it('takes nothing back when the clock was set back: neither the deadline nor when it was last seen', () => {
    const record = touched(session(), START + DAY, chrome, lifetimes)
    const later = touched(record, START + HOUR, chrome, lifetimes)
    expect(later.lastSeenAt).toBe(record.lastSeenAt)
    expect(later.expiresAt).toBe(record.expiresAt)
  })

  it('follows a timeout that was made shorter since', () => {
    const later = touched(session(), START + HOUR, chrome, { ...lifetimes, idleTimeout: DAY })
    expect(later.expiresAt).toBe(START + HOUR + DAY)
  })
})

describe('a session with a lifetime of its own', () => {
  const own = { idle: 5 * MINUTE, absolute: HOUR }
  const started = () => ({ ...session(), ...timesAtStart(START, false, lifetimes, own), lifetime: own })

  it('starts with both of its deadlines', () => {
    expect(timesAtStart(START, false, lifetimes, own)).toMatchObject({
      expiresAt: START + 5 * MINUTE,
      absoluteExpiresAt: START + HOUR,
    })
  })

  it('takes from the options what it does not say', () => {
    expect(timesAtStart(START, false, lifetimes, { absolute: DAY }).expiresAt).toBe(START + DAY)
    expect(timesAtStart(START, false, lifetimes, { idle: HOUR })).toMatchObject({
      expiresAt: START + HOUR,
      absoluteExpiresAt: START + 30 * DAY,
    })
    const record = { ...session(), lifetime: { persistent: false } }
    expect(touched(record, START + HOUR, chrome, lifetimes).expiresAt).toBe(START + HOUR + 7 * DAY)
    expect(isTouchDue(record, START + MINUTE - 1, lifetimes)).toBe(false)
  })

  it('is moved by its own idle time, whatever the options say', () => {
    const later = touched(started(), START + MINUTE, chrome, lifetimes)
    expect(later.expiresAt).toBe(START + 6 * MINUTE)
    expect(touched(later, START + 58 * MINUTE, chrome, lifetimes).expiresAt).toBe(START + HOUR)
  })

  it('is touched after a tenth of its idle time where touchInterval is longer, and never more often than that', () => {
    expect(isTouchDue(started(), START + 30 * SECOND - 1, lifetimes)).toBe(false)
    expect(isTouchDue(started(), START + 30 * SECOND, lifetimes)).toBe(true)
    const long = { ...session(), lifetime: { idle: 90 * DAY } }
    expect(isTouchDue(long, START + MINUTE - 1, lifetimes)).toBe(false)
    expect(isTouchDue(long, START + MINUTE, lifetimes)).toBe(true)
  })
})

describe('whatever the clock does', () => {
  const span = (most: number) => fc.integer({ min: 1, max: most })
  const given = fc.record({
    idleTimeout: span(10 * DAY),
    guestIdleTimeout: span(2 * HOUR),
    absoluteTimeout: span(40 * DAY),
    touchInterval: fc.nat({ max: 5 * MINUTE }),
  })
  const clock = fc.array(fc.integer({ min: -2 * DAY, max: 2 * DAY }), { maxLength: 50 })

  /** The states of one session that is used at each of these times, as the core would use it. */
  function life(
    isGuest: boolean,
    times: Lifetimes,
    steps: number[],
  ): { states: SessionRecord[]; writes: number[] } {
    let now = START
    const states = [session(isGuest, times)]
    const writes: number[] = []
    for (const step of steps) {
      now += step
      const record = states.at(-1)!
      if (isExpired(record, now)) break
      if (!isTouchDue(record, now, times)) continue
      states.push(touched(record, now, chrome, times))
      writes.push(now)
    }
    return { states, writes }
  }

  it('no deadline moves back, and none past the absolute one, which never moves', () => {
    fc.assert(
      fc.property(fc.boolean(), given, clock, (isGuest, times, steps) => {
        const { states } = life(isGuest, times, steps)
        for (const [index, state] of states.entries()) {
          const before = states[Math.max(0, index - 1)]!
          expect(state.absoluteExpiresAt).toBe(START + times.absoluteTimeout)
          expect(state.expiresAt).toBeLessThanOrEqual(state.absoluteExpiresAt)
          expect(state.expiresAt).toBeGreaterThanOrEqual(before.expiresAt)
          expect(state.lastSeenAt).toBeGreaterThanOrEqual(before.lastSeenAt)
        }
      }),
    )
  })

  it('no session is alive an idle timeout after it was last seen, nor an absolute one after its start', () => {
    fc.assert(
      fc.property(fc.boolean(), given, clock, (isGuest, times, steps) => {
        const last = life(isGuest, times, steps).states.at(-1)!
        const idle = isGuest ? times.guestIdleTimeout : times.idleTimeout
        expect(isExpired(last, last.lastSeenAt + idle)).toBe(true)
        expect(isExpired(last, START + times.absoluteTimeout)).toBe(true)
      }),
    )
  })

  it('there is at most one write in a touchInterval, however many requests there are', () => {
    fc.assert(
      fc.property(given, fc.array(fc.nat({ max: 30 * SECOND }), { maxLength: 300 }), (times, steps) => {
        const { writes } = life(false, times, steps)
        for (const [index, at] of writes.entries()) {
          expect(at - (writes[index - 1] ?? START)).toBeGreaterThanOrEqual(times.touchInterval)
        }
      }),
    )
  })
})
