import { naive, rules } from './rules.js'
import { search } from './search.js'
import { LOCKED_OUT, REFUSED, small, type Bounds } from './world.js'

// The same search within larger bounds: `npm run test:model`.

it.each<[string, Partial<Bounds>]>([
  ['two lost messages', { losses: 2, horizon: 11 }],
  ['a thief and a lost message', { losses: 1, horizon: 11, thief: true }],
  ['two requests at a time', { requests: 2, horizon: 10 }],
  ['a thief for a long time', { losses: 0, horizon: 13, thief: true }],
])(
  'no order of events breaks a rule: %s',
  (name, changes) => {
    const { broken, states, arrivals, bindings } = search(rules, { ...small, ...changes })
    process.stdout.write(`${name}: ${states} states, ${arrivals} arrivals, ${bindings} bindings\n`)
    expect(broken).toEqual(new Map())
    expect(bindings).toBeGreaterThan(100)
  },
  900_000,
)

it('the search finds what is wrong with three bound cookies at a time', () => {
  const { broken } = search(naive.threeCookies, { ...small, losses: 3, horizon: 9 }, 2)
  expect([...broken.keys()].toSorted()).toEqual([LOCKED_OUT, REFUSED])
}, 900_000)
