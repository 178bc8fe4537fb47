import * as fc from 'fast-check'
import { heard, tick, TICKS, unheard, type Hearing } from '../../../src/core/watch/schedule.js'

/** What is done at each of so many ticks. `hears` says at which of them something came through before. */
function run(ticks: number, hears: (at: number) => boolean, hasChannel = true) {
  const rounds: number[] = []
  const asked: number[] = []
  let hearing: Hearing = unheard
  for (let at = 1; at <= ticks; at += 1) {
    if (hears(at)) hearing = heard(hearing)
    const next = tick(hearing, hasChannel)
    if (next.looksForAll) rounds.push(at)
    if (next.asks) asked.push(at)
    hearing = next.hearing
  }
  return { rounds, asked, hearing }
}

describe('without a channel', () => {
  it('all sessions are looked for at every second tick, and nothing is sent', () => {
    const { rounds, asked } = run(10, () => false, false)
    expect(rounds).toEqual([2, 4, 6, 8, 10])
    expect(asked).toEqual([])
  })
})

describe('with a channel', () => {
  it('that never works, it is the same, and it is asked for at each tick', () => {
    const { rounds, asked } = run(6, () => false)
    expect(rounds).toEqual([2, 4, 6])
    expect(asked).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('that works, all sessions are looked for ten times as rarely, and nobody has to ask', () => {
    const { rounds, asked } = run(70, () => true)
    expect(rounds).toEqual([30, 60])
    expect(asked).toEqual([])
  })

  it('on which little happens, a sign of life is sent at every second tick', () => {
    // It comes back before the next tick.
    const { rounds, asked } = run(9, (at) => at % 2 === 1)
    expect(asked).toEqual([2, 4, 6, 8])
    expect(rounds).toEqual([])
  })

  it('that has become silent, all are looked for at the second tick after, and from then on as without it', () => {
    const { rounds, asked, hearing } = run(12, (at) => at <= 5)
    expect(asked.slice(0, 2)).toEqual([6, 7])
    expect(rounds).toEqual([7, 9, 11])
    expect(hearing.isUp).toBe(false)
  })
})

it('whatever comes through and when, an end is heard in time', () => {
  const comesThrough = fc.array(fc.boolean(), { minLength: 60, maxLength: 60 })
  fc.assert(
    fc.property(comesThrough, fc.boolean(), (through, hasChannel) => {
      const { rounds } = run(60, (at) => hasChannel && through[at - 1]!, hasChannel)
      // While nothing comes through for so long, there must be a round.
      for (let at = 1; at + TICKS - 1 <= 60; at += 1) {
        const isSilent = !hasChannel || !through.slice(at - 1, at + TICKS - 1).includes(true)
        if (!isSilent) continue
        const from = at === 1 ? 1 : at
        expect(rounds.some((round) => round >= from && round < at + TICKS)).toBe(true)
      }
    }),
  )
})
