/** Small SVG charts. Colours that are legible on white and on black, and no background of their own. */
const INK = '#7d8590'
const OURS = '#2f81f7'
const THEIRS = '#b08800'
const PLAIN = '#6e7681'
const font = 'font-family="system-ui, sans-serif" font-size="12"'

/** A size, and what was measured at it. */
export type Point = [size: number, value: number]

interface Bar {
  readonly name: string
  readonly label: string
  readonly median: number
  readonly low: number
  readonly high: number
}

interface Panel {
  readonly title: string
  readonly series: readonly { readonly name: string; readonly label: string; readonly points: Point[] }[]
}

interface TextStyle {
  readonly anchor?: string
  readonly fill?: string
  readonly weight?: number
  readonly size?: number
}

const escape = (content: string) => content.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
const text = (
  x: number,
  y: number,
  content: string,
  { anchor = 'start', fill = INK, weight = 400, size = 12 }: TextStyle = {},
) =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${fill}" font-weight="${weight}" font-size="${size}">${escape(content)}</text>`
const line = (x1: number, y1: number, x2: number, y2: number, colour = INK, more = 'stroke-opacity="0.35"') =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}" ${more}/>`

const svg = (width: number, height: number, title: string, parts: string[]) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}" ${font}>\n<title>${escape(title)}</title>\n${parts.join('\n')}\n</svg>\n`

const colourOf = (name: string) =>
  name.startsWith('sid-') ? OURS : /^(bare|noop|deferred|eased)/.test(name) ? PLAIN : THEIRS

/** Horizontal bars with their intervals. */
export function bars(title: string, rows: readonly Bar[]): string {
  const [left, width, step, top] = [290, 760, 24, 44]
  const most = Math.max(1, ...rows.map(({ high }) => high)) * 1.02
  const x = (value: number) => left + (value / most) * (width - left - 50)
  const height = top + rows.length * step + 28
  const ticks = Array.from({ length: Math.floor(most / 0.2) + 1 }, (_, index) => index * 0.2)
  const grid = ticks.map((tick) => {
    const isOne = Math.abs(tick - 1) < 1e-9
    return (
      line(
        x(tick),
        top - 6,
        x(tick),
        height - 24,
        INK,
        isOne ? 'stroke-opacity="0.9"' : 'stroke-opacity="0.2"',
      ) + text(x(tick), height - 8, tick.toFixed(1), { anchor: 'middle', size: 11 })
    )
  })
  const bodies = rows.map(({ name, label, median, low, high }, index) => {
    const y = top + index * step
    const colour = colourOf(name)
    return [
      text(left - 8, y + 13, label, {
        anchor: 'end',
        fill: colour,
        weight: name.startsWith('sid-') ? 600 : 400,
      }),
      `<rect x="${left}" y="${y + 2}" width="${x(median) - left}" height="15" rx="2" fill="${colour}" fill-opacity="0.75"/>`,
      line(x(low), y + 9.5, x(high), y + 9.5, INK, 'stroke-width="2"'),
      text(x(high) + 6, y + 13, median.toFixed(2), { fill: colour }),
    ].join('')
  })
  return svg(width, height, title, [text(12, 20, title, { weight: 600, size: 14 }), ...grid, ...bodies])
}

/** Curves over sizes, a panel for each measure; both axes logarithmic. */
export function curves(title: string, panels: readonly Panel[]): string {
  const [panelWidth, panelHeight, columns] = [370, 210, 2]
  const rows = Math.ceil(panels.length / columns)
  const parts = [text(12, 20, title, { weight: 600, size: 14 })]
  panels.forEach((panel, index) => {
    const left = (index % columns) * panelWidth
    const top = 30 + Math.floor(index / columns) * panelHeight
    parts.push(`<g transform="translate(${left} ${top})">${onePanel(panel, panelWidth, panelHeight)}</g>`)
  })
  return svg(panelWidth * columns, 30 + rows * panelHeight, title, parts)
}

function onePanel({ title, series }: Panel, width: number, height: number): string {
  const box = { left: 60, right: width - 80, top: 34, bottom: height - 30 }
  const points = series.flatMap((one) => one.points)
  const x = axis(
    points.map(([size]) => size),
    box.left,
    box.right,
  )
  const y = axis(
    points.map(([, value]) => value),
    box.bottom,
    box.top,
  )
  const parts = [text(box.left, 20, title, { weight: 600 })]
  for (const tick of x.ticks) {
    parts.push(line(x(tick), box.top, x(tick), box.bottom, INK, 'stroke-opacity="0.2"'))
    parts.push(text(x(tick), box.bottom + 16, short(tick), { anchor: 'middle', size: 11 }))
  }
  for (const tick of y.ticks) {
    parts.push(line(box.left, y(tick), box.right, y(tick), INK, 'stroke-opacity="0.2"'))
    parts.push(text(box.left - 6, y(tick) + 4, short(tick), { anchor: 'end', size: 11 }))
  }
  const ends: { at: number; label: string; colour: string }[] = []
  for (const { name, label, points: own } of series) {
    const colour = name === 'memory' ? OURS : name === 'sqlite' ? THEIRS : PLAIN
    parts.push(
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${own.map(([size, value]) => `${x(size)},${y(value)}`).join(' ')}"/>`,
    )
    for (const [size, value] of own)
      parts.push(`<circle cx="${x(size)}" cy="${y(value)}" r="3" fill="${colour}"/>`)
    ends.push({ at: y(own.at(-1)![1]) + 4, label, colour })
  }
  // Names that would lie on each other move apart.
  ends
    .sort((a, b) => a.at - b.at)
    .forEach((end, index) => {
      if (index > 0) end.at = Math.max(end.at, ends[index - 1]!.at + 13)
      parts.push(text(box.right + 6, end.at, end.label, { fill: end.colour, size: 11 }))
    })
  return parts.join('')
}

/** A logarithmic axis over whole powers of ten. */
function axis(values: number[], from: number, to: number) {
  const low = Math.floor(Math.log10(Math.min(...values)) + 1e-9)
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9))
  const scale = (value: number) => from + ((Math.log10(value) - low) / (high - low)) * (to - from)
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index))
  return Object.assign(scale, { ticks })
}

const short = (value: number) =>
  value >= 1e6 ? `${value / 1e6}M` : value >= 1e3 ? `${value / 1e3}k` : String(Number(value.toPrecision(1)))
