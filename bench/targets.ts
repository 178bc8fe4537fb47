// What the package has set itself. Data alone: lib/judge.ts compares it with what was measured.

/** A target over HTTP: one contender against another, under the same load. */
export interface HttpTarget {
  readonly contenders: readonly string[]
  readonly against: string
  readonly nodes: readonly number[]
  readonly connections: readonly number[]
  /** The least ratio of requests a second. */
  readonly least?: number
  /** The most microseconds of processor time that a request may cost more. */
  readonly mostCpu?: number
}

const SQLITE = ['sid-sqlite', 'sid-node-sqlite']
const REDIS = ['sid-redis', 'sid-ioredis']
const CURRENT = { nodes: [24, 26], connections: [32, 64] }
const OLD = { nodes: [20, 22], connections: [32, 64] }

export const HTTP_TARGETS: readonly HttpTarget[] = [
  { contenders: ['sid-memory'], against: 'bare', ...CURRENT, least: 1.15 },
  { contenders: ['sid-memory'], against: 'deferred', ...CURRENT, least: 0.85 },
  { contenders: ['sid-memory'], against: 'es-memory', ...CURRENT, least: 2.3 },
  { contenders: ['sid-memory'], against: 'deferred', ...CURRENT, mostCpu: 6 },

  { contenders: SQLITE, against: 'bare', ...CURRENT, least: 1 },
  { contenders: SQLITE, against: 'es-memory', ...CURRENT, least: 2 },
  { contenders: SQLITE, against: 'deferred', ...CURRENT, mostCpu: 10 },

  { contenders: REDIS, against: 'bare', ...CURRENT, least: 1 },
  { contenders: REDIS, against: 'es-redis', ...CURRENT, least: 2 },

  { contenders: ['sid-postgres'], against: 'bare', ...CURRENT, least: 0.95 },
  { contenders: ['sid-postgres'], against: 'es-postgres', ...CURRENT, least: 4 },

  { contenders: ['sid-memory'], against: 'bare', nodes: [24, 26], connections: [4], least: 0.8 },
  { contenders: SQLITE, against: 'bare', nodes: [24, 26], connections: [4], least: 0.65 },
  { contenders: ['sid-memory'], against: 'bare', nodes: [24, 26], connections: [1], least: 0.9 },
  { contenders: SQLITE, against: 'bare', nodes: [24, 26], connections: [1], least: 0.78 },

  { contenders: ['sid-drop-in', 'sid-drop-in-connect'], against: 'es-memory', ...CURRENT, mostCpu: 0 },
  {
    contenders: ['sid-drop-in-write', 'sid-drop-in-connect-write'],
    against: 'es-memory-write',
    ...CURRENT,
    mostCpu: 0,
  },

  { contenders: ['sid-no-cookie'], against: 'noop-no-cookie', ...CURRENT, least: 0.98 },

  { contenders: ['sid-memory'], against: 'bare', ...OLD, least: 1.8 },
  { contenders: SQLITE, against: 'bare', ...OLD, least: 1.6 },
]

/** Aims of the other parts. Each part says which figures it has; lib/judge.ts has the names. */
export const OTHER_TARGETS = {
  batching: { redis: 3, ioredis: 3, postgres: 5, inFlight: 64 },
  scale: {
    sessions: 1_000_000,
    mostBytesToMap: 1.3,
    mostSliceMs: 2,
    mostSqliteLookupUs: 15,
    mostSqliteStallMs: 10,
  },
  /** A request without a cookie, beside lookups that never end: its p99 against that beside a store that works. */
  slowStore: { mostP99: 1.25 },
} as const
