import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { against, RATE, reportCell, reportLoads, type Cell } from '../lib/cells.js'
import { judge, type Results } from '../lib/judge.js'
import { machineText } from '../lib/machine.js'
import { NEWEST } from '../lib/nodes.js'
import { lastResult } from '../lib/results.js'
import { say } from '../lib/say.js'
import { bars, curves, type Point } from '../lib/svg.js'
import { parts } from './all.js'
import type { Row as ScaleRow } from './scale.js'

const root = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url))
const HEADLINE_CONNECTIONS = 32

/** Draws docs/bench.svg and docs/scale.svg, and fills the tables of docs/performance.md, from the last results. */
export function draw(): void {
  const results: Results = {}
  const filled: Record<string, string> = {}
  for (const [name, part] of Object.entries(parts)) {
    const last = lastResult(name)
    if (last === undefined) {
      say(`no result of ${name}: its table and chart stay as they are`)
      continue
    }
    Object.assign(results, { [name]: last.result })
    const quick = last.isQuick ? ' **A quick run: to try it out, not to rely on.**' : ''
    const mark = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
    filled[mark] = part.report(last.result)
    filled[`${mark}Machine`] = `${machineText(last.machine)}${quick}\n\n${last.machine.packages.join(', ')}.`
  }
  const headline = results.throughput?.find(
    (cell) => cell.node === NEWEST && cell.connections === HEADLINE_CONNECTIONS && cell.driver === 'own',
  )
  if (headline) {
    writeFileSync(root('docs/bench.svg'), throughputChart(headline))
    filled.throughput = reportCell(headline)
    filled.throughputLoads = reportLoads(results.throughput!)
  }
  if (results.scale) writeFileSync(root('docs/scale.svg'), scaleChart(results.scale))
  filled.targets = judge(results)
  fillIn(filled)
}

function throughputChart(cell: Cell): string {
  const rows = cell.series
    .filter(({ name }) => name !== 'bare')
    .map(({ name, label }) => Object.assign({ name, label }, against(cell, name, 'bare', RATE)!))
    .toSorted((a, b) => b.median - a.median)
  const title = `Throughput against bare Express (1.0), Node ${cell.node}, ${cell.connections} connections`
  return bars(title, rows)
}

function scaleChart(rows: ScaleRow[]): string {
  const sizes = (store: string, pick: (row: ScaleRow) => number): Point[] =>
    rows.filter((row) => row.store === store).map((row) => [row.size, pick(row)])
  const both = (title: string, pick: (row: ScaleRow) => number) => ({
    title,
    series: [
      { name: 'memory', label: 'memory', points: sizes('memory', pick) },
      { name: 'sqlite', label: 'SQLite', points: sizes('sqlite', pick) },
    ],
  })
  const bytes = both('Bytes a session', (row) => row.bytes)
  bytes.series.push({ name: 'map', label: 'plain Map', points: sizes('memory', (row) => row.map!.bytes) })
  return curves('Sessions held, and what they cost', [
    both('One lookup, µs', (row) => row.lookup.median),
    bytes,
    both("List one user's session, µs", (row) => row.listOne.median),
    both('List a hundred of one user, µs', (row) => row.listMany.median),
    both('Half expire: slice p99, ms', (row) => row.sweep.slices.p99),
    both('Half expire: longest stall, ms', (row) => row.sweep.turns.worst),
    {
      title: 'Cold start on an existing file, ms',
      series: [{ name: 'sqlite', label: 'SQLite', points: sizes('sqlite', (row) => row.coldStart!) }],
    },
  ])
}

/** Puts each text between its two marks: <!-- name --> … <!-- /name -->. */
function fillIn(texts: Record<string, string>): void {
  const page = root('docs/performance.md')
  if (!existsSync(page)) return
  let content = readFileSync(page, 'utf8')
  for (const [name, text] of Object.entries(texts)) {
    content = content.replace(
      new RegExp(`(<!-- ${name} -->)[^]*?(<!-- /${name} -->)`),
      (_, open, close) => `${open}\n\n${text}\n\n${close}`,
    )
  }
  writeFileSync(page, content)
  const prettier = root('node_modules/prettier/bin/prettier.cjs')
  execFileSync(process.execPath, [prettier, '--write', page], { stdio: 'ignore' })
}
