import {
  claimSeat,
  confirmSeat,
  releaseSeat,
  succeedToSeat,
  type Claim,
  type Seat,
} from '../../../src/core/limits.js'

const NOW = 1_000_000_000
const claim = (more: Partial<Claim> = {}): Claim => ({
  id: 'new',
  replaces: [],
  max: 2,
  whenFull: 'endOldest',
  now: NOW,
  ended: undefined,
  ...more,
})
const looked = (...ended: string[]) => ({ ended: new Set(ended) })
const taken: readonly Seat[] = [{ id: 'a' }, { id: 'b' }]

describe('a login', () => {
  it('takes a free seat without a look at anybody', () => {
    expect(claimSeat([{ id: 'a' }], claim())).toEqual({
      outcome: 'seated',
      seats: [{ id: 'a' }, { id: 'new', since: NOW }],
      dropped: [],
    })
  })

  it('has those looked at first that have a seat, where all are taken', () => {
    const seats = [{ id: 'a' }, { id: 'b', since: NOW - 1, replaces: ['z'] }]
    // The session of a login that is under way need not be there yet.
    expect(claimSeat(seats, claim())).toEqual({ outcome: 'look', ids: ['a'] })
  })

  it('takes the seat of a session that has ended', () => {
    const claimed = claimSeat(taken, claim({ whenFull: 'refuse', ...looked('a') }))
    expect(claimed).toMatchObject({ outcome: 'seated', seats: [{ id: 'b' }, { id: 'new', since: NOW }] })
  })

  it('is refused where all are alive, or pushes out the oldest', () => {
    expect(claimSeat(taken, claim({ whenFull: 'refuse', ...looked() }))).toEqual({ outcome: 'full' })
    expect(claimSeat(taken, claim(looked()))).toEqual({
      outcome: 'seated',
      seats: [{ id: 'b' }, { id: 'new', since: NOW, replaces: ['a'] }],
      dropped: [],
    })
  })

  it('takes the place of what its browser holds, full or not', () => {
    const claimed = claimSeat(taken, claim({ whenFull: 'refuse', replaces: ['b'] }))
    expect(claimed).toMatchObject({ seats: [{ id: 'a' }, { id: 'new', since: NOW, replaces: ['b'] }] })
  })

  it('pushes out as many as are too many, where the limit was lowered', () => {
    const claimed = claimSeat([...taken, { id: 'c' }], claim({ max: 1, ...looked() }))
    expect(claimed).toMatchObject({ seats: [{ id: 'new', since: NOW, replaces: ['a', 'b', 'c'] }] })
  })

  it('pushes out a login that is under way only where there is nobody else, and keeps what that one keeps', () => {
    const under = { id: 'x', since: NOW - 5, replaces: ['old'] }
    expect(claimSeat([under, { id: 'b' }], claim(looked()))).toMatchObject({
      seats: [under, { id: 'new', since: NOW, replaces: ['b'] }],
      dropped: [],
    })
    expect(claimSeat([under], claim({ max: 1, ...looked() }))).toEqual({
      outcome: 'seated',
      seats: [{ id: 'new', since: NOW, replaces: ['old'] }],
      dropped: ['x'],
    })
  })

  it('that asks twice, since it never learned that it had a seat, has one', () => {
    const seats = [{ id: 'new', since: NOW - 9 }, { id: 'a' }]
    expect(claimSeat(seats, claim())).toMatchObject({ seats: [{ id: 'a' }, { id: 'new', since: NOW }] })
  })
})

describe('a login that has died', () => {
  const dead = { id: 'dead', since: NOW - 60_000, replaces: ['old', 'gone'] }

  it('has a seat for a minute, and then none; what it would have replaced has', () => {
    const young = { ...dead, since: NOW - 59_999 }
    expect(claimSeat([young], claim({ max: 1, whenFull: 'refuse', ...looked('old', 'gone') }))).toEqual({
      outcome: 'full',
    })
    expect(claimSeat([dead], claim({ max: 1 }))).toEqual({ outcome: 'look', ids: ['old', 'gone'] })
    expect(claimSeat([dead], claim({ max: 1, whenFull: 'refuse', ...looked('gone') }))).toEqual({
      outcome: 'full',
    })
    expect(claimSeat([dead], claim({ max: 2, whenFull: 'refuse', ...looked('gone') }))).toMatchObject({
      seats: [dead, { id: 'new' }],
    })
  })

  it('leaves a session that nobody will ever use: it is dropped', () => {
    expect(claimSeat([dead], claim({ max: 1, ...looked('old', 'gone') }))).toEqual({
      outcome: 'seated',
      seats: [{ id: 'new', since: NOW }],
      dropped: ['dead'],
    })
  })
})

test('a seat is taken once it is confirmed, if it is still there', () => {
  const pending = { id: 'new', since: NOW, replaces: ['a'] }
  expect(confirmSeat([{ id: 'b' }, pending], 'new')).toEqual([{ id: 'b' }, { id: 'new' }])
  expect(confirmSeat([{ id: 'b' }], 'new')).toBeUndefined()
})

test('a login that fails gives back the places that it kept', () => {
  const pending = { id: 'new', since: NOW, replaces: ['a', 'c'] }
  expect(releaseSeat([pending, { id: 'b' }], 'new')).toEqual([{ id: 'a' }, { id: 'c' }, { id: 'b' }])
  expect(releaseSeat([{ id: 'b' }], 'new')).toEqual([{ id: 'b' }])
})

describe('a successor', () => {
  const successor = { id: 'new', old: 'a', now: NOW, takesBack: false }

  it('takes the seat of the old one, whatever the limit is', () => {
    expect(succeedToSeat(taken, successor)).toEqual({
      outcome: 'seated',
      seats: [{ id: 'b' }, { id: 'new', since: NOW, succeeds: true, replaces: ['a'] }],
      dropped: [],
    })
  })

  it('gets none where a login is about to take it', () => {
    expect(succeedToSeat([{ id: 'x', since: NOW - 1, replaces: ['a'] }], successor)).toEqual({
      outcome: 'full',
    })
  })

  it('takes it back of a login that is not to have it', () => {
    const seats = [{ id: 'x', since: NOW - 1, replaces: ['a'] }]
    expect(succeedToSeat(seats, { ...successor, takesBack: true })).toEqual({
      outcome: 'seated',
      seats: [{ id: 'new', since: NOW, succeeds: true, replaces: ['a'] }],
      dropped: ['x'],
    })
  })

  it('takes it of a login that has died', () => {
    const dead = { id: 'x', since: NOW - 60_000, replaces: ['a', 'c'] }
    expect(succeedToSeat([dead], successor)).toEqual({
      outcome: 'seated',
      seats: [{ id: 'c' }, { id: 'new', since: NOW, succeeds: true, replaces: ['a'] }],
      dropped: ['x'],
    })
  })

  it('asks again beside another one of the same session, of which one will count', () => {
    const other = { id: 'x', since: NOW - 1, succeeds: true, replaces: ['a'] }
    expect(succeedToSeat([other], successor)).toMatchObject({ outcome: 'seated', dropped: [] })
  })
})
