import { small } from './bounds.js'
import { rules } from './rules.js'
import { search } from './search.js'
import type { Bounds } from './world.js'

// The same search within larger bounds: `npm run test:model`.

const large: Bounds = { ...small, rotateEvery: 10, rotationGrace: 5, headerAge: 3, horizon: 22 }

it.each<[string, Partial<Bounds>]>([
  ['long queues of requests', {}],
  ['three requests at a time', { requests: 3, headerAge: 1, rotationGrace: 3, rotateEvery: 6, horizon: 14 }],
  [
    'two crashes and two other writers',
    { crashes: 2, writes: 2, headerAge: 2, rotationGrace: 4, horizon: 20 },
  ],
  ['crashes that lose more', { crashLoses: 3, headerAge: 1 }],
  ['late responses', { responseDelay: 3, headerAge: 1 }],
  ['a near cache, and crashes', { ...small, nearCache: true }],
])(
  'no order of events breaks a rule: %s',
  (name, changes) => {
    const { broken, states, counts } = search(rules, { ...large, ...changes })
    process.stdout.write(
      `${name}: ${states} states, ${counts.issued} issues, ${counts.settled} settlements\n`,
    )
    expect(broken).toEqual(new Map())
    expect(counts.settled).toBeGreaterThan(100)
  },
  600_000,
)
