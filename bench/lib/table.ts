import type { Interval } from './stats.js'

type Cell = string | number

/** A Markdown table. Its columns are padded, so that it reads as plain text, too. Numbers stand to the right. */
export function table(head: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const lines = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) => Math.max(3, ...lines.map((line) => line[column]!.length)))
  const pad = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)
  const line = (cells: string[]) => `| ${cells.map(pad).join(' | ')} |`
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(lines[0]!), `| ${rule.join(' | ')} |`, ...lines.slice(1).map(line)].join('\n')
}

export const number = (value: number): string => Math.round(value).toLocaleString('en')
export const fixed = (value: number, digits = 2): string => value.toFixed(digits)
export const spread = ({ median, low, high }: Interval, digits = 2): string =>
  `${fixed(median, digits)} (${fixed(low, digits)} to ${fixed(high, digits)})`
export const nanoseconds = (value: number): string =>
  value >= 10_000 ? `${fixed(value / 1000, 1)} µs` : `${number(value)} ns`
