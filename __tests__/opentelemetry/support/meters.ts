import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'

/** A reader that collects when it is asked. */
class Collector extends MetricReader {
  protected override async onForceFlush(): Promise<void> {
    // Nothing is kept back.
  }
  protected override async onShutdown(): Promise<void> {
    // Nothing is open.
  }
}

/** One point of a metric. */
export interface Point {
  readonly attributes: Record<string, unknown>
  readonly value: unknown
}

/** A provider of meters, and what its metrics say now. */
export function collecting() {
  const reader = new Collector()
  const meterProvider = new MeterProvider({ readers: [reader] })
  const points = async (name: string): Promise<Point[]> => {
    const { resourceMetrics } = await reader.collect()
    const all = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)
    const found = all.filter(({ descriptor }) => descriptor.name === name)
    return found.flatMap(({ dataPoints }) =>
      dataPoints.map(({ attributes, value }) => ({ attributes, value })),
    )
  }
  /** The sum of the points that have these attributes. */
  const sum = async (name: string, wanted: Record<string, unknown> = {}): Promise<number> => {
    const fitting = (await points(name)).filter(({ attributes }) =>
      Object.entries(wanted).every(([key, value]) => attributes[key] === value),
    )
    return fitting.reduce((total, { value }) => total + Number(value), 0)
  }
  /** Every name and every label, as one text. */
  const everything = async (): Promise<string> => JSON.stringify((await reader.collect()).resourceMetrics)
  return { meterProvider, points, sum, everything, close: () => meterProvider.shutdown() }
}
