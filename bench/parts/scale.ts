import { existsSync, statSync } from 'node:fs'
import type { SessionRecord, SessionStore } from 'express-sid'
import { BUILD, load } from '../lib/built.js'
import { fakeRecord, fresh, HOUR, uuidv7 } from '../lib/fake-records.js'
import { inChild } from '../lib/in-child.js'
import type { Node } from '../lib/nodes.js'
import type { Run } from '../lib/part.js'
import { say } from '../lib/say.js'
import { quantile, type Interval } from '../lib/stats.js'
import { watchSweep, type SweepFigures } from '../lib/sweep.js'
import { fixed, number, spread, table } from '../lib/table.js'
import { temporaryFolder } from '../lib/temporary-folder.js'

/** A user with this many sessions is listed, too. */
const MANY = 100
/** Filling a file with ten million sessions takes an hour. */
const MAX_IN_SQLITE = 1_000_000

interface Settings {
  readonly build: string
  readonly size: number
}

interface Figures {
  readonly bytes: number
  readonly lookup: Interval
  readonly listOne: Interval
  readonly listMany: Interval
  readonly sweep: SweepFigures
}

export interface Row extends Figures {
  readonly store: 'memory' | 'sqlite'
  readonly size: number
  /** The same records in a plain Map. */
  readonly map?: { readonly bytes: number; readonly lookup: Interval }
  /** Milliseconds to the first lookup on an existing file. */
  readonly coldStart?: number
}

/** How the stores that live in the process behave as they grow. A process of its own for each size. */
export async function measure({ isQuick, sizes, nodes: [node] }: Run): Promise<Row[]> {
  const rows: Row[] = []
  for (const size of sizes ?? (isQuick ? [10_000, 100_000] : [10_000, 100_000, 1_000_000])) {
    say(`scale: ${number(size)} sessions in memory`)
    const map = await inOwnProcess(plainMap, { size }, node!)
    rows.push({ store: 'memory', size, map, ...(await inOwnProcess(memory, { size }, node!)) })
    if (size > MAX_IN_SQLITE) continue
    say(`scale: ${number(size)} sessions in SQLite`)
    const folder = temporaryFolder()
    const settings = { size, file: folder.file('sessions.sqlite') }
    const figures = await inOwnProcess(sqlite, settings, node!)
    rows.push({ store: 'sqlite', size, ...figures, ...(await inOwnProcess(coldStart, settings, node!)) })
    folder.remove()
  }
  return rows
}

const inOwnProcess = <S extends object, R>(
  measureHere: (settings: S & { build: string }) => R,
  settings: S,
  node: Node,
) =>
  inChild(
    import.meta.url,
    measureHere,
    { build: BUILD, ...settings },
    { node, execArgv: ['--expose-gc', '--max-old-space-size=18000'] },
  )

/** Half of them end in the past, so that the sweep has half of them to remove. No two share a string. */
function record(n: number): SessionRecord {
  const lastSeenAt = BEGUN - (n % 2 === 0 ? HOUR : 2 * HOUR)
  return fakeRecord(n, {
    userId: n < MANY ? 'many' : `user-${n}`,
    userAgent: `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${n % 200}.0.0.0 Safari/537.36`,
    ip: `203.0.${n % 200}.${n % 250}`,
    lastSeenAt,
    // Spread over some minutes, as logins are.
    expiresAt: lastSeenAt + 1.5 * HOUR - (n % 997) * 300,
  })
}

const BEGUN = Date.now()

/** Makes the records. Returns the ids that are looked up later: spread over all, and few enough to be kept beside them. */
function fill(size: number, insert: (record: SessionRecord) => unknown): string[] {
  const ids: string[] = []
  for (let n = 0; n < size; n++) {
    const one = record(n)
    void insert(one)
    if (n % Math.ceil(size / 20_000) === 0) ids.push(one.id)
  }
  return ids
}

const pick = (ids: string[]) => fresh(ids[Math.floor(Math.random() * ids.length)]!)

