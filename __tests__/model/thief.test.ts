import { naive, rules, type Rules } from './rules.js'
import { steal, type Theft } from './thief.js'

// All strategies of somebody who copied the cookie once are tried against the functions of the package.

const theft: Theft = {
  rotateEvery: 8,
  rotationGrace: 4,
  thief: 'browser',
  stealsAt: 3,
  away: [0, 0],
  horizon: 44,
}

const outcome = (changes: Partial<Theft> = {}, one: Rules = rules) => steal(one, { ...theft, ...changes })

describe('a copied cookie, beside an owner who uses the site', () => {
  it('dies within two periods in an ordinary browser, whatever the thief does', () => {
    expect(outcome().lasting).toBeUndefined()
    const twoPeriods = theft.stealsAt + 2 * theft.rotateEvery + theft.rotationGrace
    expect(outcome({ horizon: twoPeriods }).lasting).toBeUndefined()
  })

  it('lasts only for a thief who takes every successor and uses none, and that is reported', () => {
    const { lasting, unused } = outcome({ thief: 'any' })
    expect(lasting).toBeDefined()
    // `rotationUnused` is sent from the second one on.
    expect(unused).toBeGreaterThanOrEqual(2)
  })
})

describe('a copied cookie, while its owner is away', () => {
  const away = [10, 34] as const

  it('dies in an ordinary browser soon after the owner has come back', () => {
    expect(outcome({ away }).lasting).toBeUndefined()
  })

  it('is not found before that: nobody else presents a secret', () => {
    expect(outcome({ away, horizon: 34 }).lasting).toBeDefined()
  })
})

describe('one successor for everybody', () => {
  it('would let an ordinary browser of a thief follow the session for ever, unseen', () => {
    const { lasting, unused } = outcome({}, naive.sharedSuccessor)
    expect(lasting).toBeDefined()
    expect(unused).toBe(0)
  })
})
