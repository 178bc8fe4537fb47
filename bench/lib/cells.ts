import type { Sample } from './contender.js'
import { median, withInterval, type Interval } from './stats.js'
import { fixed, number, spread, table } from './table.js'

/** The windows of one contender: those of each sitting, in the order of its rounds. */
export interface Series {
  readonly name: string
  readonly label: string
  readonly samples: Sample[][]
}

/** All contenders under the same load. */
export interface Cell {
  readonly node: number
  readonly driver: string
  readonly connections: number
  readonly series: Series[]
}

/** One contender against another: the interval over all rounds of what `compare` makes of two windows of a round. */
export function against(
  cell: Cell,
  name: string,
  reference: string,
  compare: (one: Sample, other: Sample) => number,
): Interval | undefined {
  const [one, other] = [name, reference].map((wanted) => cell.series.find((each) => each.name === wanted))
  if (!one || !other) return undefined
  return withInterval(
    one.samples.map((samples, sitting) =>
      samples.map((sample, round) => compare(sample, other.samples[sitting]![round]!)),
    ),
  )
}

export const RATE = (one: Sample, other: Sample): number => one.rate / other.rate
export const CPU_OVER = (one: Sample, other: Sample): number => one.cpu - other.cpu
const P99 = (one: Sample, other: Sample) => one.p99 / other.p99

/** A table for each load, and one over all loads. */
export function report(cells: Cell[]): string {
  return [...cells.map(reportCell), reportLoads(cells)].join('\n\n')
}

/** What each contender reaches of bare Express, by the number of connections; a table for each Node and driver. */
export function reportLoads(cells: Cell[]): string {
  const kindOf = ({ node, driver }: Cell) => `Node ${node}, driver: ${driver}; of bare`
  const tables = [...new Set(cells.map(kindOf))].map((kind) => {
    const loads = cells.filter((cell) => kindOf(cell) === kind)
    const row = ({ name, label }: Series) => {
      const ratios = loads.map((cell) => spread(against(cell, name, 'bare', RATE)!))
      return [label, ...ratios]
    }
    const head = [kind, ...loads.map(({ connections }) => `${connections} connections`)]
    return table(head, loads[0]!.series.map(row))
  })
  return tables.join('\n\n')
}

export function reportCell(cell: Cell): string {
  const hasDeferred = cell.series.some(({ name }) => name === 'deferred')
  const rows = cell.series
    .map(({ name, label, samples }) => {
      const of = (pick: (sample: Sample) => number) =>
        withInterval(samples.map((one) => one.map(pick))).median
      const rate = against(cell, name, 'bare', RATE)!
      const columns = [
        label,
        name === 'bare' ? '1' : spread(rate),
        ...(hasDeferred ? [fixed(against(cell, name, 'deferred', RATE)!.median)] : []),
        name === 'bare' ? '0' : spread(against(cell, name, 'bare', CPU_OVER)!, 1),
        fixed(against(cell, name, 'bare', P99)!.median),
        number(of((sample) => sample.rate)),
        fixed(
          of((sample) => sample.cpu),
          1,
        ),
        fixed(of((sample) => sample.p99)),
        `${fixed(100 * of((sample) => sample.busy), 0)} %`,
      ]
      return { rate: rate.median, columns }
    })
    .toSorted((a, b) => b.rate - a.rate)
  const head = [
    `Node ${cell.node}, ${cell.connections} connections, driver: ${cell.driver}`,
    'of bare',
    ...(hasDeferred ? ['of deferred'] : []),
    'CPU µs over bare',
    'p99 / bare',
    'requests/s',
    'CPU µs',
    'p99 ms',
    'busy',
  ]
  const lines = table(
    head,
    rows.map(({ columns }) => columns),
  )
  return `${lines}${contention(cell)}`
}

/** Below this share of its windows, something else than the server's own work was the limit. */
const BUSY = 0.95
const SATURATING = 32

/** A warning where the machine did something else meanwhile. */
function contention({ connections, series }: Cell): string {
  const busy = series[0]!.samples.flat().map((sample) => sample.busy)
  if (connections < SATURATING || median(busy) >= BUSY) return ''
  return (
    `\n\n**Not a quiet run:** bare Express was at work in only ${fixed(100 * median(busy), 0)} % of its windows. ` +
    'Something else used the processors, or the load driver was the limit. Trust the intervals, and no absolute figure.'
  )
}
