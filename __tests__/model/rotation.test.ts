import { isWide } from '../support/wide.js'
import { small } from './bounds.js'
import { naive, rules, type Rules } from './rules.js'
import { search } from './search.js'
import { DEAD_JAR, SIGNED_OUT, TWO_ISSUES, type Bounds } from './world.js'

// Every order of events within small bounds is searched, with the functions of the package as the server's rules.
// Larger bounds: `npm run test:model`.

const brokenBy = (one: Rules, changes: Partial<Bounds> = {}) => {
  const { broken } = search(one, { ...small, ...changes })
  return [...broken.keys()].toSorted()
}

describe('no order of events signs an honest browser out, or issues two successors in one period', () => {
  it.each([
    ['with lost responses, a crash, and another writer', {}],
    ['with three requests at a time', { requests: 3, horizon: 11 }],
    ['with a near cache of any age on each node', { nearCache: true, crashes: 0, horizon: 12 }],
  ])('%s', (_, changes) => {
    const { broken, states, counts } = search(rules, { ...small, ...changes })
    expect(broken).toEqual(new Map())
    // The search has been where it matters.
    expect(states).toBeGreaterThan(10_000)
    expect(counts.issued).toBeGreaterThan(100)
    expect(counts.settled).toBeGreaterThan(100)
  })
})

describe('the timing condition is needed', () => {
  it('a grace that is one tick shorter than lost cookies + delay of a response + age of a header', () => {
    expect(brokenBy(rules, { rotationGrace: small.rotationGrace - 1 })).toEqual([DEAD_JAR, SIGNED_OUT])
  })

  it('a response that is later than a whole period', () => {
    const late = { responseDelay: 7, crashes: 0, writes: 0 }
    expect(brokenBy(rules, late)).toEqual([DEAD_JAR, SIGNED_OUT])
  })
})

describe('the search finds what is wrong with', () => {
  it('a successor that counts at once, with the old secret dead', () => {
    expect(brokenBy(naive.noGrace, { crashes: 0 })).toEqual([SIGNED_OUT])
  })

  it('a grace that counts from the issue', () => {
    expect(brokenBy(naive.graceFromIssue, { crashes: 0 })).toEqual([DEAD_JAR, SIGNED_OUT])
  })

  it('a successor that counts from its first use', () => {
    expect(brokenBy(naive.firstUse)).toEqual([DEAD_JAR, SIGNED_OUT])
  })

  it('a successor that is replaced soon', () => {
    expect(brokenBy(naive.reissueSoon, { crashes: 0 })).toEqual([DEAD_JAR, SIGNED_OUT, TWO_ISSUES])
  })

  it('a theft that is concluded from an old record', () => {
    const { horizon } = isWide ? small : { horizon: 12 }
    expect(brokenBy(naive.staleRead, { nearCache: true, crashes: 0, horizon })).toEqual([SIGNED_OUT])
  })
})
