import { BUILD } from '../lib/built.js'
import { fakeRecord } from '../lib/fake-records.js'
import { inChild } from '../lib/in-child.js'
import type { Run } from '../lib/part.js'
import { places, type Place } from '../lib/places.js'
import { say } from '../lib/say.js'
import type { ServerName } from '../lib/servers.js'
import { shuffled, withInterval, type Interval } from '../lib/stats.js'
import { fixed, number, spread, table } from '../lib/table.js'

const IN_FLIGHT = 64
/** So many inserts share one transaction, or one write to the socket. */
const AT_ONCE = 1_000

interface Settings {
  readonly build: string
  readonly store: ServerName
  readonly few: number
  readonly many: number
  readonly rounds: number
  readonly windowMs: number
}

interface Figures {
  readonly few: Interval
  readonly many: Interval
  readonly manyToFew: Interval
  readonly control: Interval
}

export interface Row extends Figures {
  readonly store: string
  readonly fewSize: number
  readonly manySize: number
}

/** Whether a lookup on a server takes longer when there are more sessions: two sizes side by side, and a control. */
export async function measure({ isQuick, servers, nodes: [node] }: Run): Promise<Row[]> {
  const counts = isQuick
    ? { few: 1_000, many: 20_000, rounds: 4, windowMs: 100 }
    : { few: 10_000, many: 1_000_000, rounds: 24, windowMs: 250 }
  const rows: Row[] = []
  for (const store of ['redis', 'postgres', 'mysql'] as const) {
    const running = servers[store]
    if (running === undefined) continue
    say(`network: ${number(counts.few)} and ${number(counts.many)} sessions in ${running}`)
    const figures = await inChild(
      import.meta.url,
      measureHere,
      { build: BUILD, store, ...counts },
      { node: node! },
    )
    rows.push({ store: running, fewSize: counts.few, manySize: counts.many, ...figures })
  }
  return rows
}

export async function measureHere({ build, store, few, many, rounds, windowMs }: Settings): Promise<Figures> {
  const small = await filled(await places[store](build, 'few'), few)
  const large = await filled(await places[store](build, 'many'), many)
  const took = { few: [] as number[], many: [] as number[], fewAgain: [] as number[] }
  const order = [
    { times: took.few, one: small },
    { times: took.many, one: large },
    { times: took.fewAgain, one: small },
  ]
  for (const { one } of order) await window(one, windowMs)
  for (let round = 0; round < rounds; round++) {
    for (const { times, one } of shuffled(order)) times.push(await window(one, windowMs))
  }
  for (const { place } of [small, large]) await place.forget()
  const toFew = (times: number[]) => withInterval([times.map((us, round) => us / took.few[round]!)])
  return {
    few: withInterval([took.few]),
    many: withInterval([took.many]),
    manyToFew: toFew(took.many),
    control: toFew(took.fewAgain),
  }
}

interface Filled {
  readonly place: Place
  readonly ids: string[]
}

async function filled(place: Place, size: number): Promise<Filled> {
  // The table must be there before a transaction begins.
  await place.store.insert(fakeRecord(-1))
  const ids: string[] = []
  for (let n = 0; n < size; n += AT_ONCE) {
    const records = Array.from({ length: Math.min(AT_ONCE, size - n) }, (_, at) => fakeRecord(n + at))
    await place.fillAtOnce((store) => Promise.all(records.map(async (one) => store.insert(one))))
    for (const [at, { id }] of records.entries()) if (at % Math.ceil(size / 20_000) === 0) ids.push(id)
  }
  await place.settle?.()
  return { place, ids }
}

/** Microseconds a lookup, with so many under way at any time. */
async function window({ place: { store }, ids }: Filled, windowMs: number): Promise<number> {
  let done = 0
  const start = performance.now()
  const loop = async () => {
    while (performance.now() - start < windowMs) {
      const id = ids[Math.floor(Math.random() * ids.length)]!
      if ((await store.get(id))?.id !== id) throw new Error('a session was not found')
      done++
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop))
  return ((performance.now() - start) * 1000) / done
}

export function report(rows: Row[]): string {
  const [first] = rows
  if (first === undefined) return 'No server runs.'
  return table(
    [
      `${IN_FLIGHT} lookups at a time`,
      `µs among ${number(first.fewSize)}`,
      `µs among ${number(first.manySize)}`,
      'many / few',
      'few / few: the control',
    ],
    rows.map(({ store, few, many, manyToFew, control }) => [
      store,
      fixed(few.median, 1),
      fixed(many.median, 1),
      spread(manyToFew),
      spread(control),
    ]),
  )
}
