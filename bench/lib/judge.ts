import { HTTP_TARGETS, OTHER_TARGETS, type HttpTarget } from '../targets.js'
import type { Rows as BatchingRows } from '../parts/batching.js'
import type { Row as NetworkRow } from '../parts/network.js'
import type { Row as ScaleRow } from '../parts/scale.js'
import type { Shapes } from '../parts/shapes.js'
import { against, CPU_OVER, RATE, type Cell } from './cells.js'
import { fixed, number, spread, table } from './table.js'

/** The results that there are, by part. */
export interface Results {
  throughput?: Cell[]
  batching?: BatchingRows
  network?: NetworkRow[]
  scale?: ScaleRow[]
  shapes?: Shapes
}

interface Verdict {
  readonly target: string
  readonly aim: string
  readonly measured: string
  readonly isMet: boolean
}

/** Each target beside what was measured. Targets without a measurement are left out. */
export function judge({ throughput, batching, network, scale, shapes }: Results): string {
  const verdicts = [
    ...(throughput ?? []).flatMap(judgeCell),
    ...(batching ? judgeBatching(batching) : []),
    ...(network ?? []).map(judgeNetwork),
    ...(scale ? judgeScale(scale) : []),
    ...(shapes ? judgeSlowStore(shapes) : []),
  ]
  if (verdicts.length === 0) return ''
  return table(
    ['target', 'aim', 'measured', 'met'],
    verdicts.map(({ target, aim, measured, isMet }) => [target, aim, measured, isMet ? 'yes' : '**no**']),
  )
}

function judgeCell(cell: Cell): Verdict[] {
  return HTTP_TARGETS.filter(
    ({ nodes, connections }) => nodes.includes(cell.node) && connections.includes(cell.connections),
  ).flatMap((target) => target.contenders.flatMap((name) => judgeHttp(cell, target, name) ?? []))
}

function judgeHttp(
  cell: Cell,
  { against: reference, least, mostCpu }: HttpTarget,
  name: string,
): Verdict | undefined {
  const isCpu = mostCpu !== undefined
  const found = against(cell, name, reference, isCpu ? CPU_OVER : RATE)
  if (!found) return undefined
  const load = `Node ${cell.node}, ${cell.connections} conn., ${cell.driver}`
  return {
    target: isCpu ? `${load}: ${name}, CPU over ${reference}` : `${load}: ${name} / ${reference}`,
    aim: isCpu ? `≤ ${mostCpu} µs` : `≥ ${fixed(least!)}`,
    measured: spread(found, isCpu ? 1 : 2),
    isMet: isCpu ? found.median <= mostCpu : found.median >= least!,
  }
}

function judgeBatching(rows: BatchingRows): Verdict[] {
  const { inFlight, ...aims } = OTHER_TARGETS.batching
  return (['redis', 'ioredis', 'postgres'] as const).flatMap((name) => {
    const found = rows[name]?.find((row) => row.inFlight === inFlight)?.toOneEach
    const target = `${inFlight} lookups in flight, ${name}: gathered / one call each`
    if (!found) return []
    return [{ target, aim: `≥ ${aims[name]}`, measured: spread(found), isMet: found.median >= aims[name] }]
  })
}

function judgeNetwork({ store, manySize, fewSize, manyToFew, control }: NetworkRow): Verdict {
  return {
    target: `${store}: a lookup among ${number(manySize)} / ${number(fewSize)}`,
    aim: `within the control, ${fixed(control.low)} to ${fixed(control.high)}`,
    measured: spread(manyToFew),
    isMet: manyToFew.low <= control.high,
  }
}

function judgeScale(rows: ScaleRow[]): Verdict[] {
  const aims = OTHER_TARGETS.scale
  const of = (store: string) => rows.find((row) => row.store === store && row.size === aims.sessions)
  const [memory, sqlite] = [of('memory'), of('sqlite')]
  if (!memory?.map || !sqlite) return []
  const most = (target: string, found: number, aim: number, unit = '') => ({
    target: `${number(aims.sessions)} sessions, ${target}`,
    aim: `≤ ${aim}${unit}`,
    measured: `${fixed(found)}${unit}`,
    isMet: found <= aim,
  })
  return [
    most('memory: bytes / Map', memory.bytes / memory.map.bytes, aims.mostBytesToMap),
    most('memory: removal slices, p99', memory.sweep.slices.p99, aims.mostSliceMs, ' ms'),
    most('SQLite: lookup', sqlite.lookup.median, aims.mostSqliteLookupUs, ' µs'),
    most('SQLite: stalls by removal, p99', sqlite.sweep.slices.p99, aims.mostSqliteStallMs, ' ms'),
  ]
}

function judgeSlowStore({ slowStore }: Shapes): Verdict[] {
  const [hangs, healthy] = [null, 1].map((delay) => slowStore.find((row) => row.delay === delay))
  if (!hangs || !healthy) return []
  const most = OTHER_TARGETS.slowStore.mostP99 * healthy.beside.p99
  return [
    {
      target: 'no cookie while the store hangs: p99',
      aim: `≤ ${fixed(most, 1)} ms (beside a store that takes 1 ms: ${fixed(healthy.beside.p99, 1)})`,
      measured: `${fixed(hangs.beside.p99, 1)} ms`,
      isMet: hangs.beside.p99 <= most,
    },
  ]
}
