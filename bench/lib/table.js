/** A Markdown table, its columns padded so that it reads as plain text, too. Numbers stand to the right. */
export function table(head, rows) {
  const lines = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) => Math.max(3, ...lines.map((line) => line[column].length)))
  const pad = (text, column) => (column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]))
  const line = (cells) => `| ${cells.map(pad).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(lines[0]), rule, ...lines.slice(1).map(line)].join('\n')
}

export const number = (value) => Math.round(value).toLocaleString('en')
export const fixed = (value, digits = 2) => value.toFixed(digits)
export const spread = ({ median, low, high }, digits = 2) =>
  `${fixed(median, digits)} (${fixed(low, digits)}–${fixed(high, digits)})`
export const ns = (value) => (value >= 10_000 ? `${fixed(value / 1000, 1)} µs` : `${number(value)} ns`)
