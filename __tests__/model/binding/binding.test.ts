import { naive, rules, type Rules } from './rules.js'
import { search } from './search.js'
import { LIVES_ON, LOCKED_OUT, REFUSED, small, type Bounds } from './world.js'

// Every order of events within small bounds is searched, with the functions of the package as the server's rules: a
// browser that renews early, late or twice, messages that get lost or are sent again, requests under way, and a thief.
// Larger bounds: `npm run test:model`.

/** The rules that are found broken first, as many as are expected. */
const brokenBy = (one: Rules, expected: readonly string[], changes: Partial<Bounds> = {}) =>
  [...search(one, { ...small, ...changes }, expected.length).broken.keys()].toSorted()

describe('no order of events locks an honest browser out, or lets a copy live on', () => {
  it.each<[string, Partial<Bounds>]>([
    ['with a lost message', {}],
    ['with two lost messages', { losses: 2, horizon: 7 }],
    ['with a thief', { thief: true, losses: 0, requests: 0, horizon: 9 }],
    ['in a browser that knows nothing of it', { browser: 'none', thief: true }],
    ['in a browser that rejects the session', { browser: 'rejects', thief: true }],
  ])('%s', (_, changes) => {
    const { broken, states, bindings } = search(rules, { ...small, ...changes })
    expect(broken).toEqual(new Map())
    // The search has been where it matters.
    if (changes.browser === undefined) {
      expect(states).toBeGreaterThan(5_000)
      expect(bindings).toBeGreaterThan(10)
    }
  })
})

describe('the timing condition is needed', () => {
  it('a slack that is one tick shorter than the delay of a response + the age of a header', () => {
    expect(brokenBy(rules, [REFUSED], { slack: small.slack - 1 })).toEqual([REFUSED])
  })
})

describe('the search finds what is wrong with', () => {
  it.each<[string, Rules, Partial<Bounds>, string[]]>([
    [
      'a session that is bound from its registration on',
      naive.enforceAtRegistration,
      {},
      [LOCKED_OUT, REFUSED],
    ],
    [
      'one that is bound from the first bound cookie on',
      naive.enforceAtFirstCookie,
      { browser: 'rejects' },
      [LOCKED_OUT, REFUSED],
    ],
    ['no grace after the binding', naive.noGrace, {}, [REFUSED]],
    ['no slack after the end of a bound cookie', naive.noSlack, {}, [LOCKED_OUT, REFUSED]],
    ['one bound cookie at a time', naive.oneCookie, {}, [REFUSED]],
    [
      'an end that the browser alone knows',
      naive.endedByBrowserAlone,
      { thief: true, losses: 0, requests: 0, horizon: 9 },
      [LIVES_ON],
    ],
    [
      'an end of the session at a bad proof',
      naive.endOnBadProof,
      { thief: true, losses: 0, horizon: 4 },
      [LOCKED_OUT, REFUSED],
    ],
    [
      'a challenge that a bad proof uses up',
      naive.burnOnBadProof,
      { thief: true, losses: 0, horizon: 9 },
      [LOCKED_OUT, REFUSED],
    ],
  ])('%s', (_, one, changes, broken) => {
    expect(brokenBy(one, broken, changes)).toEqual(broken.toSorted())
  })
})
