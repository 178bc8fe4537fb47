import { randomBytes } from 'node:crypto'
import { Running, type Sample } from '../lib/contender.js'
import { uuidv7 } from '../lib/fake-records.js'
import type { Run } from '../lib/part.js'
import { say } from '../lib/say.js'
import { measureSlowStore, reportSlowStore, type SlowRow } from '../lib/slow-store.js'
import { shuffled, withInterval, type Interval } from '../lib/stats.js'
import { fixed, number, spread, table } from '../lib/table.js'
import { BODY_FOR_NOBODY, bodyFor, userOf } from '../lib/users.js'
import type { Load } from '../load/driver.js'
import { requestText } from '../load/request.js'

const TAKING = new Set([
  'bare',
  'sid-memory',
  'sid-sqlite',
  'sid-redis',
  'sid-postgres',
  'es-memory',
  'es-redis',
  'es-postgres',
])

interface Counts {
  readonly rounds: number
  readonly windowMs: number
}

interface LoginRow {
  readonly label: string
  readonly rate: Interval
  readonly p99: Interval
}

interface StrangerRow {
  readonly kind: string
  readonly label: string
  readonly toBare: Interval
  readonly p99ToBare: Interval
}

export interface Shapes {
  readonly logins: LoginRow[]
  readonly strangers: StrangerRow[]
  readonly slowStore: SlowRow[]
}

/** Other loads than the steady one: login storms, crowds of strangers, a slow store. */
export async function measure({ contenders, isQuick, nodes: [node] }: Run): Promise<Shapes> {
  const counts = isQuick ? { rounds: 2, windowMs: 150 } : { rounds: 6, windowMs: 250 }
  const running: Running[] = []
  try {
    for (const about of contenders.filter(({ name }) => TAKING.has(name))) {
      const one = await Running.start(about, node!)
      running.push(one)
      await one.login()
      await one.check()
    }
    const logins = await loginStorm(running.slice(1), counts)
    const strangers = await crowds(running, counts)
    return { logins, strangers, slowStore: await measureSlowStore(node!, counts.windowMs * counts.rounds) }
  } finally {
    await Promise.all(running.map((one) => one.close()))
  }
}

/** Windows of all, in a random order each round. The same lead-in for each is not counted. */
async function windows(
  loads: Map<Running, Load>,
  { rounds, windowMs }: Counts,
): Promise<Map<Running, Sample[]>> {
  const samples = new Map<Running, Sample[]>([...loads.keys()].map((one) => [one, []]))
  for (const [one, load] of loads) await one.window(load, { count: 1_000 })
  for (let round = 0; round < rounds; round++) {
    for (const [one, load] of shuffled([...loads])) {
      await load.run({ ms: 100 })
      samples.get(one)!.push(await one.window(load, { ms: windowMs }))
    }
  }
  for (const load of loads.values()) load.close()
  return samples
}

/** Everybody logs in at once: 64 at a time, each a new session. */
async function loginStorm(running: Running[], counts: Counts): Promise<LoginRow[]> {
  say('shapes: login storm')
  const requests = Array.from({ length: 256 }, (_, n) => ({
    text: requestText('POST', `/login?n=${n}`),
    expected: '',
  }))
  const loads = new Map<Running, Load>()
  for (const one of running) loads.set(one, await one.open(64, requests))
  return [...(await windows(loads, counts))].map(([{ label }, samples]) => ({
    label,
    rate: withInterval([samples.map(({ rate }) => rate)]),
    p99: withInterval([samples.map(({ p99 }) => p99)]),
  }))
}

const random = (bytes: number) => randomBytes(bytes).toString('base64url')
const cookie = (name: string, value: () => string) => () =>
  requestText('GET', '/me', `theme=dark; ${name}=${value()}`)

const STRANGERS: Record<string, Record<string, () => string>> = {
  'sid-': {
    'no cookie': () => requestText('GET', '/me'),
    'unknown, well-formed': cookie('__Host-sid', () => `${uuidv7()}.${random(49).slice(0, 65)}`),
    malformed: cookie('__Host-sid', () => random(70)),
    'oversize (8 KB)': cookie('__Host-sid', () => 'x'.repeat(8_000)),
  },
  'es-': {
    'no cookie': () => requestText('GET', '/me'),
    unknown: cookie('connect.sid', () => `s%3A${random(24)}.${random(32)}`),
  },
}

/** Browsers that nobody knows. Bare Express is sent the same, and responds with its user as ever. */
async function crowds([bare, ...others]: Running[], counts: Counts): Promise<StrangerRow[]> {
  const rows: StrangerRow[] = []
  for (const [prefix, kinds] of Object.entries(STRANGERS)) {
    const taking = others.filter(({ name }) => name.startsWith(prefix))
    for (const [kind, text] of Object.entries(kinds)) {
      say(`shapes: strangers, ${prefix}*, ${kind}`)
      const loads = new Map<Running, Load>()
      loads.set(bare!, await bare!.open(64, [{ text, expected: bodyFor(userOf(0)) }]))
      for (const one of taking) loads.set(one, await one.open(64, [{ text, expected: BODY_FOR_NOBODY }]))
      const samples = await windows(loads, counts)
      const reference = samples.get(bare!)!
      for (const one of taking) {
        const toBare = (pick: (sample: Sample) => number) =>
          withInterval([samples.get(one)!.map((sample, round) => pick(sample) / pick(reference[round]!))])
        rows.push({
          kind,
          label: one.label,
          toBare: toBare(({ rate }) => rate),
          p99ToBare: toBare(({ p99 }) => p99),
        })
      }
    }
  }
  return rows
}

export function report({ logins, strangers, slowStore: slow }: Shapes): string {
  return [
    table(
      ['64 logins at a time', 'logins/s', 'p99 ms'],
      logins.map((row) => [row.label, number(row.rate.median), fixed(row.p99.median, 1)]),
    ),
    table(
      ['strangers, 64 connections', 'throughput / bare', 'p99 / bare'],
      strangers.map((row) => [`${row.kind}: ${row.label}`, spread(row.toBare), fixed(row.p99ToBare.median)]),
    ),
    reportSlowStore(slow),
  ].join('\n\n')
}