function heap(): number {
  globalThis.gc!()
  globalThis.gc!()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** The same records in a Map: the least that keeping them costs. */
export function plainMap({ size }: Settings) {
  const map = new Map<string, SessionRecord>()
  const before = heap()
  const ids = fill(size, (one) => map.set(one.id, one))
  const bytes = (heap() - before) / map.size
  return { bytes, lookup: times(20_000, () => map.get(pick(ids))) }
}

export async function memory({ build, size }: Settings): Promise<Figures> {
  const { memoryStore } = await load(build, 'index')
  const store = memoryStore({ maxSessions: size })
  const before = heap()
  const ids = fill(size, (one) => store.insert(one))
  const bytes = (heap() - before) / size
  return { bytes, ...(await ask(build, store, ids, size)) }
}

interface FileSettings extends Settings {
  readonly file: string
}

async function openSqlite({ build, file }: FileSettings) {
  const { default: Database } = await import('libsql')
  const { sqliteStore } = await load(build, 'stores/sqlite/index')
  const database = new Database(file)
  return { database, store: sqliteStore(database) }
}

export async function sqlite(settings: FileSettings): Promise<Figures> {
  const { database, store } = await openSqlite(settings)
  void store.get(uuidv7())
  // Without waiting for the disk: how they came there is not what is measured.
  database.exec('PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 10000')
  const ids = fill(settings.size, (one) => store.insert(one))
  database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 100')
  const bytes = statSync(settings.file).size / settings.size
  return { bytes, ...(await ask(settings.build, store, ids, settings.size)) }
}

export async function coldStart(settings: FileSettings): Promise<{ coldStart: number }> {
  if (!existsSync(settings.file)) throw new Error(`${settings.file} must be there`)
  const start = performance.now()
  const { store } = await openSqlite(settings)
  void store.get(uuidv7())
  return { coldStart: performance.now() - start }
}

async function ask(build: string, store: SessionStore, ids: string[], size: number) {
  const lookup = times(20_000, () => store.get(pick(ids)))
  const listOne = times(2_000, (n) => store.listByUser!(`user-${MANY + (n % (size - MANY))}`))
  const listMany = times(200, () => store.listByUser!('many'))
  return { lookup, listOne, listMany, sweep: await watchSweep(build, store, () => pick(ids)) }
}

/** Microseconds each, by the median of batches after a warm-up. */
function times(count: number, call: (n: number) => unknown): Interval {
  const batch = Math.max(1, count / 100)
  const took: number[] = []
  for (let n = 0; n < 120; n++) {
    const start = performance.now()
    for (let i = 0; i < batch; i++) void call(n * batch + i)
    if (n >= 20) took.push(((performance.now() - start) / batch) * 1000)
  }
  return { median: quantile(took, 0.5), low: quantile(took, 0.25), high: quantile(took, 0.75) }
}

const nameOf = ({ store, size }: Row) => `${store === 'memory' ? 'memory' : 'SQLite'}, ${number(size)}`

export function report(rows: Row[]): string {
  const sizes = table(
    [
      'sessions',
      'lookup µs',
      'bytes each',
      'a Map of the same',
      "a Map's lookup µs",
      "one user's, µs",
      'a hundred, µs',
      'cold start ms',
    ],
    rows.map((row) => [
      nameOf(row),
      spread(row.lookup, 1),
      number(row.bytes),
      row.map ? `${number(row.map.bytes)} (${fixed(row.bytes / row.map.bytes)})` : '–',
      row.map ? spread(row.map.lookup, 1) : '–',
      fixed(row.listOne.median, 1),
      fixed(row.listMany.median, 0),
      row.coldStart === undefined ? '–' : fixed(row.coldStart, 1),
    ]),
  )
  const sweeps = table(
    [
      'half of them expire',
      'removed',
      'took s',
      'slice p50 ms',
      'slice p99 ms',
      'worst ms',
      'lookup p99 ms',
      'worst turn ms',
    ],
    rows.map((row) => [
      nameOf(row),
      number(row.sweep.removed),
      fixed(row.sweep.seconds, 1),
      fixed(row.sweep.slices.p50),
      fixed(row.sweep.slices.p99),
      fixed(row.sweep.slices.worst, 1),
      fixed(row.sweep.lookups.p99, 3),
      fixed(row.sweep.turns.worst, 1),
    ]),
  )
  return `${sizes}\n\n${sweeps}`
}
