import { withInterval } from './stats.js'
import { fixed, number, table } from './table.js'

/** What the package has set itself, judged by the results that are there. */
export function targets(results) {
  const rows = [
    ...ofThroughput(results),
    ...ofInProcess(results),
    ...ofShapes(results),
    ...ofScale(results),
    ...ofNetwork(results),
    ...ofBatching(results),
  ]
  return rows.map(([name, aim, reached, isMet]) => ({ name, aim, reached, isMet }))
}

export const targetTable = (rows) =>
  table(
    ['target', 'aim', 'measured', 'met'],
    rows.map(({ name, aim, reached, isMet }) => [name, aim, reached, isMet ? 'yes' : '**no**']),
  )

/** Two contenders against each other, by their ratios to bare Express of the same round. */
function between(contenders, name, other) {
  const [one, two] = [name, other].map((wanted) => contenders.find((each) => each.name === wanted)?.rounds)
  return one && two && withInterval(one.map((ratio, round) => ratio / two[round]))
}

function ofThroughput({ throughput }) {
  if (throughput === undefined) return []
  const { contenders } = throughput
  const toBare = (name) => contenders.find((each) => each.name === name)?.bare.rate
  const rows = [
    ['memory / bare, lower end', 0.9, toBare('sid-memory'), 'low'],
    ['memory / express-session MemoryStore', 1.45, between(contenders, 'sid-memory', 'es-memory')],
    ['SQLite / bare', 0.75, toBare('sid-sqlite')],
    ['SQLite / express-session MemoryStore', 1.2, between(contenders, 'sid-sqlite', 'es-memory')],
    ['Redis / express-session + connect-redis', 1.5, between(contenders, 'sid-redis', 'es-redis')],
    ['Redis / bare', 0.85, toBare('sid-redis')],
    [
      'Postgres / express-session + connect-pg-simple',
      2.5,
      between(contenders, 'sid-postgres', 'es-postgres'),
    ],
    ['Postgres / bare', 0.8, toBare('sid-postgres')],
  ]
  return rows
    .filter(([, aim, found]) => found && aim)
    .map(([name, aim, found, by = 'median']) => [
      name,
      `≥ ${fixed(aim)}`,
      `${fixed(found.median)} (${fixed(found.low)}–${fixed(found.high)})`,
      found[by] >= aim,
    ])
}

function ofInProcess({ inProcess }) {
  if (inProcess === undefined) return []
  const { elsewhere, ...here } = inProcess
  return [here, elsewhere ?? []].flat().flatMap(ofOneNode)
}

function ofOneNode({ node, whole }) {
  const cost = (name) => whole.find((each) => each.name === name).ns.median
  const kinds = [
    ["Express's own requests", ''],
    ['requests of one hidden class', ', requests of one hidden class'],
  ]
  return kinds.flatMap(([kind, suffix]) => {
    const own = cost(`express-sid${suffix}`)
    const times = cost(`express-session${suffix}`) / own
    return [
      [
        `in the process, Node ${node.split('.')[0]}, ${kind}`,
        '≤ 1.2 µs',
        `${fixed(own / 1000)} µs`,
        own <= 1200,
      ],
      ['… against express-session', '20 times cheaper', `${fixed(times, 1)} times`, times >= 20],
    ]
  })
}

/** Beside members whose lookups never end, a request without a cookie takes what it takes beside healthy ones. */
function ofShapes({ shapes }) {
  const hangs = shapes?.slowStore.find(({ label }) => label === 'never answers')
  const healthy = shapes?.slowStore.find(({ label }) => label === '1 ms')
  if (!hangs || !healthy) return []
  return [
    [
      'no cookie while the store hangs: p99',
      `as beside members of a store that answers in 1 ms, ${fixed(healthy.beside.p99, 1)} ms`,
      `${fixed(hangs.beside.p99, 1)} ms`,
      hangs.beside.p99 <= 1.25 * healthy.beside.p99,
    ],
  ]
}

function ofNetwork({ network }) {
  return (network ?? []).map(({ store, manySize, fewSize, manyToFew, control }) => [
    `${store}: a lookup among ${number(manySize)} / ${number(fewSize)}`,
    `within the control, ${fixed(control.low)}–${fixed(control.high)}`,
    `${fixed(manyToFew.median)} (${fixed(manyToFew.low)}–${fixed(manyToFew.high)})`,
    manyToFew.low <= control.high,
  ])
}

function ofScale({ scale }) {
  const million = (store) => scale?.find((row) => row.store === store && row.size === 1_000_000)
  const [memory, sqlite] = [million('memory'), million('sqlite')]
  if (!memory || !sqlite) return []
  const toMap = memory.bytes / memory.map.bytes
  const { slices } = memory.sweep
  const stalls = sqlite.sweep.slices
  return [
    ['a million in memory: bytes / Map', '≤ 1.30', fixed(toMap), toMap <= 1.3],
    [
      '… removal slices, p99',
      '≤ 2 ms',
      `${fixed(slices.p99)} ms (worst ${fixed(slices.worst, 1)})`,
      slices.p99 <= 2,
    ],
    [
      'a million in SQLite: lookup',
      '≤ 15 µs',
      `${fixed(sqlite.lookup.median, 1)} µs`,
      sqlite.lookup.median <= 15,
    ],
    [
      '… stalls by removal, p99',
      '≤ 10 ms',
      `${fixed(stalls.p99)} ms (worst ${number(stalls.worst)})`,
      stalls.p99 <= 10,
    ],
  ]
}

function ofBatching({ batching }) {
  const at64 = (name) => batching?.[name]?.find((row) => row.inFlight === 64)?.toOneEach
  return [
    ['64 lookups in flight, Redis / one GET each', 3, at64('redis')],
    ['64 lookups in flight, ioredis / one GET each', 3, at64('ioredis')],
    ['64 lookups in flight, Postgres / one select each', 5, at64('postgres')],
  ]
    .filter(([, , found]) => found)
    .map(([name, aim, found]) => [
      name,
      `≥ ${aim}`,
      `${fixed(found.median)} (${fixed(found.low)}–${fixed(found.high)})`,
      found.median >= aim,
    ])
}
